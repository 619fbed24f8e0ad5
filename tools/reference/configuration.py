"""The reference of the configuration, made from the declarations of the keys.

`python -m tools.reference.configuration --write` writes the page and the JSON schema, `--check`
exits with 1 where the files differ from what would be written.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import JsonValue

from drove_gateway.config import environment, legacy
from drove_gateway.config.fields import Section
from drove_gateway.config.general import General, GeneralBeyond
from drove_gateway.config.haproxy import Haproxy, HaproxyBeyond
from drove_gateway.config.namespace import NamespaceBeyond, NamespaceKeys
from drove_gateway.config.nginx import Nginx, NginxBeyond
from tools.reference.pages import keep, write_or_check
from tools.reference.schema import properties_of, schema

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
)

_OPENING = """\
# Configuration reference

<!-- Made from the declarations in src/drove_gateway/config by
     `python -m tools.reference.configuration --write`; edit those, not this page. -->

The gateway reads one TOML file, `nixy.toml` or the one given with `-f`. General keys stand at the
top, then one `[[namespaces]]` table for each Drove cluster:

```toml
port = "6000"
proxy_platform = "haproxy"
haproxysocketaddr = "/run/haproxy/admin.sock"

[[namespaces]]
name = "stage1"
drove = ["http://controller1:10000", "http://controller2:10000"]
```

`drove-gateway check -f nixy.toml` says all that is wrong with a file at once. An unknown key has no
effect and is a warning that names the nearest known one. Times are in seconds; fractions are
allowed. Relative paths start at the directory that the gateway runs in.

## In an editor

[nixy.schema.json](nixy.schema.json) lets an editor complete keys, show what they mean and underline
what is wrong. Put it beside your file, and begin that with

```toml
#:schema ./nixy.schema.json
```

VS Code with the extension Even Better TOML reads this line, and so does every editor whose TOML
support is Taplo: Neovim, Helix, Zed. On the command line, `taplo lint nixy.toml` does.
"""

_BEYOND = """\
## Beyond the original

These keys are the gateway's own. A file made for the original works without them.
"""

_ENVIRONMENT = """\
## Environment variables

They make a complete configuration without a file. With one they override it: the template, and
keys of the only namespace, or of the one that `DROVE_CLUSTER_NAME` names; a file without
namespaces gets one. An empty variable counts as unset. In a container there are
[more](../container.md).
"""

_DEPRECATED = """\
## Deprecated names

They still work, with a warning, and win where both names are set.
"""

_SINGLE = """\
## The form before namespaces

A file for one cluster may still have the keys of a namespace at top level:
{keys}.
They are taken as one namespace named `default`, with a warning. Beside a `[[namespaces]]` table
they are an error, since it would not be clear which of them is meant.
"""

_RULES = """\
## What is refused

Beside values of a wrong type or range, the gateway refuses to start when:

- there is no namespace, or one without `name` or `drove`, or two of the same name;
- a URL in `drove` does not begin with http:// or https://, or holds a user or password;
- `port_use_tls` is set without both files, or a file that a key names cannot be read;
- `admin_read_token` is set without `admin_token`;
- only one of `left_delimiter` and `right_delimiter` is set;
- `haproxy_reload_disabled` is set without `haproxysocketaddr`, or `nginx_reload_disabled` without
  `nginxplusapiaddr`;
- a path or command that the chosen proxy needs is empty.

A socket of HAProxy that does not exist is no reason: the gateway starts and waits for it.
"""


def page() -> str:
    """The whole page, in Markdown."""
    single = ", ".join(f"`{key}`" for key in legacy.SINGLE_NAMESPACE)
    parts = [_OPENING]
    parts += [_section("##", title, section) for title, section in ORIGINAL]
    parts.append(_BEYOND)
    parts += [_section("###", title, section) for title, section in BEYOND]
    parts += [_ENVIRONMENT + "\n" + _table(("Variable", "Sets", "Meaning"), _variables())]
    parts += [_DEPRECATED + "\n" + _table(("Deprecated", "Write instead"), _deprecated())]
    parts += [_SINGLE.format(keys=single), _RULES]
    return "\n".join(parts)


def key_table(section: type[Section]) -> str:
    """The keys of a group as a Markdown table."""
    return _table(("Key", "Type", "Default", "Meaning"), _keys(section))


def _section(level: str, title: str, section: type[Section]) -> str:
    opening = (section.__doc__ or "").strip()
    return f"{level} {title}\n\n{opening}\n\n{key_table(section)}"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    cells = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in cells)


def _keys(section: type[Section]) -> Iterator[tuple[str, ...]]:
    for key, found in properties_of(section).items():
        meaning = str(found["description"])
        examples = found.get("examples")
        if isinstance(examples, list):
            meaning += f" Example: `{_toml(examples[0])}`."
        yield f"`{key}`", _type(found), _default(found), meaning


def _variables() -> Iterator[tuple[str, ...]]:
    for name, key in environment.VARIABLES.items():
        yield f"`{name}`", f"`{key}`", environment.DESCRIPTIONS[name]


def _deprecated() -> Iterator[tuple[str, ...]]:
    for old, new in legacy.DEPRECATED.items():
        yield f"`{old}`", f"`{new}`"


def _default(found: dict[str, JsonValue]) -> str:
    if "default" not in found:
        return "required"
    default = found["default"]
    return "none" if default is None else f"`{_toml(default)}`"


def _toml(value: JsonValue) -> str:
    """JSON and TOML write these values alike, but for a whole number of seconds."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _type(found: dict[str, JsonValue]) -> str:
    """What the key takes, in words: "integer, 0 or more"; "seconds, more than 0"."""
    variants = found.get("anyOf")
    if isinstance(variants, list) and isinstance(variants[0], dict):
        return _type(variants[0])
    if isinstance(values := found.get("enum"), list):
        return " or ".join(f"`{_toml(value)}`" for value in values)
    kind = found["type"]
    words = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    words = {"array": "list of strings"}.get(words, words)
    words = "seconds" if found.get("format") == "seconds" else words
    return ", ".join([words, *_bounds(found)])


def _bounds(found: dict[str, JsonValue]) -> Iterator[str]:
    if "exclusiveMinimum" in found:
        yield f"more than {found['exclusiveMinimum']:g}"
    if "minimum" in found and "maximum" in found:
        yield f"{found['minimum']:g} to {found['maximum']:g}"
    elif "minimum" in found:
        yield f"{found['minimum']:g} or more"
    elif "maximum" in found:
        yield f"at most {found['maximum']:g}"


def files() -> dict[str, str]:
    """What is written, by the name of the file."""
    return {
        "configuration.md": page(),
        "nixy.schema.json": json.dumps(schema(), indent=2) + "\n",
    }


@click.command()
@write_or_check
@click.argument("directory", type=click.Path(path_type=Path), default=Path("docs/reference"))
def main(write: bool, directory: Path) -> None:
    """Writes or checks the reference page and the JSON schema in DIRECTORY."""
    keep({directory / name: text for name, text in files().items()}, write=write)


if __name__ == "__main__":
    main()
