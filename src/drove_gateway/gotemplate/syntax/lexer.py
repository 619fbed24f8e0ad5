"""Text to tokens, by the rules of Go's text/template/parse.

The lexer works on demand, a token at a time, since what the parser has seen decides how some words
are read. An error is a token too: it stops the parser when, and only if, the parser gets there.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from drove_gateway.gotemplate.syntax.cursor import Cursor, is_alphanumeric, shown
from drove_gateway.gotemplate.syntax.numbers import number
from drove_gateway.gotemplate.syntax.tokens import KEYWORDS, Kind, Token

_SPACE: Final = " \t\r\n"
_SPACES: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r"[A-Za-z0-9_]*")
_DIGITS: Final = "0123456789"
_TERMINATORS: Final = _SPACE + ".,|:)("
_SINGLE: Final = {"=": Kind.ASSIGN, "|": Kind.PIPE}

_State: TypeAlias = Callable[[], Token | None]


class Lexer:
    """Reads a source. `next` returns the next token, and always `EOF` after the last."""

    def __init__(self, source: str, delims: tuple[str, str], plain_words: frozenset[str]) -> None:
        """`plain_words` are keywords to read as identifiers, since functions have these names."""
        self._cursor = Cursor(source)
        self._left, self._right = delims
        self._plain_words = plain_words
        self._parens = 0
        self._inside = False
        self._special = self._specials()

    def next(self) -> Token:
        """Return the next token."""
        state: _State = self._action if self._inside else self._text
        while True:
            token = state()
            if token is not None:
                return token
            state = self._text

    # Text

    def _text(self) -> Token | None:
        cursor = self._cursor
        start = cursor.source.find(self._left, cursor.position)
        if start < 0:
            cursor.position = len(cursor.source)
            return cursor.token(Kind.TEXT if cursor.is_past_start else Kind.EOF)
        if start > cursor.position:
            return self._text_until(start)
        return self._left_delim()

    def _text_until(self, delim: int) -> Token | None:
        cursor = self._cursor
        cursor.position = delim
        if self._is_left_trim(delim + len(self._left)):
            cursor.trim_token_end(_SPACE)
        token = cursor.token(Kind.TEXT)
        cursor.position = delim
        cursor.skip()
        return token if token.value else self._left_delim()

    def _left_delim(self) -> Token | None:
        cursor = self._cursor
        cursor.position += len(self._left)
        marker = 2 if self._is_left_trim(cursor.position) else 0
        if cursor.starts_with("/*", marker):
            cursor.position += marker
            cursor.skip()
            return self._comment()
        token = cursor.token(Kind.LEFT_DELIM)
        self._inside = True
        cursor.position += marker
        cursor.skip()
        self._parens = 0
        return token

    def _comment(self) -> Token | None:
        cursor = self._cursor
        end = cursor.source.find("*/", cursor.position + 2)
        if end < 0:
            return cursor.error("unclosed comment")
        cursor.position = end + 2
        trims = self._right_delim()
        if trims is None:
            return cursor.error("comment ends before closing delimiter")
        cursor.position += len(self._right) + (2 if trims else 0)
        if trims:
            cursor.position = self._end_of_space()
        cursor.skip()
        return None

    # Delimiters and space

    def _is_left_trim(self, at: int) -> bool:
        return self._cursor.source.startswith("-", at) and self._is_space(at + 1)

    def _is_right_trim(self, at: int) -> bool:
        return self._is_space(at) and self._cursor.source.startswith("-", at + 1)

    def _is_space(self, at: int) -> bool:
        return 0 <= at < len(self._cursor.source) and self._cursor.source[at] in _SPACE

    def _right_delim(self) -> bool | None:
        """Whether the delimiter that follows trims; `None` where no delimiter follows."""
        cursor = self._cursor
        if self._is_right_trim(cursor.position) and cursor.starts_with(self._right, 2):
            return True
        return False if cursor.starts_with(self._right) else None

    def _end_of_space(self) -> int:
        spaces = _SPACES.match(self._cursor.source, self._cursor.position)
        return spaces.end() if spaces else self._cursor.position

    # Actions

    def _action(self) -> Token:
        trims = self._right_delim()
        if trims is not None:
            return self._cursor.error("unclosed left paren") if self._parens else self._end(trims)
        char = self._cursor.peek()
        if not char:
            return self._cursor.error("unclosed action")
        if char in _SPACE:
            return self._space()
        special = self._special.get(char)
        if special is not None:
            return special()
        if is_alphanumeric(char):
            return number(self._cursor) if char in _DIGITS else self._word()
        return self._char(char)

    def _specials(self) -> dict[str, Callable[[], Token]]:
        return {
            ":": self._declare,
            '"': lambda: self._quoted('"', Kind.STRING, "unterminated quoted string"),
            "'": lambda: self._quoted("'", Kind.CHAR_CONSTANT, "unterminated character constant"),
            "`": self._raw,
            "$": self._variable,
            ".": self._dot,
            "+": lambda: number(self._cursor),
            "-": lambda: number(self._cursor),
            "(": lambda: self._paren(Kind.LEFT_PAREN, 1),
            ")": lambda: self._paren(Kind.RIGHT_PAREN, -1),
        }

    def _end(self, trims: bool) -> Token:
        cursor = self._cursor
        if trims:
            cursor.position += 2
            cursor.skip()
        cursor.position += len(self._right)
        token = cursor.token(Kind.RIGHT_DELIM)
        if trims:
            cursor.position = self._end_of_space()
            cursor.skip()
        self._inside = False
        return token

    def _space(self) -> Token:
        cursor = self._cursor
        end = self._end_of_space()
        if self._is_right_trim(end - 1) and cursor.source.startswith(self._right, end + 1):
            if end - cursor.position == 1:
                return self._end(trims=True)
            end -= 1  # the last space belongs to the delimiter
        cursor.position = end
        return cursor.token(Kind.SPACE)

    def _char(self, char: str) -> Token:
        self._cursor.position += 1
        if char in _SINGLE:
            return self._cursor.token(_SINGLE[char])
        if char.isascii() and char.isprintable():
            return self._cursor.token(Kind.CHAR)
        return self._cursor.error(f"unrecognized character in action: {shown(char)}")

    def _declare(self) -> Token:
        self._cursor.position += 2
        if not self._cursor.starts_with("=", -1):
            return self._cursor.error("expected :=")
        return self._cursor.token(Kind.DECLARE)

    def _paren(self, kind: Kind, change: int) -> Token:
        self._cursor.position += 1
        self._parens += change
        if self._parens < 0:
            return self._cursor.error("unexpected right paren")
        return self._cursor.token(kind)

    def _quoted(self, mark: str, kind: Kind, problem: str) -> Token:
        source, at = self._cursor.source, self._cursor.position + 1
        while True:
            char = source[at : at + 1]
            if char == "\\":
                at += 1
                char = source[at : at + 1]
                if char not in {"", "\n"}:
                    at += 1
                    continue
            if char in {"", "\n"}:
                return self._cursor.error(problem)
            at += 1
            if char == mark:
                self._cursor.position = at
                return self._cursor.token(kind)

    def _raw(self) -> Token:
        end = self._cursor.source.find("`", self._cursor.position + 1)
        if end < 0:
            return self._cursor.error("unterminated raw quoted string")
        self._cursor.position = end + 1
        return self._cursor.token(Kind.RAW_STRING)

    def _dot(self) -> Token:
        cursor = self._cursor
        following = cursor.source[cursor.position + 1 : cursor.position + 2]
        if not following or following in _DIGITS:
            return number(cursor)
        return self._name(Kind.DOT, Kind.FIELD)

    def _variable(self) -> Token:
        return self._name(Kind.VARIABLE, Kind.VARIABLE)

    def _name(self, alone: Kind, named: Kind) -> Token:
        """Read a dot or dollar, which is of another kind where a name follows."""
        self._cursor.position += 1
        if self._is_at_terminator():
            return self._cursor.token(alone)
        return self._pass_word() or self._cursor.token(named)

    def _word(self) -> Token:
        error = self._pass_word()
        if error is not None:
            return error
        word = self._cursor.passed
        plain = word in self._plain_words
        return self._cursor.token(Kind.IDENTIFIER if plain else KEYWORDS.get(word, Kind.IDENTIFIER))

    def _pass_word(self) -> Token | None:
        """Pass letters and digits; returns an error where something else follows directly."""
        cursor = self._cursor
        source = cursor.source
        word = _WORD.match(source, cursor.position)
        at = word.end() if word else cursor.position
        while at < len(source) and is_alphanumeric(source[at]):
            at += 1
        cursor.position = at
        if self._is_at_terminator():
            return None
        return cursor.error(f"bad character {shown(cursor.peek())}")

    def _is_at_terminator(self) -> bool:
        cursor = self._cursor
        char = cursor.source[cursor.position : cursor.position + 1]
        if not char or char in _TERMINATORS:
            return True
        return cursor.source.startswith(self._right, cursor.position)
