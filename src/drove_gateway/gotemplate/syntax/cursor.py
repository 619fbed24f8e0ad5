"""A position in a template's source, and the start of the token that is being read."""

from drove_gateway.gotemplate.go.strconv import REPLACEMENT, is_surrogate
from drove_gateway.gotemplate.syntax.tokens import Kind, Token


class Cursor:
    """Moves over a source and makes tokens of what it has passed.

    `position` is where it is; everything from the end of the last token up to there becomes the
    next token, or is skipped.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self._start = 0
        self._line = self._start_line = 1

    @property
    def passed(self) -> str:
        """The text since the last token."""
        return self.source[self._start : self.position]

    @property
    def is_past_start(self) -> bool:
        """Whether there is any text since the last token."""
        return self.position > self._start

    def token(self, kind: Kind) -> Token:
        """Make a token of the text since the last token."""
        value = self.source[self._start : self.position]
        token = Token(kind, self._start, value, self._start_line)
        if "\n" in value:
            self._line += value.count("\n")
        self._start = self.position
        self._start_line = self._line
        return token

    def skip(self) -> None:
        """Leave out the text since the last token."""
        self._line += self.source.count("\n", self._start, self.position)
        self._start = self.position
        self._start_line = self._line

    def error(self, message: str) -> Token:
        """Make a token of an error, and end the source."""
        token = Token(Kind.ERROR, self._start, message, self._start_line)
        self.source = ""
        self._start = self.position = 0
        return token

    def trim_token_end(self, characters: str) -> None:
        """Move back over such characters, but not beyond the start of the token."""
        self.position = self._start + len(self.passed.rstrip(characters))

    def peek(self) -> str:
        """Return the next character, empty at the end."""
        return self.source[self.position : self.position + 1]

    def starts_with(self, text: str, offset: int = 0) -> bool:
        """Whether `text` follows, `offset` characters further on."""
        return self.source.startswith(text, self.position + offset)

    def accept(self, valid: str) -> bool:
        """Pass the next character if it is in `valid`."""
        char = self.peek()
        if char and char in valid:
            self.position += 1
            return True
        return False

    def accept_run(self, valid: str) -> None:
        """Pass all characters up to the first that is not in `valid`."""
        while self.accept(valid):
            pass


def is_alphanumeric(char: str) -> bool:
    """Whether Go takes a character as a letter, a digit or an underscore; false if empty."""
    return char.isalpha() or char.isdecimal() or char == "_"


def shown(char: str) -> str:
    """Return a character as Go's ``%#U`` prints it."""
    if is_surrogate(char):
        char = REPLACEMENT
    printed = f" '{char}'" if char.isprintable() else ""
    return f"U+{ord(char):04X}{printed}"
