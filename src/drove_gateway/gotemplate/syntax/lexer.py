"""Text to tokens, by the rules of Go's text/template/parse.

The lexer works on demand, one token at a time, since what the parser has seen decides how some
words are read. An error is a token too: it stops the parser when, and only if, it gets there.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from drove_gateway.gotemplate.go.strconv import REPLACEMENT, is_surrogate, quote
from drove_gateway.gotemplate.syntax.tokens import Kind, Token

SPACE_CHARS: Final = " \t\r\n"
_SPACES: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r"[A-Za-z0-9_]*")
_HEX: Final = "0123456789abcdefABCDEF_"
_DECIMAL: Final = "0123456789_"


_KEYWORDS: Final = {
    "block": Kind.BLOCK,
    "break": Kind.BREAK,
    "continue": Kind.CONTINUE,
    "define": Kind.DEFINE,
    "else": Kind.ELSE,
    "end": Kind.END,
    "if": Kind.IF,
    "nil": Kind.NIL,
    "range": Kind.RANGE,
    "template": Kind.TEMPLATE,
    "with": Kind.WITH,
    "true": Kind.BOOL,
    "false": Kind.BOOL,
}

_SINGLE: Final = {"=": Kind.ASSIGN, "|": Kind.PIPE}


_State: TypeAlias = Callable[[], Token | None]


class Lexer:
    """Reads one source. `next` gives the next token, and `EOF` for ever after the last."""

    def __init__(self, source: str, delims: tuple[str, str], plain_words: frozenset[str]) -> None:
        """`plain_words` are keywords to be read as identifiers, since functions are so called."""
        self._source = source
        self._left, self._right = delims
        self._plain_words = plain_words
        self._pos = self._start = 0
        self._line = self._start_line = 1
        self._parens = 0
        self._inside = False
        self._special = self._specials()

    def next(self) -> Token:
        state: _State = self._lex_inside if self._inside else self._lex_text
        while True:
            token = state()
            if token is not None:
                return token
            state = self._lex_text

    def _token(self, kind: Kind) -> Token:
        value = self._source[self._start : self._pos]
        token = Token(kind, self._start, value, self._start_line)
        if "\n" in value:
            self._line += value.count("\n")
        self._start = self._pos
        self._start_line = self._line
        return token

    def _skip(self) -> None:
        self._line += self._source.count("\n", self._start, self._pos)
        self._start = self._pos
        self._start_line = self._line

    def _error(self, message: str) -> Token:
        token = Token(Kind.ERROR, self._start, message, self._start_line)
        self._source = ""
        self._start = self._pos = 0
        return token

    def _peek(self) -> str:
        return self._source[self._pos : self._pos + 1]

    # Text

    def _lex_text(self) -> Token | None:
        found = self._source.find(self._left, self._pos)
        if found < 0:
            self._pos = len(self._source)
            return self._token(Kind.TEXT if self._pos > self._start else Kind.EOF)
        if found > self._pos:
            return self._lex_text_until(found)
        return self._lex_left_delim()

    def _lex_text_until(self, found: int) -> Token | None:
        self._pos = found
        if self._is_left_trim(found + len(self._left)):
            before = self._source[self._start : found]
            self._pos = self._start + len(before.rstrip(SPACE_CHARS))
        token = self._token(Kind.TEXT)
        self._pos = found
        self._skip()
        return token if token.value else self._lex_left_delim()

    def _is_left_trim(self, at: int) -> bool:
        return self._source.startswith("-", at) and self._is_space(at + 1)

    def _is_right_trim(self, at: int) -> bool:
        return self._is_space(at) and self._source.startswith("-", at + 1)

    def _is_space(self, at: int) -> bool:
        return 0 <= at < len(self._source) and self._source[at] in SPACE_CHARS

    def _lex_left_delim(self) -> Token | None:
        self._pos += len(self._left)
        marker = 2 if self._is_left_trim(self._pos) else 0
        if self._source.startswith("/*", self._pos + marker):
            self._pos += marker
            self._skip()
            return self._lex_comment()
        token = self._token(Kind.LEFT_DELIM)
        self._inside = True
        self._pos += marker
        self._skip()
        self._parens = 0
        return token

    def _lex_comment(self) -> Token | None:
        end = self._source.find("*/", self._pos + 2)
        if end < 0:
            return self._error("unclosed comment")
        self._pos = end + 2
        trims = self._right_delim()
        if trims is None:
            return self._error("comment ends before closing delimiter")
        self._pass_right_delim(trims)
        self._skip()
        return None

    def _right_delim(self) -> bool | None:
        """Whether the delimiter that stands here trims; `None` where none stands."""
        if self._is_right_trim(self._pos) and self._source.startswith(self._right, self._pos + 2):
            return True
        return False if self._source.startswith(self._right, self._pos) else None

    def _pass_right_delim(self, trims: bool) -> None:
        self._pos += len(self._right) + (2 if trims else 0)
        if trims:
            self._pos = self._end_of_space()

    def _end_of_space(self) -> int:
        spaces = _SPACES.match(self._source, self._pos)
        return spaces.end() if spaces else self._pos

    # Actions

    def _lex_inside(self) -> Token:
        trims = self._right_delim()
        if trims is not None:
            return self._error("unclosed left paren") if self._parens else self._lex_end(trims)
        char = self._peek()
        if not char:
            return self._error("unclosed action")
        if char in SPACE_CHARS:
            return self._lex_space()
        special = self._special.get(char)
        if special is not None:
            return special()
        if char.isalpha() or char.isdecimal() or char == "_":
            return self._lex_number() if char in _DECIMAL[:10] else self._lex_word()
        return self._lex_char(char)

    def _specials(self) -> dict[str, Callable[[], Token]]:
        return {
            ":": self._lex_declare,
            '"': lambda: self._lex_quoted('"', Kind.STRING, "unterminated quoted string"),
            "'": lambda: self._lex_quoted(
                "'", Kind.CHAR_CONSTANT, "unterminated character constant"
            ),
            "`": self._lex_raw,
            "$": self._lex_variable,
            ".": self._lex_dot,
            "+": self._lex_number,
            "-": self._lex_number,
            "(": lambda: self._lex_paren(Kind.LEFT_PAREN, 1),
            ")": lambda: self._lex_paren(Kind.RIGHT_PAREN, -1),
        }

    def _lex_end(self, trims: bool) -> Token:
        if trims:
            self._pos += 2
            self._skip()
        self._pos += len(self._right)
        token = self._token(Kind.RIGHT_DELIM)
        if trims:
            self._pos = self._end_of_space()
            self._skip()
        self._inside = False
        return token

    def _lex_space(self) -> Token:
        end = self._end_of_space()
        if self._is_right_trim(end - 1) and self._source.startswith(self._right, end + 1):
            if end - self._pos == 1:
                return self._lex_end(trims=True)
            end -= 1  # the last space belongs to the delimiter
        self._pos = end
        return self._token(Kind.SPACE)

    def _lex_char(self, char: str) -> Token:
        self._pos += 1
        if char in _SINGLE:
            return self._token(_SINGLE[char])
        if char.isascii() and char.isprintable():
            return self._token(Kind.CHAR)
        return self._error(f"unrecognized character in action: {_unicode(char)}")

    def _lex_declare(self) -> Token:
        self._pos += 2
        if not self._source.startswith("=", self._pos - 1):
            return self._error("expected :=")
        return self._token(Kind.DECLARE)

    def _lex_paren(self, kind: Kind, change: int) -> Token:
        self._pos += 1
        self._parens += change
        if self._parens < 0:
            return self._error("unexpected right paren")
        return self._token(kind)

    def _lex_quoted(self, mark: str, kind: Kind, problem: str) -> Token:
        at = self._pos + 1
        while True:
            char = self._source[at : at + 1]
            if char == "\\":
                at += 1
                char = self._source[at : at + 1]
                if char not in {"", "\n"}:
                    at += 1
                    continue
            if char in {"", "\n"}:
                return self._error(problem)
            at += 1
            if char == mark:
                self._pos = at
                return self._token(kind)

    def _lex_raw(self) -> Token:
        end = self._source.find("`", self._pos + 1)
        if end < 0:
            return self._error("unterminated raw quoted string")
        self._pos = end + 1
        return self._token(Kind.RAW_STRING)

    def _lex_dot(self) -> Token:
        follower = self._source[self._pos + 1 : self._pos + 2]
        if not follower or follower in _DECIMAL[:10]:
            return self._lex_number()
        self._pos += 1
        if self._at_terminator():
            return self._token(Kind.DOT)
        return self._lex_name(Kind.FIELD)

    def _lex_variable(self) -> Token:
        self._pos += 1
        if self._at_terminator():
            return self._token(Kind.VARIABLE)
        return self._lex_name(Kind.VARIABLE)

    def _lex_name(self, kind: Kind) -> Token:
        self._pass_word()
        if not self._at_terminator():
            return self._error(f"bad character {_unicode(self._peek())}")
        return self._token(kind)

    def _lex_word(self) -> Token:
        self._pass_word()
        if not self._at_terminator():
            return self._error(f"bad character {_unicode(self._peek())}")
        word = self._source[self._start : self._pos]
        if word in self._plain_words:
            return self._token(Kind.IDENTIFIER)
        return self._token(_KEYWORDS.get(word, Kind.IDENTIFIER))

    def _pass_word(self) -> None:
        source = self._source
        word = _WORD.match(source, self._pos)
        at = word.end() if word else self._pos
        while at < len(source) and _is_alphanumeric(source[at]):
            at += 1
        self._pos = at

    def _at_terminator(self) -> bool:
        char = self._peek()
        if not char or char in SPACE_CHARS or char in ".,|:)(":
            return True
        return self._source.startswith(self._right, self._pos)

    # Numbers

    def _lex_number(self) -> Token:
        kind = Kind.NUMBER
        good = self._scan_number()
        if good and self._peek() in {"+", "-"}:
            kind = Kind.COMPLEX
            good = self._scan_number() and self._source[self._pos - 1] == "i"
        if not good:
            number = self._source[self._start : self._pos]
            return self._error(f"bad number syntax: {quote(number)}")
        return self._token(kind)

    def _scan_number(self) -> bool:
        self._accept("+-")
        digits = _DECIMAL
        if self._accept("0"):
            if self._accept("xX"):
                digits = _HEX
            elif self._accept("oO"):
                digits = "01234567_"
            elif self._accept("bB"):
                digits = "01_"
        self._accept_run(digits)
        if self._accept("."):
            self._accept_run(digits)
        exponent = {_DECIMAL: "eE", _HEX: "pP"}.get(digits, "")
        if exponent and self._accept(exponent):
            self._accept("+-")
            self._accept_run(_DECIMAL)
        self._accept("i")
        if _is_alphanumeric(self._peek()):
            self._pos += 1
            return False
        return True

    def _accept(self, valid: str) -> bool:
        char = self._peek()
        if char and char in valid:
            self._pos += 1
            return True
        return False

    def _accept_run(self, valid: str) -> None:
        while self._accept(valid):
            pass


def _is_alphanumeric(char: str) -> bool:
    return char.isalpha() or char.isdecimal() or char == "_"


def _unicode(char: str) -> str:
    """A character as Go's ``%#U`` prints it."""
    if is_surrogate(char):
        char = REPLACEMENT
    shown = f" '{char}'" if char.isprintable() else ""
    return f"U+{ord(char):04X}{shown}"
