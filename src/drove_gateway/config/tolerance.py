"""Values without a usable meaning that the original starts with, each replaced with a warning.

The facts are the original's behaviour as it was recorded; see "What differs" on the migration page.
"""

from collections.abc import Mapping
from itertools import count

import msgspec

from drove_gateway.config.draft import Draft, Location, Notice, quoted, tables
from drove_gateway.config.fields import LOG_LEVELS, log_level
from drove_gateway.config.sentences import assignment
from drove_gateway.config.settings import Settings

INTERVALS: Mapping[str, float] = {
    "api_timeout": 10.0,
    "dns_resolution_timeout_sec": 2.0,
    "event_refresh_interval_sec": 2.0,
    "startup_controller_sync_tries": 2,
}
"""What the original uses instead of 0 or a negative number."""

_RETRY_DELAY = "startup_controller_sync_retry_delay_sec"
_RETRY_DELAY_OF_THE_ORIGINAL = 1.0

STATE_FILE = ("haproxy_manage_global_server_state_file", "haproxy_global_server_state_file_path")
TIME_LIMITS = ("proxy_control_plane_timeout_sec", "disk_io_timeout_sec")

_NOT_NEEDED: Mapping[tuple[str, str], str] = {
    STATE_FILE: "the configuration on disk always lists the newest servers, so a restart of "
    "HAProxy loads them without a server state file",
    TIME_LIMITS: "health reports a proxy that does not respond, and the state is written in the "
    "background",
}
"""Keys of newer versions of the original that are not needed here, and why."""


def with_defaults(draft: Draft) -> Draft:
    """Return the draft without empty texts whose default is another text: they mean the default."""
    values = {key: value for key, value in draft.values.items() if not _means_default(key, value)}
    return msgspec.structs.replace(draft, values=values)


def tolerant(draft: Draft) -> Draft:
    """Return the draft with usable values where the original accepts others."""
    for step in (_not_needed, _log_level, _intervals, _max_fails, _names):
        draft = step(draft)
    return draft


def _means_default(key: str, value: object) -> bool:
    field = Settings.model_fields.get(key)
    return value == "" and field is not None and (isinstance(field.default, str) or key == "port")


def _not_needed(draft: Draft) -> Draft:
    for keys, reason in _NOT_NEEDED.items():
        found = [key for key in keys if key in draft.values]
        if found:
            rest = f", and neither has {found[1]}" if found[1:] else ""
            notice = draft.warning((found[0],), f"has no effect{rest}: {reason}")
            values = {key: value for key, value in draft.values.items() if key not in found}
            draft = draft.with_values(values, notice)
    return draft


def _log_level(draft: Draft) -> Draft:
    written = draft.values.get("loglevel")
    if not isinstance(written, str) or log_level(written) in LOG_LEVELS:
        return draft
    level = "debug" if written.lower() == "trace" else "info"
    levels = ", ".join(LOG_LEVELS)
    return _replaced(draft, "loglevel", level, f'is read as "{level}"; the levels are {levels}')


def _intervals(draft: Draft) -> Draft:
    for key, instead in INTERVALS.items():
        if _is_not_an_interval(draft.values.get(key)):
            text = f"must be greater than 0; {instead:g} is used instead"
            draft = _replaced(draft, key, instead, text)
    delay = draft.values.get(_RETRY_DELAY)
    if _is_not_an_interval(delay) and delay != 0:
        instead = _RETRY_DELAY_OF_THE_ORIGINAL
        text = f"must be 0 or more; {instead:g} is used instead"
        draft = _replaced(draft, _RETRY_DELAY, instead, text)
    key = "event_refresh_interval_sec"  # in a namespace it has no effect
    for index, table in enumerate(tables(draft.values)):
        if _is_not_an_interval(table.get(key)):
            draft = draft.with_table(
                index, {name: value for name, value in table.items() if name != key}
            )
    return draft


def _is_not_an_interval(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= 0


def _max_fails(draft: Draft) -> Draft:
    value = draft.values.get("nginx_max_fails")
    if not isinstance(value, int) or isinstance(value, bool) or value >= 0:
        return draft
    return _replaced(draft, "nginx_max_fails", value, "is passed on, and NGINX refuses it")


def _replaced(draft: Draft, key: str, value: object, text: str) -> Draft:
    notice = _about(draft, (key,), draft.values[key], text)
    return draft.with_values({**draft.values, key: value}, notice)


def _about(draft: Draft, location: Location, value: object, text: str) -> Notice:
    label = assignment(draft, location, value)
    return Notice("warning", f"{label}: {text}", label.line)


def _names(draft: Draft) -> Draft:
    """Make the names of namespaces distinct; the first with a name keeps it."""
    names = [table.get("name") for table in tables(draft.values)]
    for index, name in enumerate(names):
        if isinstance(name, str) and name.strip() and name in names[:index]:
            numbered = (f"{name}_{number}" for number in count(2))
            distinct = next(each for each in numbered if each not in names)
            text = f"is the name of another namespace; this one is called {quoted(distinct)}"
            notice = _about(draft, ("namespaces", index, "name"), name, text)
            table = {**tables(draft.values)[index], "name": distinct}
            names[index] = distinct
            draft = draft.with_table(index, table).noticed(notice)
    return draft
