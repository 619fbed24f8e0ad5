"""Keys in another case: the original's TOML reader takes them, so they are taken here too."""

from collections.abc import Iterator, Mapping

import msgspec

from drove_gateway.config.draft import Draft, Location, Notice, tables
from drove_gateway.config.legacy import DEPRECATED, SINGLE_NAMESPACE
from drove_gateway.config.sentences import keys_of
from drove_gateway.config.settings import NamespaceSettings, Settings


def lowered(draft: Draft) -> Draft:
    """The same configuration with every known key in lower case; each other case is told."""
    known = {*keys_of(Settings), *DEPRECATED, *SINGLE_NAMESPACE}
    values, notices = _table(draft, (), draft.values, known)
    found = []
    for index, table in enumerate(tables(values)):
        written = msgspec.structs.replace(draft, values=values)
        one, more = _table(written, ("namespaces", index), table, {*keys_of(NamespaceSettings)})
        found.append(one)
        notices += more
    if found:
        values["namespaces"] = found
    return msgspec.structs.replace(draft, values=values, notices=(*draft.notices, *notices))


def _table(
    draft: Draft, location: Location, table: Mapping[str, object], known: set[str]
) -> tuple[dict[str, object], list[Notice]]:
    """`table` in lower case. A key that stands there in both cases counts as it should be."""
    others = dict(_others(table, known))
    values = {key: value for key, value in table.items() if key not in others}
    notices = []
    for key, name in others.items():
        label = draft.label((*location, key))
        if name in values:
            notices.append(Notice("warning", f"{label}: has no effect, since {name} is set too"))
        else:
            notices.append(Notice("warning", f"{label}: is taken as {name}; write it so"))
            values[name] = table[key]
    return values, notices


def _others(table: Mapping[str, object], known: set[str]) -> Iterator[tuple[str, str]]:
    for key in table:
        if key not in known and key.lower() in known:
            yield key, key.lower()
