"""Rendering in the daemon: off the event loop, one at a time, and counted when it is slow."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from bench.render import FUNCTIONS, rendering_data
from tests.proxies.installation.names import no_names
from tests.waiting import until

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import RenderError
from drove_gateway.model.health import HealthSection
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.reloading import ReloadingProxy
from drove_gateway.proxies.installation.render import Rendered, interpreted, render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.templates import shipped

_PATIENCE_SECONDS = 20
EMPTY = Topology({}, {})
INSIDE_PARENTHESES = "a variable is declared or assigned inside parentheses"


def large() -> Topology:
    """5,000 vhosts with ten servers each."""
    data = rendering_data(5000, "nginx")
    return Topology(data.apps, data.namespaces)


async def _prove(url: str, generation: str, *, timeout: float) -> None: ...


async def _ask(url: str) -> str | None: ...


async def _reload() -> None: ...


def installation(
    directory: Path, template: str, metrics: Metrics, **functions: Callable[..., object]
) -> FileInstallation:
    path = directory / "nginx.tmpl"
    path.write_text(template)

    def rendered(template: Template, topology: Topology) -> Rendered:
        return render(template, context(topology, Settings(), "lb1"))

    return FileInstallation(
        Platform(name="proxy", config=directory / "proxy.conf", check=None, reload=_reload),
        TemplateFile(path, ("{{", "}}"), {**FUNCTIONS, **functions}),
        Renderer(rendered, metrics),
        delims=("{{", "}}"),
        timeout=20,
        prove=_prove,
        ask=_ask,
        clock=lambda: 0.0,
    )


async def turns(count: int) -> None:
    """Let the event loop run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_event_loop_keeps_turning_while_a_large_template_renders(tmp_path: Path) -> None:
    """The template waits, in its middle, for the loop to turn a hundred times."""
    rendering, turned = threading.Event(), threading.Event()

    def middle() -> str:
        rendering.set()
        return f"# the loop turned: {turned.wait(_PATIENCE_SECONDS)}"

    template = shipped("nginx") + "{{middle}}" + shipped("nginx")
    installing = asyncio.create_task(
        installation(tmp_path, template, Metrics(), middle=middle).install(large())
    )
    await until(rendering.is_set)
    await turns(100)
    turned.set()
    installed = await installing
    text = (tmp_path / "proxy.conf").read_text()
    assert installed.topology.apps.keys() == large().apps.keys()
    assert "# the loop turned: True" in text
    assert text.count("10.19.135.0") > 1


class Slow:
    """A rendering that lasts until it is released; counts how many run at once."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.started = 0
        self.at_once: set[int] = set()
        self._running = 0

    def __call__(self, _: Template, __: Topology) -> Rendered:
        self.started += 1
        self._running += 1
        self.at_once.add(self._running)
        self.release.wait(_PATIENCE_SECONDS)
        self._running -= 1
        return Rendered("text", "id", None)


async def test_a_template_is_never_executed_twice_at_once_even_after_a_cancellation() -> None:
    slow = Slow()
    renderer = Renderer(slow, Metrics())
    cancelled = asyncio.create_task(renderer.rendered(Template(""), EMPTY))
    await until(lambda: slow.started == 1)
    for _ in range(2):
        cancelled.cancel()
        await turns(10)
    assert not cancelled.done()
    following = asyncio.create_task(renderer.rendered(Template(""), EMPTY))
    await turns(10)
    slow.release.set()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await following).text == "text"
    assert (slow.started, slow.at_once) == (2, {1})


async def test_what_a_rendering_raises_reaches_the_caller() -> None:
    def fail(_: Template, __: Topology) -> Rendered:
        raise RenderError("line 3 is wrong")

    with pytest.raises(RenderError, match="line 3 is wrong"):
        await Renderer(fail, Metrics()).rendered(Template(""), EMPTY)


@pytest.mark.parametrize(
    ("template", "message", "count"),
    [
        ("{{.Xproxy}}", "OK", 0),
        (
            "{{and true ($x := 1)}}",
            f"OK: {interpreted(f'line 1 of nginx.tmpl: {INSIDE_PARENTHESES}')}",
            1,
        ),
    ],
    ids=["compiled", "interpreted"],
)
async def test_health_and_a_counter_say_that_the_slow_interpreter_rendered(
    tmp_path: Path, template: str, message: str, count: int
) -> None:
    metrics = Metrics()
    proxy = ReloadingProxy(installation(tmp_path, template, metrics), no_names(), audit_interval=60)
    await proxy.apply(proxy.plan(EMPTY))
    assert proxy.health().template == HealthSection(healthy=True, message=message)
    shown = metrics.render().decode()
    assert f"\ndrove_gateway_template_interpreted_renders_total {count}\n" in shown
