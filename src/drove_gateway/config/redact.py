"""The settings as they may be shown: in `/v1/config`, in logs, in a support request."""

from pydantic import JsonValue

from drove_gateway.config.sentences import secrets_of
from drove_gateway.config.settings import NamespaceSettings, Settings

HIDDEN = "***"
"""Shown instead of a secret that is set; a secret that is not set is shown as empty text."""


def public(settings: Settings) -> dict[str, JsonValue]:
    """Return every key of nixy.toml with its value, for JSON, without secrets."""
    shown = settings.model_dump(mode="json", by_alias=True)
    _hide(shown, secrets_of(Settings))
    for namespace in shown["namespaces"]:
        _hide(namespace, secrets_of(NamespaceSettings))
        # It has no effect in a namespace and would be misleading.
        del namespace["event_refresh_interval_sec"]
    return shown


def _hide(table: dict[str, JsonValue], secrets: frozenset[str]) -> None:
    for key in secrets:
        table[key] = HIDDEN if table[key] else ""
