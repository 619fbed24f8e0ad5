"""The data that the cases are rendered with, and what it takes to render them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from drove_gateway.gotemplate import Template, TemplateExecError, TemplateSyntaxError
from drove_gateway.gotemplate.compile.compiler import compile_template
from drove_gateway.gotemplate.go.values import type_of
from drove_gateway.gotemplate.run.interpreter import interpret
from drove_gateway.gotemplate.run.limits import MAX_OUTPUT, MAX_STEPS, Budget
from drove_gateway.gotemplate.syntax.nodes import Tree
from drove_gateway.gotemplate.syntax.parser import parse
from drove_gateway.gotemplate.template import available_functions
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
)

CASES = Path(__file__).parent / "cases"


def load(name: str) -> Any:
    """A file of cases."""
    return json.loads((CASES / name).read_text())


class Context(msgspec.Struct, frozen=True, rename="pascal"):
    """A root like the one the gateway gives to templates."""

    xproxy: str
    haproxy_server_name_prefix: str
    haproxy_server_name_host_port_separator: str
    haproxy_backend_name_separator: str
    haproxy_add_server_attributes_string: str
    haproxy_add_server_ssl_attributes_string: str = msgspec.field(
        name="HaproxyAddServerSSLAttributesString"
    )
    nginx_max_fails_upstream: int
    nginx_fail_timeout_upstream: str
    nginx_slow_start_upstream: str
    haproxy_backend_include_routing_tag_suffix: bool
    namespaces: Mapping[str, Namespace]
    apps: Mapping[str, App]


@dataclass(frozen=True)
class Pair:
    A: str
    B: str


@dataclass(frozen=True)
class Thing:
    """A struct with a field of every kind, and methods of every kind."""

    Name: str
    Count: int
    Any: object
    List: Sequence[int]
    Map: Mapping[str, int]
    Ratio: float
    Flag: bool
    Sub: Pair
    Subs: Sequence[Pair]
    ByNum: Mapping[int, str]

    def Hello(self, who: str) -> str:  # noqa: N802
        return f"hello {who} from {self.Name}"

    def Plain(self) -> str:  # noqa: N802
        return "plain"

    def Add(self, a: int, b: int) -> int:  # noqa: N802
        return a + b

    def Sum(self, first: int, *others: int) -> int:  # noqa: N802
        return first + sum(others)

    def Fail(self) -> str:  # noqa: N802
        raise ValueError("failed on purpose")

    def GetSub(self) -> Pair:  # noqa: N802
        return self.Sub


THING = Thing(
    Name="thing",
    Count=3,
    Any=5,
    List=[1, 2, 3],
    Map={"b": 2, "a": 1},
    Ratio=1.5,
    Flag=True,
    Sub=Pair("x", "y"),
    Subs=[Pair("1", "2"), Pair("3", "4")],
    ByNum={2: "two", 1: "one", 10: "ten"},
)


def _hosts(found: Sequence[Mapping[str, Any]]) -> tuple[Host, ...]:
    return tuple(Host(host["Host"], host["Port"], host["PortType"]) for host in found)


def _app(found: Mapping[str, Any]) -> App:
    groups = {
        name: HostGroup(_hosts(group["Hosts"]), group["Tags"])
        for name, group in found["Groups"].items()
    }
    hosts = _hosts(found["Hosts"])
    return App(found["ID"], found["Vhost"], hosts, found["Tags"], groups, found["RoutingTagKey"])


def _namespace(found: Mapping[str, Any]) -> Namespace:
    leader = found["Leader"]
    return Namespace(
        found["LeaderVHost"],
        Leader(leader["Endpoint"], leader["Host"], leader["Port"]),
        found["RoutingTag"],
    )


def typed_context() -> Context:
    """The data of typed.json in the types of the model."""
    data = load("typed.json")["data"]
    plain = {
        field.name: data[field.encode_name]
        for field in msgspec.structs.fields(Context)
        if field.encode_name not in {"Namespaces", "Apps"}
    }
    return Context(
        **plain,
        namespaces={name: _namespace(found) for name, found in data["Namespaces"].items()},
        apps={name: _app(found) for name, found in data["Apps"].items()},
    )


def all_data() -> Mapping[str, object]:
    """Data by the names that cases use."""
    return {**load("json.json")["data"], "typed": typed_context(), "thing": THING}


def _add(a: int, b: int) -> int:
    return a + b


def _ints(*numbers: int) -> int:
    return len(numbers)


def _half(number: float) -> float:
    return number / 2


def _fail() -> str:
    raise ValueError("boom")


def _nil() -> object:
    return None


def _function() -> object:
    return _add


FUNCS: Mapping[str, Callable[..., object]] = {
    "add": _add,
    "ints": _ints,
    "half": _half,
    "fail": _fail,
    "nilfn": _nil,
    "fn": _function,
}


FUNCTIONS = available_functions(FUNCS)


def outcome(render: Callable[[], str]) -> Mapping[str, str]:
    """What came of it, in the form that cases have it."""
    try:
        return {"want": render()}
    except TemplateSyntaxError as error:
        return {"error": "parse", "message": str(error)}
    except TemplateExecError as error:
        return {"error": "exec", "message": str(error)}


def render(case: Mapping[str, str], data: object, max_steps: int = MAX_STEPS) -> str:
    """What users do."""
    delims = (case.get("left", ""), case.get("right", ""))
    template = Template(case["template"], name="t", delims=delims, funcs=FUNCS, max_steps=max_steps)
    return template.render(data)


def render_interpreted(case: Mapping[str, str], data: object, max_steps: int = MAX_STEPS) -> str:
    """The same without the compiler."""
    return interpret(_trees(case), "t", FUNCTIONS, data, Budget(max_steps, MAX_OUTPUT))


def render_compiled(case: Mapping[str, str], data: object) -> str:
    """The same without the interpreter: raises whatever would have made it take over."""
    known = type_of(data) if isinstance(data, Context | Thing) else None
    compiled = compile_template(_trees(case), "t", FUNCTIONS, known)
    return compiled(data, Budget(MAX_STEPS, MAX_OUTPUT))


def _trees(case: Mapping[str, str]) -> Mapping[str, Tree]:
    delims = (case.get("left", ""), case.get("right", ""))
    return parse(case["template"], name="t", delims=delims, functions=FUNCTIONS)
