"""What the proxy has at runtime before its file was checked is checked in any case."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.proxies.nginx_rig import topology
from tests.waiting import until

from drove_gateway.config import Settings
from drove_gateway.metrics import Metrics
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile

TEMPLATE = """\
# drove-gateway: generation http://127.0.0.1:1/generation
id {{.Generation}}
{{- range .Apps}}
vhost {{.Vhost}}
{{- end}}
"""
CHECK = '#!/bin/sh\nif grep -n "vhost bad" "$1"; then exit 1; fi\n'


class Anything:
    """A runtime API that brings every text."""

    def first_line(self, before: str, after: str) -> str:  # noqa: ARG002
        return ""

    async def bring(self, before: str, after: str) -> str:  # noqa: ARG002
        return ""


class SlowProxy:
    """A proxy whose generation is requested, and responds once it `may_respond`."""

    def __init__(self) -> None:
        self.may_respond = asyncio.Event()
        self.asked = False

    async def ask(self, url: str) -> str | None:  # noqa: ARG002
        self.asked = True
        await self.may_respond.wait()
        return None

    async def prove(self, url: str, generation: str, *, timeout: float) -> None: ...

    async def reload(self) -> None: ...


@pytest.fixture
async def proxy() -> AsyncIterator[SlowProxy]:
    made = SlowProxy()
    yield made
    made.may_respond.set()


@pytest.fixture
def installation(tmp_path: Path, proxy: SlowProxy) -> FileInstallation:
    template, check, settings = tmp_path / "x.tmpl", tmp_path / "check.sh", Settings()
    template.write_text(TEMPLATE)
    check.write_text(CHECK)
    check.chmod(0o755)
    config = tmp_path / "x.cfg"
    return FileInstallation(
        Platform("X", config, lambda file: (str(check), str(file)), proxy.reload),
        TemplateFile(template, ("{{", "}}"), {}),
        Renderer(
            lambda compiled, wanted: render(
                compiled, context(wanted, settings, "lb1"), lambda _: "nothing"
            ),
            Metrics(),
        ),
        delims=("{{", "}}"),
        timeout=20,
        prove=proxy.prove,
        ask=proxy.ask,
        clock=time.monotonic,
    )


async def test_a_write_of_an_earlier_topology_does_not_count_as_the_check_of_a_later(
    installation: FileInstallation, proxy: SlowProxy
) -> None:
    """While the write waited, the runtime API got a vhost that the file cannot have."""
    await installation.install(topology(web=1))
    comparing = asyncio.create_task(installation.drift())
    await until(lambda: proxy.asked)
    writing = asyncio.create_task(installation.write(topology(web=1, api=1)))
    await asyncio.sleep(0)
    later = topology(web=1, bad=1)
    assert await installation.hasten(later, Anything()) is not None
    proxy.may_respond.set()
    await comparing
    assert await writing
    assert not installation.ahead()
    await installation.write(later)
    assert "bad" in installation.ahead()
