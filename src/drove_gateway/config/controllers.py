"""The controllers of a namespace as the original accepts them: none, empty, with credentials."""

from typing import cast
from urllib.parse import unquote, urlsplit

from drove_gateway.config.draft import Draft, Location, Problem, tables

_Credentials = tuple[str, str]

_NONE = "no controller is configured, so nothing of this namespace is served"
_USED = "contains a user and password, which are used as user and pass; write them there instead"
_UNUSED = "contains a user and password, which have no effect, because {key} is set"
_DIFFERENT = (
    "contains another user or password than the URL before it; a namespace has one user, so set "
    "user and pass"
)


def with_controllers(draft: Draft) -> Draft:
    """Return the draft with plain URLs in every namespace that has a list of them, or no list.

    Credentials in URLs become `user` and `pass` of the namespace, and an empty URL is left out;
    both cause a warning. Credentials that differ between URLs are a problem.
    """
    for index, table in enumerate(tables(draft.values)):
        if isinstance(table.get("drove", []), list):
            draft = _with_credentials(_without_empty(draft, index), index)
    return draft


def _without_empty(draft: Draft, index: int) -> Draft:
    table = tables(draft.values)[index]
    urls = cast("list[object]", table.get("drove", []))
    named = [url for url in urls if not (isinstance(url, str) and not url.strip())]
    location: Location = ("namespaces", index, "drove")
    draft = draft.with_table(index, {**table, "drove": named})
    if not named:
        return draft.noticed(draft.warning(location, _NONE))
    if len(named) < len(urls):
        return draft.noticed(draft.warning(location, "an empty URL is left out"))
    return draft


def _with_credentials(draft: Draft, index: int) -> Draft:
    table = tables(draft.values)[index]
    urls = cast("list[object]", table["drove"])
    split = [_split(url) for url in urls]
    found = {place: credentials for place, (_, credentials) in enumerate(split) if credentials}
    if not found:
        return draft
    first, *others = found
    location: Location = ("namespaces", index, "drove")
    changed = {**table, "drove": [url for url, _ in split]}
    if used := next((key for key in ("access_token", "user") if table.get(key)), None):
        notice = draft.warning((*location, first), _UNUSED.format(key=used))
        return draft.with_table(index, changed).noticed(notice)
    for place in others:
        if found[place] != found[first]:
            problem = Problem(draft.label((*location, place)), _DIFFERENT)
            return draft.with_table(index, changed).with_problem(problem)
    user, password = found[first]
    notice = draft.warning((*location, first), _USED)
    return draft.with_table(index, {**changed, "user": user, "pass": password}).noticed(notice)


def _split(url: object) -> tuple[object, _Credentials | None]:
    """Return the URL without credentials, and these, with their percent-encoding resolved."""
    if not isinstance(url, str):
        return url, None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url, None
    credentials, at, address = parts.netloc.rpartition("@")
    if not at or parts.scheme not in {"http", "https"}:
        return url, None
    user, _, password = credentials.partition(":")
    return parts._replace(netloc=address).geturl(), (unquote(user), unquote(password))
