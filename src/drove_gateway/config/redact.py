"""The settings as they may be shown: in `/v1/config`, in logs, in a support request."""

from pydantic import JsonValue

from drove_gateway.config.declared_secrets import (
    HIDDEN,
    is_secret_name,
    without_declared_secrets,
)
from drove_gateway.config.sentences import secrets_of
from drove_gateway.config.settings import NamespaceSettings, Settings


def public(settings: Settings) -> dict[str, JsonValue]:
    """Return every key of nixy.toml with its value, for JSON, without secrets.

    Hidden are the secret keys, the values of `[template]` whose names say that they are secret,
    and what any other text declares to be secret, such as the password in a URL.
    """
    shown = settings.model_dump(mode="json", by_alias=True)
    _hide(shown, secrets_of(Settings))
    _hide(shown["template"], frozenset(filter(is_secret_name, shown["template"])))
    for namespace in shown["namespaces"]:
        _hide(namespace, secrets_of(NamespaceSettings))
        # It has no effect in a namespace and would be misleading.
        del namespace["event_refresh_interval_sec"]
    return {key: _without_declared(value) for key, value in shown.items()}


def _hide(table: dict[str, JsonValue], secrets: frozenset[str]) -> None:
    for key in secrets:
        table[key] = HIDDEN if table[key] else ""


def _without_declared(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return without_declared_secrets(value)
        case list():
            return [_without_declared(item) for item in value]
        case dict():
            return {key: _without_declared(item) for key, item in value.items()}
    return value
