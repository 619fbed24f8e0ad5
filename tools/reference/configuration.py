"""Build the reference of the configuration and the JSON schema from the declared keys."""

import json
from collections.abc import Iterator

from drove_gateway.config import environment, legacy
from drove_gateway.config.fields import Section
from drove_gateway.config.general import General, GeneralBeyond
from drove_gateway.config.haproxy import Haproxy, HaproxyBeyond
from drove_gateway.config.namespace import NamespaceBeyond, NamespaceKeys
from drove_gateway.config.nginx import Nginx, NginxBeyond
from drove_gateway.config.template_table import TemplateTable
from tools.reference.configuration_manual import configuration_manual
from tools.reference.generated_files import reference_command
from tools.reference.markdown import table
from tools.reference.schema import properties_of, schema
from tools.reference.words import default_of, meaning_of, type_of

ORIGINAL: tuple[tuple[str, type[Section]], ...] = (
    ("General settings", General),
    ("NGINX, OpenResty and NGINX Plus", Nginx),
    ("HAProxy", Haproxy),
    ("Namespaces", NamespaceKeys),
)
BEYOND: tuple[tuple[str, type[Section]], ...] = (
    ("General", GeneralBeyond),
    ("NGINX Plus", NginxBeyond),
    ("HAProxy", HaproxyBeyond),
    ("Namespaces", NamespaceBeyond),
    ("The template", TemplateTable),
)

_OPENING = """\
# Configuration reference

<!-- Generated from the declarations in src/drove_gateway/config by
     `python -m tools.reference.configuration --write`; edit those, not this page. -->

The gateway reads one TOML file, `nixy.toml` or the file given with `-f`. General keys come first,
then one `[[namespaces]]` table for each Drove cluster:

```toml
port = "6000"
proxy_platform = "haproxy"
haproxysocketaddr = "/run/haproxy/admin.sock"

[[namespaces]]
name = "stage1"
drove = ["http://controller1:10000", "http://controller2:10000"]
```

`drove-gateway check -f nixy.toml` reports everything that is wrong with a file at once. An unknown
key has no effect; a warning names the most similar known key. Times are in seconds, and fractions
are allowed. Relative paths start at the gateway's working directory.

## In an editor

With [nixy.schema.json](nixy.schema.json), an editor completes keys, shows their meaning and
underlines mistakes. Put it beside your file, and start the file with

```toml
#:schema ./nixy.schema.json
```

VS Code with the extension Even Better TOML reads this line, and so does every editor that uses
Taplo for TOML: Neovim, Helix, Zed. On the command line, use `taplo lint nixy.toml`.
"""

_BEYOND = """\
## Beyond the original

These keys do not exist in the original. A file written for the original works without them.
"""

_ENVIRONMENT = """\
## Environment variables

Without a file, these variables are a complete configuration. With a file, they override the
template and keys of its only namespace, and a warning names each value that they replace. If the
file has no namespace, they create one. If it has several, or if `CONFIG_FILE_PATH` names the file,
only the template is overridden; a warning names the variables without an effect. An empty variable
counts as unset. A container has [more variables](../container.md).
"""

_DEPRECATED = """\
## Deprecated names

Deprecated names still work, with a warning. If both names are set, the deprecated name wins.
"""

_SINGLE = """\
## The form before namespaces

A file for one cluster may still have the keys of a namespace at top level:
{keys}.
They are read as one namespace named `default`, with a warning. Together with a `[[namespaces]]`
table they are an error, because it would not be clear which of them is meant.
"""

_RULES = """\
## What is refused

The gateway refuses to start if a value has a wrong type or is out of range, and also if:

- there is no namespace, a namespace has no `name` or no `drove`, or two have the same name;
- a URL in `drove` does not begin with http:// or https://, or contains a user or password;
- `port_use_tls` is set without both files, or a file that a key names cannot be read;
- `admin_read_token` is set without `admin_token`;
- only one of `left_delimiter` and `right_delimiter` is set;
- `haproxy_reload_disabled` is set without `haproxysocketaddr`, or `nginx_reload_disabled` without
  `nginxplusapiaddr`;
- a path or command that the chosen proxy needs is empty.

A HAProxy socket that does not exist yet is not an error: the gateway starts and waits for it.
"""


def page() -> str:
    """The whole page, in Markdown."""
    single = ", ".join(f"`{key}`" for key in legacy.SINGLE_NAMESPACE)
    parts = [_OPENING]
    parts += [_section("##", title, section) for title, section in ORIGINAL]
    parts.append(_BEYOND)
    parts += [_section("###", title, section) for title, section in BEYOND]
    parts += [_ENVIRONMENT + "\n" + table(("Variable", "Sets", "Meaning"), _variables())]
    parts += [_DEPRECATED + "\n" + table(("Deprecated", "Write instead"), _deprecated())]
    parts += [_SINGLE.format(keys=single), _RULES]
    return "\n".join(parts)


def _key_table(section: type[Section]) -> str:
    return table(("Key", "Type", "Default", "Meaning"), _keys(section))


def _section(level: str, title: str, section: type[Section]) -> str:
    opening = (section.__doc__ or "").strip()
    return f"{level} {title}\n\n{opening}\n\n{_key_table(section)}"


def _keys(section: type[Section]) -> Iterator[tuple[str, ...]]:
    for key, found in properties_of(section).items():
        yield f"`{key}`", type_of(found), default_of(found), meaning_of(found)


def _variables() -> Iterator[tuple[str, ...]]:
    for name, key in environment.VARIABLES.items():
        yield f"`{name}`", f"`{key}`", environment.DESCRIPTIONS[name]


def _deprecated() -> Iterator[tuple[str, ...]]:
    for old, new in legacy.DEPRECATED.items():
        yield f"`{old}`", f"`{new}`"


def files() -> dict[str, str]:
    """The generated files, by name."""
    return {
        "configuration.md": page(),
        "nixy.toml.5": configuration_manual((*ORIGINAL, *BEYOND)),
        "nixy.schema.json": json.dumps(schema(), indent=2) + "\n",
    }


main = reference_command(files)


if __name__ == "__main__":
    main()
