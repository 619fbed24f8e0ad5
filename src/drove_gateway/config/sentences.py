"""Error messages about values: "KEY = VALUE: what is allowed". Never the value of a secret."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from pydantic import SecretStr
from pydantic_core import ErrorDetails

from drove_gateway.config.declared_secrets import without_credentials, without_declared_secrets
from drove_gateway.config.draft import (
    Draft,
    Label,
    Location,
    Notice,
    Problem,
    shown,
    tables,
)
from drove_gateway.config.fields import Section
from drove_gateway.config.settings import NamespaceSettings, Settings

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is missing; every namespace requires it",
        "bool_type": "must be true or false, without quotes",
        "int_type": "must be a whole number, without quotes",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number, without quotes",
        "finite_number": "must be a finite number",
        "greater_than": "must be greater than {gt:g}",
        "greater_than_equal": "must be {ge:g} or more",
        "less_than_equal": "must be {le:g} or less",
        "literal_error": "must be {expected}",
        "string_type": "must be text in quotes",
        "string_pattern_mismatch": 'must be digits and s, such as "10s"',
        "tuple_type": 'must be a list of texts, such as ["http://controller1:10000"]',
        "value_error": "{error}",
    }
)
"""The message for each type of error that pydantic finds."""

UNEXPECTED = "cannot be used"
"""The message for any other type; a test ensures that no key needs it."""

_ADDRESSES = frozenset({"drove", "nginxplusapiaddr"})
"""Keys whose values may hold a password or a token, by mistake, beside the server's name."""


_SYNTAX: Mapping[str, str] = MappingProxyType(
    {
        "Illegal character '\\n'": "a quote is missing at the end of the text",
        "Illegal character '\\r'": "a quote is missing at the end of the text",
        "Unterminated string": "a quote is missing at the end of the text",
        "Invalid value": "this is not a value; text must be in quotes",
        "Expected '=' after a key in a key/value pair": "`=` and a value must follow the key",
        "Expected newline or end of document after a statement": "something follows the value; "
        "text must be in quotes as a whole",
        "Cannot overwrite a value": "the key or table stands here for the second time",
        "Unclosed array": "the list is not closed: `]` is missing, or a comma between two values",
    }
)
"""What the parser's messages mean, as far as people cannot guess it."""


def plain_syntax_error(message: str) -> str:
    """Return what is wrong with a file that is not TOML, given the parser's message."""
    if message.startswith("Cannot declare ('namespaces',)"):
        return "each cluster begins with [[namespaces]], in double brackets"
    if declared := re.fullmatch(r"Cannot declare \((.*)\) twice", message):
        table = ".".join(re.findall(r"'([^']*)'", declared[1]))
        return f"the table [{table}] stands here for the second time; add to the first"
    return _SYNTAX.get(message, message)


def keys_of(section: type[Section]) -> tuple[str, ...]:
    """Return the keys of a section as they are written in the file."""
    fields = section.model_fields.items()
    return tuple(str(field.validation_alias or name) for name, field in fields)


def secrets_of(section: type[Section]) -> frozenset[str]:
    """Return the secret keys of a section."""
    fields = section.model_fields.items()
    return frozenset(
        str(field.validation_alias or name)
        for name, field in fields
        if field.annotation is SecretStr
    )


_SECRETS = secrets_of(Settings) | secrets_of(NamespaceSettings)


def assignment(draft: Draft, location: Location, value: object) -> Label:
    """Return a value with its place, `nixy.toml: port = "6000"`; for a secret, only the place."""
    label = draft.label(location)
    key = next((part for part in reversed(location) if isinstance(part, str)), "")
    if key in _SECRETS:
        return label
    if isinstance(value, str):
        hidden = without_credentials if key in _ADDRESSES else without_declared_secrets
        value = hidden(value)
    return Label(f"{label} = {shown(value)}", label.line)


def refusal(draft: Draft, location: Location, error: ErrorDetails) -> Problem:
    """Return the problem with a value that pydantic rejects. `location` is that of the table."""
    location = (*location, *error["loc"])
    message = _SENTENCES.get(error["type"], UNEXPECTED).format(**error.get("ctx", {}))
    if error["type"] == "missing":
        return Problem(draft.label(location), message)
    if error["type"] == "literal_error":
        message = message.replace("'", '"')
        near = _nearest(error["input"], re.findall(r'"(.*?)"', message))
        message += f'; did you mean "{near}"?' if near else ""
    return Problem(assignment(draft, location, error["input"]), message)


def unknown_keys(draft: Draft) -> Iterator[Notice]:
    """Return a warning for each unknown key, with the most similar known key."""
    general, namespace = keys_of(Settings), keys_of(NamespaceSettings)
    for key in draft.values:
        if key not in general:
            hint = _hint(key, general, namespace, "belongs in a [[namespaces]] table")
            yield _unknown(draft, (), key, hint)
    for index, table in enumerate(tables(draft.values)):
        for key in table:
            if key not in namespace:
                hint = _hint(key, namespace, general, "belongs above the first [[namespaces]]")
                yield _unknown(draft, ("namespaces", index), key, hint)


def _unknown(draft: Draft, location: Location, key: str, hint: str) -> Notice:
    return draft.warning((*location, key), f"unknown key without effect{hint}")


def _hint(key: str, here: tuple[str, ...], elsewhere: tuple[str, ...], belongs: str) -> str:
    if key in elsewhere:
        return f"; it {belongs}"
    if near := _nearest(key, here):
        return f"; did you mean {near}?"
    if near := _nearest(key, elsewhere):
        return f"; did you mean {near}, which {belongs}?"
    return ""


def _nearest(value: object, known: tuple[str, ...] | list[str]) -> str | None:
    matches = get_close_matches(str(value).lower(), known, n=1, cutoff=0.7)
    return matches[0] if matches else None
