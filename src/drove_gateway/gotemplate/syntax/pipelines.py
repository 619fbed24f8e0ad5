"""Pipelines: everything between an action's keyword and its closing delimiter.

Every method that can be entered from within itself is a generator (see `trampoline`).
"""

from collections.abc import Container
from typing import Final

from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.syntax import literals, nodes
from drove_gateway.gotemplate.syntax.token_stream import TokenStream
from drove_gateway.gotemplate.syntax.tokens import Kind, Token
from drove_gateway.gotemplate.syntax.trampoline import Steps

MAX_PARENS: Final = 10_000
"""How deep parentheses may nest, as in Go."""

_OPERANDS: Final = frozenset(
    {
        Kind.BOOL,
        Kind.CHAR_CONSTANT,
        Kind.COMPLEX,
        Kind.DOT,
        Kind.FIELD,
        Kind.IDENTIFIER,
        Kind.NUMBER,
        Kind.NIL,
        Kind.RAW_STRING,
        Kind.STRING,
        Kind.VARIABLE,
        Kind.LEFT_PAREN,
    }
)
_AFTER_COMMA: Final = frozenset({Kind.VARIABLE, Kind.RIGHT_DELIM, Kind.RIGHT_PAREN})
_CONSTANTS: Final = (nodes.Bool, nodes.Dot, nodes.Nil, nodes.Number, nodes.String)


class PipelineParser:
    """Parses the pipelines of a template.

    `functions` are the names that may be called, `variables` the names that are visible now.
    """

    def __init__(self, tokens: TokenStream, functions: Container[str]) -> None:
        self.functions = functions
        self.variables = ["$"]
        self._tokens = tokens
        self._parens = 0

    def pipeline(self, context: str, end: Kind) -> Steps[nodes.Pipe]:
        """Parse a pipeline up to a token of the kind `end`. Raises `TemplateSyntaxError`."""
        pipe = nodes.Pipe(self._tokens.peek_non_space().pos)
        self._declarations(pipe, context)
        while True:
            token = self._tokens.next_non_space()
            if token.kind is end:
                self._check_pipeline(pipe, context)
                return pipe
            if token.kind not in _OPERANDS:
                self._tokens.unexpected(token, context)
            self._tokens.back()
            pipe.commands.append((yield self._command()))

    def _declarations(self, pipe: nodes.Pipe, context: str) -> None:
        while (variable := self._tokens.peek_non_space()).kind is Kind.VARIABLE:
            self._tokens.next()
            adjacent = self._tokens.peek()
            after = self._tokens.peek_non_space()
            comma = after.kind is Kind.CHAR and after.value == ","
            if after.kind not in {Kind.ASSIGN, Kind.DECLARE} and not comma:
                if adjacent.kind is Kind.SPACE:
                    self._tokens.back3(variable, adjacent)
                else:
                    self._tokens.back2(variable)
                return
            self._tokens.next_non_space()
            pipe.assigns = after.kind is Kind.ASSIGN
            pipe.variables.append(nodes.Variable(variable.pos, variable.value.split(".")))
            self.variables.append(variable.value)
            if not comma:
                return
            self._check_second(pipe, context)

    def _check_second(self, pipe: nodes.Pipe, context: str) -> None:
        if context != "range" or len(pipe.variables) > 1:
            self._tokens.fail(f"too many declarations in {context}")
        if self._tokens.peek_non_space().kind not in {
            Kind.VARIABLE,
            Kind.RIGHT_DELIM,
            Kind.RIGHT_PAREN,
        }:
            self._tokens.fail("range can only initialize variables")

    def _check_pipeline(self, pipe: nodes.Pipe, context: str) -> None:
        if not pipe.commands:
            self._tokens.fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], start=2):
            if isinstance(command.args[0], _CONSTANTS):
                self._tokens.fail(f"non executable command in pipeline stage {stage}")

    def _command(self) -> Steps[nodes.Command]:
        command = nodes.Command(self._tokens.peek_non_space().pos)
        while True:
            self._tokens.peek_non_space()
            operand = yield self._operand()
            if operand is not None:
                command.args.append(operand)
            token = self._tokens.next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in {Kind.RIGHT_DELIM, Kind.RIGHT_PAREN}:
                self._tokens.back()
            elif token.kind is not Kind.PIPE:
                self._tokens.unexpected(token, "operand")
            break
        if not command.args:
            self._tokens.fail("empty command")
        return command

    def _operand(self) -> Steps[nodes.Operand | None]:
        term: nodes.Operand | None = yield self._term()
        if term is None or self._tokens.peek().kind is not Kind.FIELD:
            return term
        pos = self._tokens.peek().pos
        names = []
        while self._tokens.peek().kind is Kind.FIELD:
            names.append(self._tokens.next().value[1:])
        if isinstance(term, nodes.Field | nodes.Variable):
            return type(term)(pos, term.names + names)
        if isinstance(term, _CONSTANTS):
            self._tokens.fail(f"unexpected . after term {quote(nodes.text_of(term))}")
        return nodes.Chain(pos, term, names)

    def _term(self) -> Steps[nodes.Operand | None]:
        token = self._tokens.next_non_space()
        if token.kind is Kind.LEFT_PAREN:
            if self._parens >= MAX_PARENS:
                self._tokens.fail("max expression depth exceeded")
            self._parens += 1
            pipe: nodes.Pipe = yield self.pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
            self._parens -= 1
            return pipe
        if token.kind not in _OPERANDS:
            self._tokens.back()
            return None
        return self._simple_term(token)

    def _simple_term(self, token: Token) -> nodes.Operand:
        pos, value = token.pos, token.value
        term: nodes.Operand
        match token.kind:
            case Kind.IDENTIFIER:
                if value not in self.functions:
                    self._tokens.fail(f"function {quote(value)} not defined")
                term = nodes.Identifier(pos, value)
            case Kind.VARIABLE:
                if value not in self.variables:
                    self._tokens.fail(f"undefined variable {quote(value)}")
                term = nodes.Variable(pos, [value])
            case Kind.FIELD:
                term = nodes.Field(pos, [value[1:]])
            case Kind.DOT:
                term = nodes.Dot(pos)
            case Kind.NIL:
                term = nodes.Nil(pos)
            case Kind.BOOL:
                term = nodes.Bool(pos, value == "true")
            case _:
                term = self._literal(token)
        return term

    def _literal(self, token: Token) -> nodes.Operand:
        if token.kind in {Kind.STRING, Kind.RAW_STRING}:
            return nodes.String(token.pos, token.value, self.unquoted(token))
        makers = {Kind.CHAR_CONSTANT: literals.character, Kind.COMPLEX: literals.complex_pair}
        make = makers.get(token.kind, literals.number)
        try:
            return make(token.pos, token.value)
        except ValueError as error:
            self._tokens.fail(str(error))

    def unquoted(self, token: Token) -> str:
        """Return the text that a string token stands for. Raises `TemplateSyntaxError`."""
        try:
            return literals.unquote(token.value)
        except ValueError as error:
            self._tokens.fail(str(error))
