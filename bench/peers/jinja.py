"""The shipped templates in Jinja2, written from their syntax trees, so that they stay the same.

The translation is what a person would write: loops over sorted items, attributes, operators for
`eq`, `and` and `not`. It knows the part of Go's language that the shipped templates use.
"""

from collections.abc import Callable, Mapping
from typing import Final

import jinja2
import msgspec

from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.parser import parse
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
)
from drove_gateway.proxies.installation.template_data import RenderingData

_STRUCTS: Final = (RenderingData, App, Host, HostGroup, Leader, Namespace)
_ATTRIBUTES: Final = {
    field.encode_name: field.name for struct in _STRUCTS for field in msgspec.structs.fields(struct)
}
_OPERATORS: Final = {
    "and": "and",
    "or": "or",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}
_FORMS: Final = {
    "not": "(not {0})",
    "len": "({0} | length)",
    "index": "{0}.get({1})",
    "slice": "{0}[{1}:{2}]",
    "printf": "({0} | format({rest}))",
}


def compiled(
    source: str, functions: Mapping[str, Callable[..., object]]
) -> Callable[[RenderingData], str]:
    """The template in Jinja2, ready to render."""
    environment = jinja2.Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - a proxy's configuration is not HTML
    )
    environment.globals.update(functions)
    environment.globals["entries"] = lambda mapping: sorted(mapping.items())
    template = environment.from_string(translated(source, functions))
    return lambda data: template.render(data=data)


def translated(source: str, functions: Mapping[str, Callable[..., object]]) -> str:
    """The text of the template in Jinja2."""
    known = {**BUILTINS, **functions}
    tree = parse(source, name="t", delims=("{{", "}}"), functions=known)["t"]
    return _Translator(_assigned(tree.body)).body(tree.body, "data")


def _assigned(body: nodes.Body) -> set[str]:
    """Variables that are assigned to: Jinja2 needs a namespace for those."""
    found: set[str] = set()
    for item in body.items:
        if isinstance(item, nodes.Action) and item.pipe.assigns:
            found |= {variable.names[0] for variable in item.pipe.variables}
        if isinstance(item, nodes.If | nodes.With | nodes.Range):
            found |= _assigned(item.body)
            found |= _assigned(item.otherwise) if item.otherwise else set()
    return found


def _plain(variable: str) -> str:
    """The name in Jinja2, other than that of any function: `namespace` is one."""
    return f"v_{variable[1:]}"


class _Translator:
    def __init__(self, assigned: set[str]) -> None:
        self.assigned = assigned
        self.items = 0

    def body(self, body: nodes.Body, dot: str) -> str:
        return "".join(self.item(item, dot) for item in body.items)

    def item(self, item: nodes.Item, dot: str) -> str:
        match item:
            case nodes.Text():
                return item.text
            case nodes.Action():
                return self.action(item.pipe, dot)
            case nodes.If():
                opening, inner = f"<% if {self.pipe(item.pipe, dot)} %>", dot
                closing = "<% endif %>"
            case nodes.With():
                inner = self.fresh()
                value = self.pipe(item.pipe, dot)
                opening = f"<% set {inner} = {value} %><% if {inner} %>"
                closing = "<% endif %>"
            case nodes.Range():
                opening, inner = self.loop(item.pipe, dot)
                closing = "<% endfor %>"
            case _:
                raise NotImplementedError(type(item).__name__)
        otherwise = f"<% else %>{self.body(item.otherwise, dot)}" if item.otherwise else ""
        return opening + self.body(item.body, inner) + otherwise + closing

    def fresh(self) -> str:
        self.items += 1
        return f"item{self.items}"

    def action(self, pipe: nodes.Pipe, dot: str) -> str:
        value = self.pipe(pipe, dot)
        if not pipe.variables:
            return f"<< {value} >>"
        name = pipe.variables[0].names[0]
        if name not in self.assigned:
            return f"<% set {_plain(name)} = {value} %>"
        if pipe.assigns:
            return f"<% set {_plain(name)}.value = {value} %>"
        return f"<% set {_plain(name)} = namespace(value={value}) %>"

    def loop(self, pipe: nodes.Pipe, dot: str) -> tuple[str, str]:
        over = self.pipe(pipe, dot)
        names = [_plain(variable.names[0]) for variable in pipe.variables]
        is_mapping = over.rpartition(".")[2] in {"apps", "groups", "namespaces", "tags"}
        item = names[-1] if names else self.fresh()
        if not is_mapping:
            return f"<% for {item} in {over} %>", item
        key = names[0] if len(names) > 1 else self.fresh()
        return f"<% for {key}, {item} in entries({over}) %>", item

    def pipe(self, pipe: nodes.Pipe, dot: str) -> str:
        value: list[str] = []
        for command in pipe.commands:
            value = [self.command(command, dot, value)]
        return value[0]

    def command(self, command: nodes.Command, dot: str, final: list[str]) -> str:
        first, *rest = command.args
        if not isinstance(first, nodes.Identifier):
            return self.operand(first, dot)
        return self.call(first.name, [self.operand(arg, dot) for arg in rest] + final)

    def call(self, name: str, args: list[str]) -> str:
        if name in _OPERATORS:
            return "(" + f" {_OPERATORS[name]} ".join(args) + ")"
        if name in _FORMS:
            return _FORMS[name].format(*args, rest=", ".join(args[1:]))
        return f"{name}({', '.join(args)})"

    def operand(self, operand: nodes.Operand, dot: str) -> str:
        match operand:
            case nodes.Dot():
                return dot
            case nodes.String() | nodes.Bool():
                return repr(operand.value)
            case nodes.Number():
                return operand.text
            case nodes.Field():
                return self.path(dot, operand.names)
            case nodes.Variable():
                return self.path(self.variable(operand.names[0]), operand.names[1:])
            case nodes.Pipe() | nodes.Identifier():
                if isinstance(operand, nodes.Pipe):
                    inner = self.pipe(operand, dot)
                else:
                    inner = self.call(operand.name, [])
                return f"({inner})"
            case _:
                raise NotImplementedError(type(operand).__name__)

    def variable(self, name: str) -> str:
        if name == "$":
            return "data"
        return _plain(name) + ".value" if name in self.assigned else _plain(name)

    def path(self, base: str, names: list[str]) -> str:
        return ".".join([base, *[_ATTRIBUTES.get(name, name) for name in names]])
