"""A key's type, default and meaning in words, for the references of the configuration."""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue


def meaning_of(found: Mapping[str, JsonValue]) -> str:
    """Return the description of a key, with its example."""
    meaning = str(found["description"])
    examples = found.get("examples")
    if isinstance(examples, list):
        meaning += f" Example: `{_toml(examples[0])}`."
    return meaning


def default_of(found: Mapping[str, JsonValue]) -> str:
    """Return the default of a key, or "required" or "none"."""
    if "default" not in found:
        return "required"
    default = found["default"]
    return "none" if default is None else f"`{_toml(default)}`"


def _toml(value: JsonValue) -> str:
    """`value` in TOML, which is as in JSON except for a whole number of seconds."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def type_of(found: Mapping[str, JsonValue]) -> str:
    """The type of the key in words: "integer, 0 or more"; "seconds, more than 0"."""
    variants = found.get("anyOf")
    if isinstance(variants, list) and isinstance(variants[0], dict):
        return type_of(variants[0])
    if isinstance(values := found.get("enum"), list):
        return " or ".join(f"`{_toml(value)}`" for value in values)
    kind = found["type"]
    words = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    words = {"array": "list of strings", "object": "table"}.get(words, words)
    words = "seconds" if found.get("format") == "seconds" else words
    return ", ".join([words, *_bounds(found)])


def _bounds(found: Mapping[str, JsonValue]) -> Iterator[str]:
    if "exclusiveMinimum" in found:
        yield f"more than {found['exclusiveMinimum']:g}"
    if "minimum" in found and "maximum" in found:
        yield f"{found['minimum']:g} to {found['maximum']:g}"
    elif "minimum" in found:
        yield f"{found['minimum']:g} or more"
    elif "maximum" in found:
        yield f"at most {found['maximum']:g}"
