"""Tokens to trees, step by step as Go's text/template/parse does it.

Every method that can be entered from within itself is a generator (see `trampoline`).
"""

from collections.abc import Container, Mapping
from typing import Final, TypeAlias

from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.lexer import Lexer
from drove_gateway.gotemplate.syntax.pipelines import PipelineParser
from drove_gateway.gotemplate.syntax.token_stream import TokenStream
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
    """Return all templates that a text defines, by name; the text itself is the template `name`.

    Raises `TemplateSyntaxError` in Go's words.
    """
    words = frozenset(word for word in ("break", "continue") if word in functions)
    left, right = delims
    lexer = Lexer(source, (left or "{{", right or "}}"), words)
    trees: _Trees = {}
    tree = nodes.Tree(name, name, source, nodes.Body(0))
    run(_Parser(TokenStream(lexer, name), tree, functions, trees).main())
    return trees


def _shown(end: _End | _Else) -> str:
    return "{{end}}" if isinstance(end, _End) else "{{else}}"


class _Parser:
    """Parses a template; each `define` and `block` has a parser of its own on the same lexer."""

    def __init__(
        self, tokens: TokenStream, tree: nodes.Tree, functions: Container[str], trees: _Trees
    ) -> None:
        self._tokens = tokens
        self._pipelines = PipelineParser(tokens, functions)
        self._tree = tree
        self._trees = trees
        self._range_depth = 0

    def main(self) -> Steps[None]:
        """The whole text: actions, and the definitions of other templates."""
        self._tree.body = nodes.Body(self._tokens.peek().pos)
        while self._tokens.peek().kind is not Kind.EOF:
            if self._tokens.peek().kind is Kind.LEFT_DELIM:
                delim = self._tokens.next()
                if self._tokens.next_non_space().kind is Kind.DEFINE:
                    yield self._nested("definition").definition()
                    continue
                self._tokens.back2(delim)
            item = yield self._text_or_action()
            if isinstance(item, _End | _Else):
                self._tokens.fail(f"unexpected {_shown(item)}")
            self._tree.body.items.append(item)
        self._add()

    def _nested(self, name: str) -> "_Parser":
        tree = nodes.Tree(name, self._tokens.file, self._tree.source, nodes.Body(0))
        return _Parser(self._tokens.nested(), tree, self._pipelines.functions, self._trees)

    def definition(self) -> Steps[None]:
        """`{{define "name"}} … {{end}}`, after the keyword."""
        context = "define clause"
        name = self._tokens.expect(_STRINGS, context)
        self._tree.name = self._pipelines.unquoted(name)
        self._tokens.expect({Kind.RIGHT_DELIM}, context)
        yield self.rest_of_template(context)

    def rest_of_template(self, context: str) -> Steps[None]:
        """The body of a `define` or `block`, up to its `{{end}}`."""
        self._tree.body, end = yield self._body()
        if isinstance(end, _Else):
            self._tokens.fail(f"unexpected {_shown(end)} in {context}")
        self._add()

    def _add(self) -> None:
        known = self._trees.get(self._tree.name)
        if known is None or nodes.is_blank(known.body):
            self._trees[self._tree.name] = self._tree
        elif not nodes.is_blank(self._tree.body):
            named = quote(self._tree.name)
            self._tokens.fail(f"template: multiple definition of template {named}")

    def _body(self) -> Steps[tuple[nodes.Body, _End | _Else]]:
        body = nodes.Body(self._tokens.peek_non_space().pos)
        while self._tokens.peek_non_space().kind is not Kind.EOF:
            item = yield self._text_or_action()
            if isinstance(item, _End | _Else):
                return body, item
            body.items.append(item)
        self._tokens.fail("unexpected EOF")

    def _text_or_action(self) -> Steps[_Parsed]:
        token = self._tokens.next_non_space()
        if token.kind is Kind.TEXT:
            return nodes.Text(token.pos, token.value)
        if token.kind is not Kind.LEFT_DELIM:
            self._tokens.unexpected(token, "input")
        self._tokens.action_line = token.line
        action: _Parsed = yield self._action()
        self._tokens.action_line = 0
        return action

    # Actions

    def _action(self) -> Steps[_Parsed]:
        token = self._tokens.next_non_space()
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
                self._tokens.expect({Kind.RIGHT_DELIM}, "end")
                action = _End()
            case _:
                self._tokens.back()
                pos = self._tokens.peek().pos
                action = nodes.Action(
                    pos, (yield self._pipelines.pipeline("command", Kind.RIGHT_DELIM))
                )
        return action

    def _else(self) -> _Else:
        token = self._tokens.peek_non_space()
        if token.kind in {Kind.IF, Kind.WITH}:
            return _Else(token.pos)  # the keyword is left for `_control`
        return _Else(self._tokens.expect({Kind.RIGHT_DELIM}, "else").pos)

    def _jump(self, token: Token) -> nodes.Item:
        action = f"{{{{{token.value}}}}}"
        after = self._tokens.next_non_space()
        if after.kind is not Kind.RIGHT_DELIM:
            self._tokens.unexpected(after, action)
        if self._range_depth == 0:
            self._tokens.fail(f"{action} outside {{{{range}}}}")
        make = nodes.Break if token.kind is Kind.BREAK else nodes.Continue
        return make(token.pos)

    def _control(self, kind: Kind) -> Steps[nodes.Branch]:
        context = kind.name.lower()
        visible = len(self._pipelines.variables)
        pipe = yield self._pipelines.pipeline(context, Kind.RIGHT_DELIM)
        self._range_depth += kind is Kind.RANGE
        body, end = yield self._body()
        self._range_depth -= kind is Kind.RANGE
        otherwise = None
        if isinstance(end, _Else):
            otherwise = yield self._otherwise(kind, end)
        del self._pipelines.variables[visible:]
        if kind is Kind.IF:
            return nodes.If(pipe.pos, pipe, body, otherwise)
        make = nodes.With if kind is Kind.WITH else nodes.Range
        return make(pipe.pos, pipe, body, otherwise)

    def _otherwise(self, kind: Kind, found: _Else) -> Steps[nodes.Body]:
        # `else if` and `else with` are a branch of their own, whose `end` also ends this branch.
        if kind is not Kind.RANGE and self._tokens.peek().kind is kind:
            self._tokens.next()
            return nodes.Body(found.pos, [(yield self._control(kind))])
        body: nodes.Body
        body, end = yield self._body()
        if isinstance(end, _Else):
            self._tokens.fail(f"expected end; found {_shown(end)}")
        return body

    def _template(self) -> Steps[nodes.Call]:
        context = "template clause"
        token = self._tokens.next_non_space()
        name = self._template_name(token, context)
        pipe = None
        if self._tokens.next_non_space().kind is not Kind.RIGHT_DELIM:
            self._tokens.back()
            pipe = yield self._pipelines.pipeline(context, Kind.RIGHT_DELIM)
        return nodes.Call(token.pos, name, pipe)

    def _block(self) -> Steps[nodes.Call]:
        context = "block clause"
        token = self._tokens.next_non_space()
        name = self._template_name(token, context)
        pipe = yield self._pipelines.pipeline(context, Kind.RIGHT_DELIM)
        yield self._nested(name).rest_of_template(context)
        return nodes.Call(token.pos, name, pipe)

    def _template_name(self, token: Token, context: str) -> str:
        if token.kind not in _STRINGS:
            self._tokens.unexpected(token, context)
        return self._pipelines.unquoted(token)
