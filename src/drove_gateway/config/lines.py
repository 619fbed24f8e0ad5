"""Find the line of each key in nixy.toml, which a parsed TOML document does not contain. Pure."""

import re
from collections.abc import Mapping

from drove_gateway.config.draft import Location

_HEADER = re.compile(r"\s*(\[\[?)\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*\]")
_KEY = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))\s*[.=]")
_LONG_TEXTS = ('"""', "'''")


def lines(text: str) -> Mapping[Location, int]:
    """Return the line numbers, from 1, of keys and tables in a valid document.

    A key in another case is listed in lower case too.
    """
    found: dict[Location, int] = {}
    table: Location = ()
    tables = 0
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
        elif header := _HEADER.match(line):
            brackets, name = header.groups()
            _note(found, (name,), number)
            table = (name.lower(), tables) if brackets == "[[" else (name.lower(),)
            tables += brackets == "[["
            _note(found, table, number)
        elif key := _KEY.match(line):
            _note(found, (*table, next(filter(None, key.groups()), "")), number)
            closing = next((mark for mark in _LONG_TEXTS if line.count(mark) == 1), "")
    return found


def _note(found: dict[Location, int], location: Location, number: int) -> None:
    found.setdefault(location, number)
    *table, last = location
    if isinstance(last, str):
        found.setdefault((*table, last.lower()), number)
