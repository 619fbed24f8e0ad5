"""Tokens to trees, step by step as Go's text/template/parse does it.

Every method that can be entered from within itself is a generator (see `trampoline`).
"""

from collections.abc import Container, Mapping
from typing import Final, TypeAlias

from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.lexer import Lexer
from drove_gateway.gotemplate.syntax.pipelines import PipelineParser
from drove_gateway.gotemplate.syntax.tokens import Kind, Token
from drove_gateway.gotemplate.syntax.trampoline import Steps, run

_STRINGS: Final = frozenset({Kind.STRING, Kind.RAW_STRING})


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
    parser = _Parser(lexer, nodes.Tree(name, name, source, nodes.Body(0)), functions, trees)
    run(parser.main())
    return trees


def _shown(end: _End | _Else) -> str:
    return "{{end}}" if isinstance(end, _End) else "{{else}}"


class _Parser(PipelineParser):
    """Parses one template; each `define` and `block` has a parser of its own on the same lexer."""

    def __init__(
        self,
        lexer: Lexer,
        tree: nodes.Tree,
        functions: Container[str],
        trees: _Trees,
    ) -> None:
        super().__init__(lexer, tree.file, functions)
        self._tree = tree
        self._trees = trees
        self._range_depth = 0

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
        return _Parser(self._lexer, tree, self._functions, self._trees)

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
