"""Rendering the shipped templates: our engine, Go's text/template, Jinja2 and gotpl.

All four render the same data, and what they write is compared. Go runs as a process of its own
and times `Execute` alone, into a buffer; it is left out where there is no Go toolchain, and with
templates that call the Lua balancer, whose functions only the gateway has. Options:
`--vhosts N` (may be repeated), `--template NAME` (may be repeated), `--rounds N`, `--no-gotpl`.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial
from pathlib import Path

import gotpl
import msgspec
from bench.peers import jinja
from bench.report import announce, milliseconds, save, show

from drove_gateway.config import Settings
from drove_gateway.config.fields import ProxyPlatform
from drove_gateway.gotemplate import Template
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.template_data import RenderingData, context
from drove_gateway.proxies.nginx.lua.configuration import LuaOptions
from drove_gateway.proxies.nginx.lua.template_functions import LuaUse, lua_functions, lua_use
from drove_gateway.templates import NAMES, shipped

SIZES = (100, 1000, 5000)
HOSTS = 10
SLOW = 1000.0
GO_SOURCES = Path(__file__).parent / "peers" / "go_templates"

FUNCTIONS: Mapping[str, Callable[..., object]] = {
    **gateway_functions({}, lambda: GoTime(0, UTC)),
    "proxyAtLeast": lambda _: True,
    "hasIPv6": lambda: True,
    "files": lambda _directory, _ending: [],
    **lua_functions(lambda: LuaOptions(listen="127.0.0.1:8080"), LuaUse(True, groups=True)),
}


def rendering_data(vhosts: int, platform: ProxyPlatform) -> RenderingData:
    """Vhosts with two groups each, ten hosts, every eighth vhost over https."""
    topology = Topology(
        namespaces={
            "stage1": Namespace("drove.example.com", Leader("http://c1:4000", "c1", 4000), "color")
        },
        apps={name: _app(number, name) for number, name in enumerate(_names(vhosts))},
    )
    settings = Settings(
        proxy_platform=platform,
        haproxysocketaddr="/run/haproxy/admin.sock",
        haproxy_add_server_attributes_string="check inter 2s",
    )
    made = context(topology, settings, "gateway-1")
    return msgspec.structs.replace(made, generation="0123456789abcdef")


def _names(vhosts: int) -> list[str]:
    return [f"app{number:05}.example.com" for number in range(vhosts)]


def _app(number: int, name: str) -> App:
    kind = "https" if number % 8 == 0 else "http"
    hosts = tuple(
        Host(f"10.{number >> 8}.{number & 255}.{host}", 31000 + host, kind) for host in range(HOSTS)
    )
    half = HOSTS // 2
    tags = {"team": "payments", "weight": "10"}
    groups = {name: HostGroup(hosts[:half], tags), "blue": HostGroup(hosts[half:], tags)}
    return App(name, name, hosts, tags, groups, "color")


class Go:
    """The Go program, compiled once."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def measure(self, source: str, data: RenderingData, rounds: int) -> tuple[str, float, float]:
        """What Go writes, and its milliseconds: parsing, and the median of executing."""
        asked = {"Template": source, "Data": msgspec.to_builtins(data), "Rounds": rounds}
        ran = subprocess.run([self.program], input=json.dumps(asked), text=True, check=True,
                             capture_output=True)  # fmt: skip
        answer = json.loads(ran.stdout)
        return answer["output"], answer["parse"] / 1e6, statistics.median(answer["rounds"]) / 1e6


def go_program(directory: Path) -> Go | None:
    """The Go peer, or None where Go is not installed."""
    go = shutil.which("go")
    if go is None:
        print("There is no Go toolchain on this machine: Go is left out.")
        return None
    program = directory / "go_templates"
    subprocess.run([go, "build", "-o", program, "."], cwd=GO_SOURCES, check=True)
    return Go(program)


def measured(work: Callable[[], str], rounds: int) -> tuple[str, float]:
    """What was written, and the median in milliseconds; slow peers run only once."""
    begin = time.perf_counter()
    written = work()
    first = (time.perf_counter() - begin) * 1000
    return written, first if first > SLOW else milliseconds(work, rounds)


def compare(
    name: str, vhosts: int, rounds: int, go: Go | None, with_gotpl: bool
) -> dict[str, object]:
    """Measure a template at a size, by every engine."""
    source = shipped(name)
    data = rendering_data(vhosts, "haproxy" if name.startswith("haproxy") else "nginx")
    plain = msgspec.to_builtins(data)
    ours = Template(source, name=name, funcs=FUNCTIONS)
    peer = jinja.compiled(source, FUNCTIONS)
    engines: dict[str, Callable[[], str]] = {
        "ours": lambda: ours.render(data),
        "jinja2": lambda: peer(data),
    }
    if with_gotpl:
        other = gotpl.Template(source, functions=FUNCTIONS)
        engines["gotpl"] = lambda: str(other.render(plain))
    written, taken = {}, {}
    for engine, work in engines.items():
        written[engine], taken[engine] = measured(work, rounds)
    if go is not None and not lua_use(source).balancer:
        written["go"], _, taken["go"] = go.measure(source, data, rounds)
    for engine, text in written.items():
        if text != written["ours"]:
            raise SystemExit(f"{engine} renders {name} for {vhosts} vhosts differently")
    row: dict[str, object] = {"template": name, "vhosts": vhosts}
    row |= {f"{engine} ms": taken.get(engine) for engine in ("ours", "go", "jinja2", "gotpl")}
    row |= {f"ours/{peer}": taken["ours"] / taken[peer] for peer in taken if peer != "ours"}
    return row


def compile_times(rounds: int, names: list[str]) -> list[dict[str, object]]:
    """CPU time from a template's text until it has rendered nothing for the first time."""
    nothing = rendering_data(0, "nginx")

    def milliseconds_of(source: str) -> float:
        work = partial(_compile, source, nothing)
        return milliseconds(work, rounds, clock=time.process_time)

    return [{"template": name, "compile ms": milliseconds_of(shipped(name))} for name in names]


def _compile(source: str, data: RenderingData) -> None:
    Template(source, funcs=FUNCTIONS).render(data)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench render", description=__doc__)
    parser.add_argument("--vhosts", type=int, action="append")
    parser.add_argument("--template", choices=NAMES, action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-gotpl", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write the results down."""
    chosen = options()
    names = chosen.template or list(NAMES)
    announce(f"Rendering N vhosts x {HOSTS} hosts, medians of {chosen.rounds} rounds in ms")
    with tempfile.TemporaryDirectory() as directory:
        go = go_program(Path(directory))
        rows = [
            compare(name, vhosts, chosen.rounds, go, not chosen.no_gotpl)
            for name in names
            for vhosts in chosen.vhosts or SIZES
        ]
    show("Rendering (the goal: ours/go at most 0.5 at 1,000 vhosts)", rows)
    compiling = compile_times(chosen.rounds, names)
    show("Compiling, CPU time (the goal: under 20 ms)", compiling)
    print(f"\nWritten to {save('render', [*rows, *compiling])}")


if __name__ == "__main__":
    main()
