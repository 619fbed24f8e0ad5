"""What a controller sent, in a message: printable, on one line, short, and without secrets."""

from collections.abc import Callable
from typing import TypeAlias

from drove_gateway.model.wording import printable

Hide: TypeAlias = Callable[[str], str]
"""Takes the secrets out of a text."""

# A character has at most so many bytes in UTF-8.
_BYTES = 4

# Of this many characters the secrets are taken out before the text is cut to what is shown.
_LOOKED_AT = 4


def as_it_is(text: str) -> str:
    """Return `text`: nothing in it is secret."""
    return text


def excerpt(foreign: str | bytes, most: int = 120, hide: Hide = as_it_is) -> str:
    """Return the start of `foreign`, at most `most` characters, without anything unprintable.

    Secrets are taken out first: cut in two, they could not be recognised.
    """
    limit = _LOOKED_AT * most + 1
    if isinstance(foreign, bytes):
        foreign = foreign[: _BYTES * limit].decode(errors="replace")
    return printable(hide(foreign[:limit]), most)
