"""What a controller sent, in a message: printable, on one line, and short."""

from drove_gateway.model.wording import printable

# A character has at most so many bytes in UTF-8.
_BYTES = 4


def excerpt(foreign: str | bytes, most: int = 120) -> str:
    """Return the start of `foreign`, at most `most` characters, without anything unprintable."""
    if isinstance(foreign, bytes):
        foreign = foreign[: _BYTES * (most + 1)].decode(errors="replace")
    return printable(foreign, most)
