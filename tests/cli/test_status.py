"""`status`: the running gateway's own word, for people and for programs."""

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import msgspec
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import WELL
from tests.admin.test_server import certificate
from tests.benches.processes import running_bench
from tests.cli.conftest import Call
from tests.cli.test_accept import HELD, NAMESPACE, gateway
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.model.health import HealthSection
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import Progress
from drove_gateway.status.status import with_progress, with_proxy


def make_healthy(api: Api) -> None:
    api.status = with_proxy(api.status, WELL)


async def call_status(call: Call, *arguments: str) -> tuple[int, str, str]:
    result = await asyncio.to_thread(call, "status", *arguments)
    return result.exit_code, result.stdout, result.stderr


async def test_healthy_gateway_exits_with_0(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        code, shown, errors = await call_status(call)

    assert (code, errors) == (0, "")
    assert re.match(r"drove-gateway 1.2.3 at http://127.0.0.1:\d+, up ", shown)
    assert "template         ok" in shown


async def test_unhealthy_gateway_exits_with_1_and_shows_the_problem(
    directory: Path, call: Call
) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        bad = msgspec.structs.replace(
            WELL, template=HealthSection(False, "x.tmpl:3: no such function")
        )
        api.status = with_proxy(api.status, bad)
        code, shown, errors = await call_status(call)

    assert code == 1
    assert "NOT HEALTHY" in shown
    assert "BAD  x.tmpl:3: no such function" in shown
    assert errors == ""


async def test_gateway_of_another_configuration_at_this_port_is_warned_of(
    directory: Path, call: Call
) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        demo = NamespaceView("demo", (EndpointView("http://127.0.0.1:2", healthy=True),))
        api.status = msgspec.structs.replace(api.status, namespaces=(demo,))
        code, shown, errors = await call_status(call)
        _, document, silence = await call_status(call, "--json")

    assert code == 0
    assert shown.startswith("drove-gateway 1.2.3")
    assert "runs with another configuration: its namespaces are demo, and those of" in errors
    assert json.loads(document)["healthy"] is True
    assert silence == ""


async def test_change_of_a_held_withdrawal_is_shown(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        api.status = msgspec.structs.replace(api.status, held=(HELD,))
        _, shown, _ = await call_status(call)

    assert "a.local, b.local: the response is suddenly empty" in shown


async def test_json_option_prints_the_response_unchanged(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        code, shown, _ = await call_status(call, "--json")

    document = json.loads(shown)
    assert code == 0
    assert document["healthy"] is True
    assert {"namespaces", "history", "held", "rejected", "reconciler", "draining"} <= set(document)


def test_stopped_gateway_is_an_error_with_advice(directory: Path, call: Call) -> None:
    (directory / "nixy.toml").write_text(f"port = 1\n{NAMESPACE}")
    result = call("status", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: no gateway responds at http://127.0.0.1:1: Connection refused; check that "
        "it runs, and with this configuration\n"
    )


def test_unusable_configuration_is_reported(directory: Path, call: Call) -> None:
    (directory / "nixy.toml").write_text('port = "many"\n')
    result = call("status")
    assert result.exit_code == 1
    assert "port" in result.stderr


async def test_server_that_is_not_a_gateway_is_reported(directory: Path, call: Call) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (directory / "nixy.toml").write_text(f"port = {port}\n{NAMESPACE}")
        code, _, errors = await call_status(call)

    assert code == 1
    assert "is not a drove-gateway" in errors


async def test_the_token_is_sent_and_never_shown(directory: Path, call: Call) -> None:
    keys = 'admin_token = "let-me-act"\nadmin_read_token = "let-me-read"'
    async with gateway(directory, keys) as api:
        make_healthy(api)
        good = await call_status(call)
        file = directory / "nixy.toml"
        file.write_text(file.read_text().replace("let-me-act", "wrong-one"))
        refused = await call_status(call)

    assert good[0] == 0
    assert refused[0] == 1
    assert "the request has a wrong token" in refused[2]
    assert not any("let-me" in part or "wrong-one" in part for part in (*good[1:], *refused[1:]))


async def test_over_tls_the_configured_certificate_is_trusted(directory: Path, call: Call) -> None:
    cert, key = certificate(directory, "gateway")
    files = f'port_tls_certfile = "{cert}"\nport_tls_keyfile = "{key}"'
    async with gateway(directory, f"port_use_tls = true\n{files}") as api:
        make_healthy(api)
        code, shown, _ = await call_status(call)

    assert code == 0
    assert "https://127.0.0.1:" in shown


async def test_host_option_connects_to_another_machine(directory: Path, call: Call) -> None:
    """Its address means that host, and the files that it names are there, not here."""
    cert, key = certificate(directory, "gateway")
    files = f'port_tls_certfile = "{cert}"\nport_tls_keyfile = "{key}"'
    async with gateway(directory, f"port_use_tls = true\n{files}") as api:
        make_healthy(api)
        file = directory / "nixy.toml"
        elsewhere = 'address = "127.99.99.99"\n'
        file.write_text(elsewhere + file.read_text().replace(str(key), "/no/key"))
        here = await call_status(call)
        there = await call_status(call, "--host", "127.0.0.1")
        file.write_text(file.read_text().replace(str(cert), "/no/certificate"))
        untrusted = await call_status(call, "--host", "localhost")

    assert here[0] == 1
    assert "no gateway responds at https://127.99.99.99:" in here[2]
    assert there[0] == 0
    assert untrusted[0] == 1
    assert "certificate" in untrusted[2].lower()


_DEADLINE_SECONDS = 60.0


@asynccontextmanager
async def watching(
    directory: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """`status --watch` with its output in a pipe."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drove_gateway", "status", "--watch", *arguments),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            yield process, process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_watch_without_a_terminal_prints_each_change_once(directory: Path) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        async with watching(directory, "--json") as (process, output):
            first = json.loads(await output.readline())
            api.status = with_progress(api.status, Progress("retrying", None, 1, "no space"))
            second = json.loads(await output.readline())
            process.send_signal(signal.SIGINT)
            rest = await output.read()
            code = await process.wait()

    assert first["reconciler"]["state"] == "waiting"
    assert second["reconciler"] == {
        "state": "retrying", "error": "no space", "attempts": 1, "next_try": None,
    }  # fmt: skip
    assert (code, rest) == (0, b"")


class Terminal:
    """A program whose output goes to a pseudo-terminal, and all that it has drawn."""

    def __init__(self, process: asyncio.subprocess.Process, screen: int) -> None:
        self.process = process
        self.drawn = b""
        self._screen = screen

    def shows(self, *texts: str) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.drawn += os.read(self._screen, 65536)
        return all(text.encode() in self.drawn for text in texts)


@asynccontextmanager
async def terminal(directory: Path, *arguments: str, **environ: str) -> AsyncIterator[Terminal]:
    """The program at work on a terminal."""
    screen, behind = pty.openpty()
    os.set_blocking(screen, False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drove_gateway", *arguments),
        cwd=directory,
        stdout=behind,
        stderr=behind,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", **environ},
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            yield Terminal(process, screen)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(behind)
        os.close(screen)


async def test_watch_on_a_terminal_redraws_until_ctrl_c(directory: Path) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        async with terminal(directory, "status", "--watch") as seen:
            await until(lambda: seen.shows("drove-gateway 1.2.3", "\x1b[32mhealthy\x1b[0m"))
            api.status = with_progress(api.status, Progress("retrying", None, 1, "no space"))
            await until(lambda: seen.shows("retrying (no space)"))
            assert seen.drawn.count(b"\x1b[H") >= 2
            seen.process.send_signal(signal.SIGINT)
            assert await seen.process.wait() == 0
            seen.shows()
    assert b"Traceback" not in seen.drawn
    assert b"Aborted" not in seen.drawn


async def test_watch_waits_for_a_gateway_that_stops(directory: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with gateway(directory, "") as api:
            make_healthy(api)
            seen = await stack.enter_async_context(terminal(directory, "status", "--watch"))
            await until(lambda: seen.shows("drove-gateway 1.2.3"))
        await until(lambda: seen.shows("no gateway responds", "Retrying every second"))
        seen.process.send_signal(signal.SIGINT)
        assert await seen.process.wait() == 0


@pytest.mark.parametrize("no_color", ["", "1"])
async def test_no_color_is_respected(directory: Path, no_color: str) -> None:
    async with gateway(directory, "") as api:
        make_healthy(api)
        async with terminal(directory, "status", NO_COLOR=no_color) as seen:
            assert await seen.process.wait() == 0
            seen.shows()
    assert (b"\x1b[32m" in seen.drawn) == (no_color == "")


async def test_last_changes_of_a_real_gateway_are_shown(short_path: Path) -> None:
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        await bench.cluster.scale("web", 4)
        await bench.serves("web")
        async with terminal(short_path, "status", "-f", "nixy.toml", COLUMNS="100") as seen:
            assert await seen.process.wait() == 0
            seen.shows()
    shown = click.unstyle(seen.drawn.decode())
    assert "2 vhosts with 7 servers" in shown
    assert re.search(r"main +http://127.0.0.1:\d+ +\d+ s ago +2 +ok", shown)
    assert re.search(r"ago +\d+ ms +add server web.test/server_127", shown)
    assert re.search(r"ago +\d+ ms +reload HAProxy; reload: the gateway started", shown)
    assert max(map(len, shown.splitlines())) <= 100


async def test_watch_without_a_terminal_reports_a_stopped_gateway_once(directory: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with gateway(directory, "") as api:
            make_healthy(api)
            process, output = await stack.enter_async_context(watching(directory))
            assert b"drove-gateway 1.2.3" in await output.readline()
        while b"error: no gateway responds" not in (line := await output.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        assert b"no gateway responds" not in await output.read()
        assert await process.wait() == 0


async def test_wait_ends_when_the_gateway_is_healthy(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        waiting = asyncio.create_task(call_status(call, "--wait", "20"))
        await asyncio.sleep(0.7)
        assert not waiting.done()
        make_healthy(api)
        code, shown, errors = await waiting

    assert (code, errors) == (0, "")
    assert "template         ok" in shown


async def test_wait_ends_with_the_last_status_when_time_is_over(
    directory: Path, call: Call
) -> None:
    async with gateway(directory, ""):
        code, shown, _ = await call_status(call, "--wait", "0.3")

    assert code == 1
    assert "NOT HEALTHY" in shown


async def test_wait_ends_with_the_error_when_no_gateway_responds(
    directory: Path, call: Call
) -> None:
    (directory / "nixy.toml").write_text(f"port = {free_port()}\n{NAMESPACE}")
    code, shown, errors = await call_status(call, "--wait", "0.3")

    assert (code, shown) == (1, "")
    assert "no gateway responds at" in errors
