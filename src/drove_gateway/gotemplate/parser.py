"""Tokens to trees, step by step as Go's text/template/parse does it.

Every method that can be entered from within itself is a generator (see `trampoline`).
"""

from collections.abc import Container, Mapping
from typing import Final, Never, TypeAlias

from drove_gateway.gotemplate import literals, nodes
from drove_gateway.gotemplate.errors import TemplateSyntaxError
from drove_gateway.gotemplate.lexer import Kind, Lexer, Token
from drove_gateway.gotemplate.strconv import quote
from drove_gateway.gotemplate.trampoline import Steps, run

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
_STRINGS: Final = frozenset({Kind.STRING, Kind.RAW_STRING})
_CONSTANTS: Final = (nodes.Bool, nodes.Dot, nodes.Nil, nodes.Number, nodes.String)


class _End:
    """`{{end}}`."""


class _Else:
    """`{{else}}`, `{{else if …}}` or `{{else with …}}`."""

    def __init__(self, pos: int) -> None:
        self.pos = pos


_Parsed: TypeAlias = nodes.Item | _End | _Else
_Trees: TypeAlias = dict[str, nodes.Tree]


def parse(
    source: str, *, name: str, delims: tuple[str, str], functions: Container[str]
) -> Mapping[str, nodes.Tree]:
    """All templates that a text defines, by name; the text's own is `name`.

    Raises `TemplateSyntaxError` in Go's words.
    """
    words = frozenset(word for word in ("break", "continue") if word in functions)
    left, right = delims
    lexer = Lexer(source, (left or "{{", right or "}}"), words)
    trees: _Trees = {}
    parser = _Parser(lexer, name, nodes.Tree(name, name, source, nodes.Body(0)), functions, trees)
    run(parser.main())
    return trees


def _shown(end: _End | _Else) -> str:
    return "{{end}}" if isinstance(end, _End) else "{{else}}"


class _Parser:
    """Parses one template; each `define` and `block` has a parser of its own on the same lexer."""

    def __init__(
        self,
        lexer: Lexer,
        file: str,
        tree: nodes.Tree,
        functions: Container[str],
        trees: _Trees,
    ) -> None:
        self._lexer = lexer
        self._file = file
        self._tree = tree
        self._functions = functions
        self._trees = trees
        # Up to three tokens to read again, the next one last, as Go holds them: the line of
        # `_tokens[0]` is what errors name.
        self._tokens = [Token(Kind.ERROR, 0, "", 0)] * 3
        self._pending = 0
        self._variables = ["$"]
        self._action_line = 0
        self._range_depth = 0
        self._parens = 0

    # Tokens

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

    # Templates

    def main(self) -> Steps[None]:
        """The whole text: actions, and the definitions of other templates."""
        self._tree.body = nodes.Body(self._peek().pos)
        while self._peek().kind is not Kind.EOF:
            if self._peek().kind is Kind.LEFT_DELIM:
                delim = self._next()
                if self._next_non_space().kind is Kind.DEFINE:
                    yield self._nested("definition").definition()
                    continue
                self._backup2(delim)
            item = yield self._text_or_action()
            if isinstance(item, _End | _Else):
                self._fail(f"unexpected {_shown(item)}")
            self._tree.body.items.append(item)
        self._add()

    def _nested(self, name: str) -> "_Parser":
        tree = nodes.Tree(name, self._file, self._tree.source, nodes.Body(0))
        return _Parser(self._lexer, self._file, tree, self._functions, self._trees)

    def definition(self) -> Steps[None]:
        """`{{define "name"}} … {{end}}`, after the keyword."""
        context = "define clause"
        name = self._expect(_STRINGS, context)
        self._tree.name = self._unquote(name.value)
        self._expect({Kind.RIGHT_DELIM}, context)
        yield self.rest_of_template(context)

    def rest_of_template(self, context: str) -> Steps[None]:
        """The body of a `define` or `block`, up to its `{{end}}`."""
        self._tree.body, end = yield self._body()
        if isinstance(end, _Else):
            self._fail(f"unexpected {_shown(end)} in {context}")
        self._add()

    def _add(self) -> None:
        known = self._trees.get(self._tree.name)
        if known is None or nodes.is_blank(known.body):
            self._trees[self._tree.name] = self._tree
        elif not nodes.is_blank(self._tree.body):
            named = quote(self._tree.name)
            self._fail(f"template: multiple definition of template {named}")

    def _body(self) -> Steps[tuple[nodes.Body, _End | _Else]]:
        body = nodes.Body(self._peek_non_space().pos)
        while self._peek_non_space().kind is not Kind.EOF:
            item = yield self._text_or_action()
            if isinstance(item, _End | _Else):
                return body, item
            body.items.append(item)
        self._fail("unexpected EOF")

    def _text_or_action(self) -> Steps[_Parsed]:
        token = self._next_non_space()
        if token.kind is Kind.TEXT:
            return nodes.Text(token.pos, token.value)
        if token.kind is not Kind.LEFT_DELIM:
            self._unexpected(token, "input")
        self._action_line = token.line
        action: _Parsed = yield self._action()
        self._action_line = 0
        return action

    # Actions

    def _action(self) -> Steps[_Parsed]:
        token = self._next_non_space()
        action: _Parsed
        match token.kind:
            case Kind.IF | Kind.WITH | Kind.RANGE:
                action = yield self._control(token.kind)
            case Kind.TEMPLATE:
                action = yield self._template()
            case Kind.BLOCK:
                action = yield self._block()
            case Kind.BREAK | Kind.CONTINUE:
                action = self._jump(token)
            case Kind.ELSE:
                action = self._else()
            case Kind.END:
                self._expect({Kind.RIGHT_DELIM}, "end")
                action = _End()
            case _:
                self._backup()
                pos = self._peek().pos
                action = nodes.Action(pos, (yield self._pipeline("command", Kind.RIGHT_DELIM)))
        return action

    def _else(self) -> _Else:
        token = self._peek_non_space()
        if token.kind in {Kind.IF, Kind.WITH}:
            return _Else(token.pos)  # the keyword is left for `_control`
        return _Else(self._expect({Kind.RIGHT_DELIM}, "else").pos)

    def _jump(self, token: Token) -> nodes.Item:
        action = f"{{{{{token.value}}}}}"
        after = self._next_non_space()
        if after.kind is not Kind.RIGHT_DELIM:
            self._unexpected(after, action)
        if self._range_depth == 0:
            self._fail(f"{action} outside {{{{range}}}}")
        make = nodes.Break if token.kind is Kind.BREAK else nodes.Continue
        return make(token.pos)

    def _control(self, kind: Kind) -> Steps[nodes.Branch]:
        context = kind.name.lower()
        visible = len(self._variables)
        pipe = yield self._pipeline(context, Kind.RIGHT_DELIM)
        self._range_depth += kind is Kind.RANGE
        body, end = yield self._body()
        self._range_depth -= kind is Kind.RANGE
        otherwise = None
        if isinstance(end, _Else):
            otherwise = yield self._otherwise(kind, end)
        del self._variables[visible:]
        if kind is Kind.IF:
            return nodes.If(pipe.pos, pipe, body, otherwise)
        make = nodes.With if kind is Kind.WITH else nodes.Range
        return make(pipe.pos, pipe, body, otherwise)

    def _otherwise(self, kind: Kind, found: _Else) -> Steps[nodes.Body]:
        # `else if` and `else with` are a branch of their own, whose `end` ends this one too.
        if kind is not Kind.RANGE and self._peek().kind is kind:
            self._next()
            return nodes.Body(found.pos, [(yield self._control(kind))])
        body: nodes.Body
        body, end = yield self._body()
        if isinstance(end, _Else):
            self._fail(f"expected end; found {_shown(end)}")
        return body

    def _template(self) -> Steps[nodes.Call]:
        context = "template clause"
        token = self._next_non_space()
        name = self._template_name(token, context)
        pipe = None
        if self._next_non_space().kind is not Kind.RIGHT_DELIM:
            self._backup()
            pipe = yield self._pipeline(context, Kind.RIGHT_DELIM)
        return nodes.Call(token.pos, name, pipe)

    def _block(self) -> Steps[nodes.Call]:
        context = "block clause"
        token = self._next_non_space()
        name = self._template_name(token, context)
        pipe = yield self._pipeline(context, Kind.RIGHT_DELIM)
        yield self._nested(name).rest_of_template(context)
        return nodes.Call(token.pos, name, pipe)

    def _template_name(self, token: Token, context: str) -> str:
        if token.kind not in _STRINGS:
            self._unexpected(token, context)
        return self._unquote(token.value)

    def _unquote(self, literal: str) -> str:
        try:
            return literals.unquote(literal)
        except ValueError as error:
            self._fail(str(error))

    # Pipelines

    def _pipeline(self, context: str, end: Kind) -> Steps[nodes.Pipe]:
        pipe = nodes.Pipe(self._peek_non_space().pos)
        self._declarations(pipe, context)
        while True:
            token = self._next_non_space()
            if token.kind is end:
                self._check_pipeline(pipe, context)
                return pipe
            if token.kind not in _OPERANDS:
                self._unexpected(token, context)
            self._backup()
            pipe.commands.append((yield self._command()))

    def _declarations(self, pipe: nodes.Pipe, context: str) -> None:
        while (variable := self._peek_non_space()).kind is Kind.VARIABLE:
            self._next()
            adjacent = self._peek()
            after = self._peek_non_space()
            comma = after.kind is Kind.CHAR and after.value == ","
            if after.kind not in {Kind.ASSIGN, Kind.DECLARE} and not comma:
                if adjacent.kind is Kind.SPACE:
                    self._backup3(variable, adjacent)
                else:
                    self._backup2(variable)
                return
            self._next_non_space()
            pipe.assigns = after.kind is Kind.ASSIGN
            pipe.variables.append(nodes.Variable(variable.pos, variable.value.split(".")))
            self._variables.append(variable.value)
            if not comma:
                return
            self._check_second(pipe, context)

    def _check_second(self, pipe: nodes.Pipe, context: str) -> None:
        if context != "range" or len(pipe.variables) > 1:
            self._fail(f"too many declarations in {context}")
        if self._peek_non_space().kind not in {Kind.VARIABLE, Kind.RIGHT_DELIM, Kind.RIGHT_PAREN}:
            self._fail("range can only initialize variables")

    def _check_pipeline(self, pipe: nodes.Pipe, context: str) -> None:
        if not pipe.commands:
            self._fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], start=2):
            if isinstance(command.args[0], _CONSTANTS):
                self._fail(f"non executable command in pipeline stage {stage}")

    def _command(self) -> Steps[nodes.Command]:
        command = nodes.Command(self._peek_non_space().pos)
        while True:
            self._peek_non_space()
            operand = yield self._operand()
            if operand is not None:
                command.args.append(operand)
            token = self._next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in {Kind.RIGHT_DELIM, Kind.RIGHT_PAREN}:
                self._backup()
            elif token.kind is not Kind.PIPE:
                self._unexpected(token, "operand")
            break
        if not command.args:
            self._fail("empty command")
        return command

    def _operand(self) -> Steps[nodes.Operand | None]:
        term: nodes.Operand | None = yield self._term()
        if term is None or self._peek().kind is not Kind.FIELD:
            return term
        pos = self._peek().pos
        names = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().value[1:])
        if isinstance(term, nodes.Field | nodes.Variable):
            return type(term)(pos, term.names + names)
        if isinstance(term, _CONSTANTS):
            self._fail(f"unexpected . after term {quote(nodes.text_of(term))}")
        return nodes.Chain(pos, term, names)

    def _term(self) -> Steps[nodes.Operand | None]:
        token = self._next_non_space()
        if token.kind is Kind.LEFT_PAREN:
            if self._parens >= MAX_PARENS:
                self._fail("max expression depth exceeded")
            self._parens += 1
            pipe: nodes.Pipe = yield self._pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
            self._parens -= 1
            return pipe
        if token.kind not in _OPERANDS:
            self._backup()
            return None
        return self._simple_term(token)

    def _simple_term(self, token: Token) -> nodes.Operand:
        pos, value = token.pos, token.value
        term: nodes.Operand
        match token.kind:
            case Kind.IDENTIFIER:
                if value not in self._functions:
                    self._fail(f"function {quote(value)} not defined")
                term = nodes.Identifier(pos, value)
            case Kind.VARIABLE:
                if value not in self._variables:
                    self._fail(f"undefined variable {quote(value)}")
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
        try:
            match token.kind:
                case Kind.CHAR_CONSTANT:
                    return literals.character(token.pos, token.value)
                case Kind.COMPLEX:
                    return literals.complex_pair(token.pos, token.value)
                case Kind.NUMBER:
                    return literals.number(token.pos, token.value)
            return nodes.String(token.pos, token.value, literals.unquote(token.value))
        except ValueError as error:
            self._fail(str(error))
