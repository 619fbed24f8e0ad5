"""Older files: deprecated names, the form before namespaces, and malformed times.

The original still accepts all of this; each use causes a notice that says what to write instead.
"""

import re

import msgspec

from drove_gateway.config.draft import Draft, Label, Location, Notice, quoted

DEPRECATED = {
    "maxfailsupstream": "nginx_max_fails",
    "failtimeoutupstream": "nginx_fail_timeout",
    "slowstartupstream": "nginx_slow_start",
}
"""Deprecated keys and their replacements."""

SINGLE_NAMESPACE = (
    "drove",
    "user",
    "pass",
    "access_token",
    "realm",
    "realm_suffix",
    "routing_tag",
    "leader_vhost",
)
"""Keys that were at top level when a gateway served a single cluster."""

_TIMES = ("nginx_fail_timeout", "nginx_slow_start")


def modernise(draft: Draft) -> Draft:
    """Return the configuration with current names and form."""
    return _namespaces(_times(_names(draft)))


def _names(draft: Draft) -> Draft:
    values = dict(draft.values)
    labels: dict[Location, Label] = dict(draft.labels)
    notices = list(draft.notices)
    for old, new in DEPRECATED.items():
        if old not in values:
            continue
        wins = f", and wins over {new}, which is set too" if new in values else ""
        text = f"is deprecated{wins}; use {new} instead"
        notices.append(draft.warning((old,), text))
        labels[(new,)] = draft.label((old,))
        values[new] = values.pop(old)
    return msgspec.structs.replace(draft, values=values, labels=labels, notices=tuple(notices))


def _times(draft: Draft) -> Draft:
    values = dict(draft.values)
    notices = list(draft.notices)
    for key in _TIMES:
        value = values.get(key)
        if isinstance(value, str) and not re.fullmatch(r"[0-9]+s", value):
            label = draft.label((key,))
            text = f'{label} = {quoted(value)}: must be digits and s, such as "10s"'
            notices.append(Notice("error", f'{text}; "0s" is used instead', label.line))
            values[key] = "0s"
    return msgspec.structs.replace(draft, values=values, notices=tuple(notices))


def _namespaces(draft: Draft) -> Draft:
    old = [key for key in SINGLE_NAMESPACE if key in draft.values]
    if not old:
        return draft
    if "namespaces" in draft.values:
        text = "has no effect beside [[namespaces]]; move it into a table, or remove it"
        values = {key: value for key, value in draft.values.items() if key not in old}
        return draft.with_values(values, *(draft.warning((key,), text) for key in old))
    return _single_namespace(draft, old)


def _single_namespace(draft: Draft, old: list[str]) -> Draft:
    table = {"name": "default", **{key: draft.values[key] for key in old}}
    values = {key: value for key, value in draft.values.items() if key not in old}
    labels: dict[Location, Label] = dict(draft.labels)
    labels |= {("namespaces", 0, key): draft.label((key,)) for key in SINGLE_NAMESPACE}
    text = (
        f"{draft.source}: {', '.join(old)}: are deprecated at top level and read as namespace "
        '"default"; write [[namespaces]] and name = "default" above them, at the end of the file'
    )
    first = min(draft.label((key,)).line for key in old)
    return msgspec.structs.replace(
        draft,
        values={**values, "namespaces": [table]},
        labels=labels,
        notices=(*draft.notices, Notice("warning", text, first)),
    )
