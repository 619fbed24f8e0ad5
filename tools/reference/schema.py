"""The JSON schema of nixy.toml, for editors that complete and check TOML files."""

from pydantic import JsonValue

from drove_gateway.config.fields import Section
from drove_gateway.config.legacy import DEPRECATED, SINGLE_NAMESPACE
from drove_gateway.config.settings import Settings


def schema() -> dict[str, JsonValue]:
    """The schema of the whole file, deprecated keys included."""
    whole = Settings.model_json_schema()
    properties = _plain(whole["properties"])
    namespace = whole["$defs"]["NamespaceSettings"]
    namespace["properties"] = _plain(namespace["properties"])
    for old, new in DEPRECATED.items():
        properties[old] = {**properties[new], "deprecated": True}
    for key in SINGLE_NAMESPACE:
        properties[key] = {**namespace["properties"][key], "deprecated": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nixy.toml",
        "description": "The configuration of drove-gateway.",
        **{key: whole[key] for key in ("type", "additionalProperties", "$defs")},
        "properties": properties,
    }


def properties_of(section: type[Section]) -> dict[str, dict[str, JsonValue]]:
    """The schema of each key of a section."""
    return _plain(section.model_json_schema()["properties"])


def _plain(properties: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    """`properties` without the titles, which pydantic derives from the names."""
    return {
        key: {word: value for word, value in found.items() if word != "title"}
        for key, found in properties.items()
    }
