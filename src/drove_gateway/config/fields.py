"""The types of the keys: constraints on values beyond text, number and boolean.

A validator raises `ValueError` with a sentence that follows "KEY = VALUE: ".
"""

import re
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    WithJsonSchema,
)

from drove_gateway.config import addresses


class Section(BaseModel):
    """A group of keys. Frozen; values keep their TOML types, without conversions."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        populate_by_name=True,
        hide_input_in_errors=True,
    )


def _port(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError("must be a port from 0 to 65535, as a number or in quotes")
    return value


def log_level(value: object) -> object:
    """Return a level's name as it is spelled here; anything else as it is, but in lower case."""
    lowered = value.lower() if isinstance(value, str) else value
    return "warn" if lowered == "warning" else lowered


def _socket_address(value: str) -> str:
    value = value.strip()
    if value:
        addresses.socket_address(value)
    return value


def _unix_path(value: str) -> str:
    if value and not isinstance(addresses.socket_address(value), addresses.UnixSocket):
        raise ValueError("must be the path of a Unix socket")
    return value


def _one_line(value: str) -> str:
    if ";" in value or any(character < " " or character == "\x7f" for character in value):
        raise ValueError("must be one line without ';', which would end the runtime command")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable text, as templates write it out")
    return value


def _name_part(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:-]*", value):
        raise ValueError("must consist of letters, digits and _ . : - only, as HAProxy's names are")
    return value


def _token(value: SecretStr) -> SecretStr:
    if any(not "!" <= character <= "~" for character in value.get_secret_value()):
        raise ValueError(
            "must consist of visible ASCII characters without blanks, to fit into a header"
        )
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


_SECONDS: dict[str, JsonValue] = {"format": "seconds"}

Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False, json_schema_extra=_SECONDS)]
"""A positive duration in seconds; fractions are allowed."""

SecondsOrNone: TypeAlias = Annotated[
    float, Field(ge=0, allow_inf_nan=False, json_schema_extra=_SECONDS)
]
"""A duration in seconds, where 0 means immediately."""

Share: TypeAlias = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
"""A share: 1 is everything."""

Port: TypeAlias = Annotated[
    int,
    BeforeValidator(_port),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": "^[0-9]+$", "minimum": 0, "maximum": 65535}
    ),
]
_LogLevel: TypeAlias = Literal["debug", "info", "warn", "error"]
LogLevel: TypeAlias = Annotated[_LogLevel, BeforeValidator(log_level)]
LOG_LEVELS: tuple[str, ...] = get_args(_LogLevel)
ProxyPlatform: TypeAlias = Literal["nginx", "haproxy"]
Name: TypeAlias = Annotated[str, AfterValidator(_not_blank)]
Token: TypeAlias = Annotated[SecretStr, AfterValidator(_token)]
NginxTime: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]+s$")]
NginxPlusAddress: TypeAlias = Annotated[str, AfterValidator(addresses.nginx_plus_address)]
SocketAddressText: TypeAlias = Annotated[str, AfterValidator(_socket_address)]
UnixSocketPath: TypeAlias = Annotated[str, AfterValidator(_unix_path)]
HaproxyNamePart: TypeAlias = Annotated[str, AfterValidator(_name_part)]
PrintableLine: TypeAlias = Annotated[str, AfterValidator(_printable)]
HaproxyServerOptions: TypeAlias = Annotated[str, AfterValidator(_one_line)]
ControllerUrls: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(addresses.controller_url)], ...],
    Field(strict=False),
]
