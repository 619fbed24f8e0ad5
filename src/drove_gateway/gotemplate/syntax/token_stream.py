"""Tokens in the order in which the parser wants them, and the errors that name their lines."""

from collections.abc import Container
from typing import Never

from drove_gateway.gotemplate.errors import TemplateSyntaxError
from drove_gateway.gotemplate.syntax.lexer import Lexer
from drove_gateway.gotemplate.syntax.tokens import Kind, Token


class TokenReader:
    """Reads from a lexer, and takes back up to three tokens."""

    def __init__(self, lexer: Lexer, file: str) -> None:
        self._lexer = lexer
        self._file = file
        # Up to three tokens to read again, the next one last, as Go holds them: the line of
        # `_tokens[0]` is what errors name.
        self._tokens = [Token(Kind.ERROR, 0, "", 0)] * 3
        self._pending = 0
        self._action_line = 0

    def _next(self) -> Token:
        if self._pending:
            self._pending -= 1
        else:
            self._tokens[0] = self._lexer.next()
        return self._tokens[self._pending]

    def _peek(self) -> Token:
        if self._pending:
            return self._tokens[self._pending - 1]
        self._pending = 1
        self._tokens[0] = self._lexer.next()
        return self._tokens[0]

    def _backup(self) -> None:
        self._pending += 1

    def _backup2(self, first: Token) -> None:
        self._tokens[1] = first
        self._pending = 2

    def _backup3(self, first: Token, second: Token) -> None:
        self._tokens[1] = second
        self._tokens[2] = first
        self._pending = 3

    def _next_non_space(self) -> Token:
        token = self._next()
        while token.kind is Kind.SPACE:
            token = self._next()
        return token

    def _peek_non_space(self) -> Token:
        token = self._next_non_space()
        self._backup()
        return token

    def _expect(self, kinds: Container[Kind], context: str) -> Token:
        token = self._next_non_space()
        if token.kind not in kinds:
            self._unexpected(token, context)
        return token

    # Errors

    def _fail(self, message: str) -> Never:
        line = self._tokens[0].line
        raise TemplateSyntaxError(
            f"template: {self._file}:{line}: {message}", name=self._file, line=line
        )

    def _unexpected(self, token: Token, context: str) -> Never:
        if token.kind is not Kind.ERROR:
            self._fail(f"unexpected {token} in {context}")
        started = ""
        if self._action_line not in {0, token.line}:
            joint = "" if token.value.endswith(" action") else " in action"
            started = f"{joint} started at {self._file}:{self._action_line}"
        self._fail(f"{token}{started}")
