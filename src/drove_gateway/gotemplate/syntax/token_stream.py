"""Tokens in the order in which the parser wants them, and the errors that name their lines."""

from collections.abc import Container
from typing import Never

from drove_gateway.gotemplate.errors import TemplateSyntaxError
from drove_gateway.gotemplate.syntax.lexer import Lexer
from drove_gateway.gotemplate.syntax.tokens import Kind, Token


class TokenStream:
    """Reads tokens from a lexer, and takes back up to three of them.

    `file` is the name that errors show. `action_line` is the line on which the current action
    began, 0 outside of actions.
    """

    def __init__(self, lexer: Lexer, file: str) -> None:
        self.file = file
        self.action_line = 0
        self._lexer = lexer
        # Up to three tokens to read again, the next token last, as Go holds them: errors name the
        # line of `_tokens[0]`.
        self._tokens = [Token(Kind.ERROR, 0, "", 0)] * 3
        self._pending = 0

    def nested(self) -> "TokenStream":
        """Return a stream of the tokens that this stream has not read yet."""
        return TokenStream(self._lexer, self.file)

    def next(self) -> Token:
        if self._pending:
            self._pending -= 1
        else:
            self._tokens[0] = self._lexer.next()
        return self._tokens[self._pending]

    def peek(self) -> Token:
        if self._pending:
            return self._tokens[self._pending - 1]
        self._pending = 1
        self._tokens[0] = self._lexer.next()
        return self._tokens[0]

    def back(self) -> None:
        """Take back the token that was read last."""
        self._pending += 1

    def back2(self, first: Token) -> None:
        """Take back `first`, and the token that was read after it."""
        self._tokens[1] = first
        self._pending = 2

    def back3(self, first: Token, second: Token) -> None:
        """Take back `first`, `second`, and the token that was read after them."""
        self._tokens[1] = second
        self._tokens[2] = first
        self._pending = 3

    def next_non_space(self) -> Token:
        token = self.next()
        while token.kind is Kind.SPACE:
            token = self.next()
        return token

    def peek_non_space(self) -> Token:
        token = self.next_non_space()
        self.back()
        return token

    def expect(self, kinds: Container[Kind], context: str) -> Token:
        """Return the next token, which must be of these kinds. Raises `TemplateSyntaxError`."""
        token = self.next_non_space()
        if token.kind not in kinds:
            self.unexpected(token, context)
        return token

    def fail(self, message: str) -> Never:
        """Raise `TemplateSyntaxError` for the current line."""
        line = self._tokens[0].line
        raise TemplateSyntaxError(
            f"template: {self.file}:{line}: {message}", name=self.file, line=line
        )

    def unexpected(self, token: Token, context: str) -> Never:
        """Raise `TemplateSyntaxError` for a token that may not come here, or that is an error."""
        if token.kind is not Kind.ERROR:
            self.fail(f"unexpected {token} in {context}")
        started = ""
        if self.action_line not in {0, token.line}:
            joint = "" if token.value.endswith(" action") else " in action"
            started = f"{joint} started at {self.file}:{self.action_line}"
        self.fail(f"{token}{started}")
