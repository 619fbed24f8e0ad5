"""Reusing what passes through loops wrote changes no rendering."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drove_gateway.templates
from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions

_SHIPPED = sorted(Path(drove_gateway.templates.__path__[0]).glob("*.tmpl"))


class Item(msgspec.Struct, frozen=True):
    name: str
    parts: tuple[str, ...] = ()


class Data(msgspec.Struct, frozen=True):
    items: Mapping[str, Item]
    others: Mapping[str, Item]
    word: str
    flag: bool
    number: int


TRICKY = {
    "plain": "{{range .items}}<{{.name}}{{range .parts}}|{{.}}{{end}}>{{end}}",
    "outside": "{{$w := .word}}{{range .items}}{{.name}}{{$w}}{{$.flag}}{{$.number}}{{end}}",
    "any outside": "{{$x := or .word .flag .number}}{{range .items}}{{.name}}{{$x}}{{end}}",
    "size": "{{$d := .}}{{range .items}}{{.name}}{{len $d.items}}{{len $.others}}{{end}}",
    "counter": "{{$n := 0}}{{range .items}}{{$n}}{{$n = len .parts}}{{.name}}{{end}}",
    "first": '{{$s := "["}}{{range .items}}{{$s}}{{.name}}{{$s = ","}}{{end}}',
    "own variable": "{{range .items}}{{$n := 1}}{{if .name}}{{$n = 7}}{{end}}{{$n}}{{end}}",
    "key": "{{range $k, $v := .items}}{{$k}}={{$v.name}};{{end}}",
    "continue": "{{range .items}}{{if .parts}}{{continue}}{{end}}{{.name}}{{end}}",
    "break": "{{range .items}}{{if .parts}}{{break}}{{end}}{{.name}}{{end}}",
    "else": "{{range .items}}{{.name}}{{else}}none{{end}}",
    "two loops": "{{range .items}}{{.name}}{{end}}{{range .others}}{{.name}}{{end}}",
    "nested": "{{range .items}}{{$a := .}}{{range $.others}}{{$a.name}}{{.name}}{{end}}{{end}}",
    "called": '{{define "x"}}{{.name}}{{end}}{{range .items}}{{template "x" .}}{{end}}',
    "looped": '{{define "x"}}{{range .items}}{{.name}}{{end}}{{end}}{{template "x" .}}{{.word}}',
    "changing": "{{range .items}}{{.name}}{{turn}}{{end}}",
    "compared": "{{range .items}}{{if eq .name $.word}}same{{end}}{{end}}",
    "printf": '{{range .items}}{{printf "%v %q" $.flag .name}}{{end}}',
    "many": "{{range .items}}{{range .parts}}{{range $.others}}{{.name}}{{end}}{{.}}{{end}}{{end}}",
}

ITEMS = st.builds(
    Item, st.sampled_from(["", "a", "b"]), st.lists(st.sampled_from("xyz"), max_size=3).map(tuple)
)
MAPS = st.dictionaries(st.sampled_from(["k", "l", "m", "n"]), ITEMS, max_size=4)
DATA = st.builds(
    Data, MAPS, MAPS, st.sampled_from(["", "a", "w"]), st.booleans(), st.integers(0, 1)
)


class Turn:
    """A function that returns something else each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


def rendered(template: Template, data: object) -> str:
    try:
        return template.render(data)
    except TemplateError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("source", TRICKY.values(), ids=TRICKY.keys())
@given(st.lists(DATA, min_size=1, max_size=3), st.data())
@settings(max_examples=40, deadline=None)
def test_renderings_in_a_row_are_those_without_reuse(
    source: str, versions: list[Data], draw: st.DataObject
) -> None:
    mixed = draw.draw(st.lists(st.sampled_from(versions), min_size=2, max_size=5))
    # Versions share items, as topologies do.
    shared = {key: item for each in versions for key, item in each.items.items()}
    reusing = Template(source, funcs={"turn": Turn()}, reuse=True)
    plain = Template(source, funcs={"turn": Turn()})
    for data in mixed:
        kept = {key: shared[key] for key in data.items}
        for version in (data, msgspec.structs.replace(data, items=kept)):
            assert rendered(reusing, version) == rendered(plain, version)


def test_an_element_that_is_another_object_is_written_anew() -> None:
    template = Template("{{range .items}}{{.name}}{{end}}", reuse=True)
    assert template.render(Data({"k": Item("old")}, {}, "", False, 0)) == "old"
    assert template.render(Data({"k": Item("new")}, {}, "", False, 0)) == "new"


def test_a_pass_that_is_reused_counts_its_steps() -> None:
    source = "{{range .items}}{{range .parts}}{{.}}{{end}}{{end}}{{range .others}}{{end}}"
    template = Template(source, max_steps=5, reuse=True)
    items = {"k": Item("", ("a", "b", "c"))}
    assert template.render(Data(items, {"o": Item("")}, "", False, 0)) == "abc"
    with pytest.raises(TemplateError, match="exceeded maximum of 5 steps"):
        template.render(Data(items, {"o": Item(""), "p": Item("")}, "", False, 0))


def _app(number: int, group: str) -> App:
    vhost = f"v{number}.example"
    hosts = tuple(Host(f"10.0.{number}.{n}", 80, "http") for n in range(3))
    groups = {vhost: HostGroup(hosts[:1], {}), group: HostGroup(hosts[1:], {"env": group})}
    return App(vhost, vhost, hosts, {"env": group}, groups, "env")


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda path: path.name)
def test_shipped_templates_render_the_same_with_reuse(path: Path) -> None:
    functions = dict(template_functions({}, None))
    functions |= {"proxyAtLeast": lambda _: True}
    functions |= dict.fromkeys(["luaBalancer", "luaUpstream", "luaServer"], lambda *_: [])
    chosen = Settings.model_validate({"haproxysocketaddr": "/run/haproxy.sock"})
    reusing = Template(path.read_text(), funcs=functions, reuse=True)
    plain = Template(path.read_text(), funcs=functions)
    apps = {f"v{n}.example": _app(n, "blue") for n in range(4)}
    for number in range(8):
        leader = Leader("http://10.0.0.9:1", "10.0.0.9", number % 2 + 1)
        apps = apps | {f"v{number % 5}.example": _app(number % 5, "green" if number % 3 else "red")}
        apps.pop(f"v{(number + 2) % 5}.example", None)
        topology = Topology(apps, {"test": Namespace("led.example", leader, "env")})
        data = context(topology, chosen, f"host{number // 4}", {})
        assert rendered(reusing, data) == rendered(plain, data)
