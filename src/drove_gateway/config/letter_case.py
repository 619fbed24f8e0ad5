"""Keys in another case, which the original's TOML reader accepts too."""

from collections.abc import Iterator, Mapping

import msgspec

from drove_gateway.config.draft import Draft, Location, Notice, tables
from drove_gateway.config.legacy import DEPRECATED, SINGLE_NAMESPACE
from drove_gateway.config.sentences import keys_of
from drove_gateway.config.settings import NamespaceSettings, Settings


def lowered(draft: Draft) -> Draft:
    """Return the configuration with every known key in lower case, and a notice for each change."""
    known = {*keys_of(Settings), *DEPRECATED, *SINGLE_NAMESPACE}
    values, notices = _table(draft, (), draft.values, known)
    found = []
    for index, table in enumerate(tables(values)):
        written = msgspec.structs.replace(draft, values=values)
        namespace, more = _table(
            written, ("namespaces", index), table, {*keys_of(NamespaceSettings)}
        )
        found.append(namespace)
        notices += more
    if found:
        values["namespaces"] = found
    return msgspec.structs.replace(draft, values=values, notices=(*draft.notices, *notices))


def _table(
    draft: Draft, location: Location, table: Mapping[str, object], known: set[str]
) -> tuple[dict[str, object], list[Notice]]:
    """Return `table` in lower case. If a key exists in both cases, the lower case is used."""
    others = dict(_others(table, known))
    values = {key: value for key, value in table.items() if key not in others}
    notices = []
    for key, name in others.items():
        where = (*location, key)
        if name in values:
            notices.append(draft.warning(where, f"has no effect, because {name} is set too"))
        else:
            notices.append(draft.warning(where, f"is read as {name}; write {name}"))
            values[name] = table[key]
    return values, notices


def _others(table: Mapping[str, object], known: set[str]) -> Iterator[tuple[str, str]]:
    for key in table:
        if key not in known and key.lower() in known:
            yield key, key.lower()
