"""Text for terminals: what Drove, a proxy or a gateway sent must not command them."""

_KEPT = frozenset("\n\t")


def printable(text: str) -> str:
    """`text` with a mark in place of what a terminal would obey, or cannot show."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _KEPT else "�" for one in text)
