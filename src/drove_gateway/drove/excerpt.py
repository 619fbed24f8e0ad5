"""Foreign text in messages: printable, on one line, and short."""


def excerpt(foreign: str | bytes, most: int = 120) -> str:
    """The start of `foreign`, at most `most` characters, without anything unprintable.

    Blanks of every kind become one blank, other unprintable characters a question mark, so that
    what a controller sends can neither forge a log line nor colour a terminal.
    """
    start = foreign[: most * 4]
    text = start.decode(errors="replace") if isinstance(start, bytes) else start
    line = " ".join(text.split())
    clean = "".join(character if character.isprintable() else "?" for character in line)
    cut = len(clean) > most or len(foreign) > len(start)
    return clean[:most] + "…" if cut else clean
