"""Build the manual page nixy.toml(5), in roff, from the declared keys."""

from collections.abc import Iterator

from drove_gateway.config.fields import Section
from drove_gateway.model.about import about
from tools.reference.manual import argument, terms, text_line
from tools.reference.schema import properties_of
from tools.reference.words import default_of, meaning_of, type_of

_OPENING = (
    (
        "nixy.toml configures drove-gateway(8). It is a TOML file: general keys come first, then a "
        "[[namespaces]] table for each Drove cluster. Without -f, the first of these that exists "
        "is read: nixy.toml in the current directory, then those of FILES below."
    ),
    (
        "`drove-gateway check` reports everything that is wrong with a file at once. Times are in "
        "seconds. Relative paths start at the working directory of the gateway."
    ),
)
_FILES = (
    ("/etc/drove-gateway/nixy.toml", "The configuration of an installed package."),
    ("/etc/nixy/nixy.toml", "The configuration of an installation of the original."),
    ("/usr/share/doc/drove-gateway/docs/reference/nixy.schema.json", "A JSON schema for editors."),
)
_EXAMPLE = """\
port = "6000"
proxy_platform = "haproxy"
haproxysocketaddr = "/run/haproxy/admin.sock"

[[namespaces]]
name = "stage1"
drove = ["http://controller1:10000", "http://controller2:10000"]"""


def configuration_manual(sections: tuple[tuple[str, type[Section]], ...]) -> str:
    """Return the whole page. `sections` are the keys, each group with its title."""
    titles = dict.fromkeys(title for title, _ in sections)
    lines = [
        f'.TH NIXY.TOML 5 "" "drove-gateway {about().version}" "File formats"',
        ".SH NAME",
        "nixy.toml \\- configuration of drove-gateway",
        ".SH DESCRIPTION",
        *(line for text in _OPENING for line in (".PP", text_line(text))),
    ]
    for title in titles:
        lines.append(f".SH {argument(title.upper())}")
        for name, section in sections:
            if name == title:
                lines += _keys(section)
    example = (text_line(line) for line in _EXAMPLE.splitlines())
    lines += [".SH EXAMPLE", ".nf", *example, ".fi", ".SH FILES", *terms(_FILES)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR drove\\-gateway (8)"]) + "\n"


def _keys(section: type[Section]) -> Iterator[str]:
    for key, found in properties_of(section).items():
        facts = f"{type_of(found)}; default: {default_of(found)}. {meaning_of(found)}"
        yield from terms([(key, facts)])
