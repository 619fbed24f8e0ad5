"""Which apps are fetched: those with certain names, or everything. Pure."""

from collections.abc import Iterable
from typing import Final, TypeAlias
from urllib.parse import quote

Scope: TypeAlias = frozenset[str] | None
"""The names of the apps to fetch, or None for everything."""

EVERYTHING: Final = None

# Controllers limit a request's head to 8 KB, names are free text, and quoting triples a byte.
_MOST_APPS = 100
_MOST_QUERY_BYTES = 4000


def scope_of(names: Iterable[str]) -> Scope:
    """Return a scope of `names`, or everything where they are too many for a request."""
    chosen = frozenset(names)
    if not chosen or "" in chosen or len(chosen) > _MOST_APPS:
        return EVERYTHING
    return chosen if len(query(chosen)) <= _MOST_QUERY_BYTES else EVERYTHING


def together(first: Scope, second: Scope) -> Scope:
    """Return the scope that covers both."""
    if first is None or second is None:
        return EVERYTHING
    return first if first == second else scope_of(first | second)


def query(names: Iterable[str]) -> str:
    """Return the query of `/v1/endpoints` for apps: `app=NAME&app=NAME2`."""
    return "&".join(f"app={quote(name, safe='', errors='replace')}" for name in sorted(names))


def scope_text(scope: Scope) -> str:
    """Return a scope for a log line."""
    return "everything" if scope is None else ",".join(sorted(scope))
