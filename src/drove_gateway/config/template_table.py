"""The `[template]` table: values that a template reads as `.Vars.NAME`."""

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from drove_gateway.config.fields import Section

_name = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch


def _variables(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must be a table; begin it with [template]")  # noqa: TRY004 - for pydantic
    return {name: _text(name, value[name]) for name in sorted(value)}


def _text(name: str, value: object) -> str:
    if not _name(name):
        raise ValueError(f"{name!r} must consist of letters, digits and _ to be read as .Vars.NAME")
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str | int | float):
        raise ValueError(f"{name} must be text, a number or a boolean")  # noqa: TRY004
    if not (text := str(value)).isprintable():
        raise ValueError(f"{name} must be one line of printable text")
    return text


TemplateVariables: TypeAlias = Annotated[
    Mapping[str, str],
    BeforeValidator(_variables),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "integer", "number", "boolean"]},
        }
    ),
]


class TemplateTable(Section):
    """Values for the template."""

    template: TemplateVariables = Field(
        default={},
        description="Values that the template reads as `.Vars.NAME`, in a `[template]` table: "
        '`PROXY_HTTP_PORT = 8080`. `true` is `"on"` and `false` is `"off"`. An environment '
        "variable of the same name wins. [The page on templates](../templates.md#settings-of-the-"
        "shipped-templates) lists what the shipped templates read.",
    )
