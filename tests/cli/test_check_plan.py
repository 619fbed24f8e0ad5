"""The plan of `check`: what a start would do, with nothing changed."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.benches.processes import KINDS, Bench, running_bench
from tests.proxies.nginx.plus.test_daemon import daemon
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.simulator import Options, Simulator


class Checked(NamedTuple):
    """How `check` ended, and what it printed."""

    code: int
    plan: list[str]
    printed: str
    errors: str


async def check(directory: Path, *arguments: str, **environ: str) -> Checked:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drove_gateway", "check", "-f", "nixy.toml", *arguments),
        cwd=directory,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    printed = out.decode()
    plan = [line.strip() for line in printed.partition("plan, for")[2].splitlines()[1:]]
    return Checked(process.returncode or 0, plan, printed, errors.decode())


async def check_site(bench: Bench, *arguments: str) -> Checked:
    return await check(bench.directory, *arguments, **bench.proxy.environ)


def files(directory: Path) -> dict[str, bytes]:
    """The contents of the directory, except for logs, and what programs keep of themselves."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix not in {".log", ".pid"}
    }


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, short_path: Path) -> AsyncIterator[Bench]:
    async with running_bench(request.param, short_path) as bench:
        yield bench


def files_except_state(directory: Path) -> dict[str, bytes]:
    """The files without the stored state, which a running gateway writes at any time."""
    return {name: body for name, body in files(directory).items() if "state/" not in name}


async def test_check_beside_a_running_gateway_finds_nothing_to_do(bench: Bench) -> None:
    before = files_except_state(bench.directory)
    checked = await check_site(bench, "--diff")

    assert checked.code == 0, checked.errors
    assert checked.plan[0].startswith("keep ")
    assert any("serves generation" in line for line in checked.plan)
    assert (
        f"gateway        runs at {bench.daemon.api}: healthy, idle; last applied" in checked.printed
    )
    assert "@@" not in checked.printed
    assert files_except_state(bench.directory) == before


async def test_check_in_another_environment_says_that_the_gateway_disagrees(bench: Bench) -> None:
    other = {**bench.proxy.environ, "PROXY_HTTP_PORT": str(free_port())}
    checked = await check(bench.directory, **other)

    assert any(line.startswith("reload ") for line in checked.plan)
    assert "makes another configuration of the same data" in checked.printed
    assert "makes another" not in (await check_site(bench)).printed


async def test_start_does_what_the_plan_says(bench: Bench) -> None:
    await bench.daemon.stop()
    before = files(bench.directory)
    await bench.cluster.scale("web", 4)
    await bench.cluster.deploy("new", instances=2, vhost="new.test")
    await bench.cluster.deploy("bad", instances=1, vhost="web..test")

    checked = await check_site(bench, "--diff")

    assert checked.code == 0, checked.errors
    assert files(bench.directory) == before
    assert "gateway        does not respond at" in checked.printed
    assert "rejected: namespace main, app bad-1: vhost 'web..test'" in checked.errors
    assert "vhost new.test added" in checked.plan
    changes = [line for line in checked.plan if line.startswith(f"{bench.proxy.config} changes: ")]
    assert len(changes) == 1
    assert f"--- {bench.proxy.config}\n+++ {bench.proxy.config}\n@@" in checked.printed

    await bench.daemon.start()
    await bench.healthy()
    steps = (await bench.status())["history"][-1]["steps"]
    added = {step["subject"] for step in steps if step["action"] == "add server"}
    assert added == {line.split()[0] for line in checked.plan if "wanted, and missing" in line}
    assert any(step["action"] == "reload" for step in steps)
    text = bench.proxy.config.read_text().splitlines()
    shown = [line[1:] for line in checked.printed.splitlines() if line.startswith("+ ")]
    assert shown
    assert set(shown) <= set(text)


async def test_plan_includes_held_withdrawals_and_the_stored_state(short_path: Path) -> None:
    async with running_bench("nginx", short_path) as bench:
        await bench.daemon.stop()
        await bench.cluster.remove_app("web")
        await bench.cluster.remove_app("api")
        held = await check_site(bench)
        for controller in range(3):
            await bench.cluster.stop_controller(controller, elect=False)
        silent = await check_site(bench)

    for checked in (held, silent):
        assert checked.code == 0
        assert "rendered 2 vhosts with 6 servers" in checked.printed
        assert checked.plan[0] == "keep nginx as it is"
    assert "the guard would hold 3 servers of api.test" in held.errors
    assert "the guard would hold 3 servers of web.test" in held.errors
    assert "a start would serve namespace main from the stored state" in silent.errors
    assert "with 6 servers from the stored state of main" in silent.printed


async def test_stopped_proxy_is_reported_and_is_not_an_error(short_path: Path) -> None:
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        await bench.daemon.stop()
        file = short_path / "nixy.toml"
        text = file.read_text()
        file.write_text(text.replace("runtime.sock", "nobody.sock"))
        environ = {**bench.proxy.environ, "GENERATION_PORT": "1"}
        checked = await check(short_path, **environ)

    assert checked.code == 0
    assert any("HAProxy's servers cannot be read" in line for line in checked.plan)
    assert any("does not return its generation" in line for line in checked.plan)


async def test_diff_of_a_new_installation_adds_the_whole_file(short_path: Path) -> None:
    async with running_bench("nginx", short_path) as bench:
        await bench.daemon.stop()
        bench.proxy.config.unlink()
        checked = await check_site(bench, "--diff")
        rendered = [line[1:] for line in checked.printed.splitlines() if line.startswith("+")]

    assert checked.code == 0
    assert f"{bench.proxy.config} does not exist yet" in checked.plan
    assert f"--- /dev/null\n+++ {bench.proxy.config}\n@@ -0,0 +1," in checked.printed
    assert "events {" in rendered


async def test_without_reloads_servers_change_and_no_file(short_path: Path) -> None:
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        await bench.daemon.stop()
        await bench.cluster.scale("web", 4)
        file = short_path / "nixy.toml"
        file.write_text("haproxy_reload_disabled = true\n" + file.read_text())
        checked = await check_site(bench, "--diff")

    assert checked.code == 0
    assert checked.plan[0] == "add server"
    assert not any(line.startswith("reload") for line in checked.plan)
    assert checked.plan[-1] == "no diff: reloads are disabled, so no file is written"


async def test_saved_responses_give_the_same_plan_as_live_responses(short_path: Path) -> None:
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        host = {"host": "127.0.0.9", "port": 9, "portType": "HTTP"}
        app = {"appName": "web", "appId": "web-1", "vhost": "web.test", "hosts": [host]}
        (short_path / "answer.json").write_text(json.dumps([app]))
        checked = await check_site(bench, "--endpoints", "main=answer.json")

    assert checked.code == 0
    assert "from saved responses" in checked.printed
    assert "web.test/server_127.0.0.9_9  wanted, and missing" in checked.plan


async def test_programs_get_the_plan_as_one_object(short_path: Path) -> None:
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        await bench.daemon.stop()
        await bench.cluster.scale("web", 4)
        await bench.cluster.deploy("new", instances=2, vhost="new.test")
        checked = await check_site(bench, "--json", "--diff")

    assert checked.code == 0
    plan = json.loads(checked.printed)
    assert (plan["vhosts"], plan["servers"], plan["complete"]) == (3, 9, True)
    assert [step["action"] for step in plan["steps"]] == ["add server"]
    assert "vhost new.test added" in plan["reload"]
    assert (plan["held"], plan["rejected"]) == ([], [])
    assert "ok  template" in checked.errors
    assert "+backend new.test" in checked.errors


@asynccontextmanager
async def recorded(behind: Path, front: Path, sent: list[str]) -> AsyncIterator[None]:
    """A socket at `front` that passes all on to the one at `behind`, and notes what was sent."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(str(behind))

        async def forth() -> None:
            while line := await reader.readline():
                sent.extend(line.decode().strip().split(";"))
                far_writer.write(line)
            with contextlib.suppress(OSError):
                far_writer.write_eof()

        asking = asyncio.create_task(forth())
        while data := await far_reader.read(65536):
            writer.write(data)
        writer.close()
        await asking
        far_writer.close()

    server = await asyncio.start_unix_server(relay, str(front))
    async with server:
        yield


async def test_check_sends_only_show_commands_to_haproxy(short_path: Path) -> None:
    sent: list[str] = []
    async with running_bench("haproxy-by-runtime-api", short_path) as bench:
        await bench.daemon.stop()
        await bench.cluster.scale("web", 5)
        file = short_path / "nixy.toml"
        file.write_text(file.read_text().replace("runtime.sock", "front.sock"))
        async with recorded(short_path / "runtime.sock", short_path / "front.sock", sent):
            checked = await check_site(bench)

    assert checked.code == 0, checked.errors
    assert "add server (2)" in checked.plan
    assert sent
    assert {words.split()[0] for words in sent} <= {"prompt", "show", "help", "quit"}


async def test_check_sends_only_get_requests_to_nginx_plus(short_path: Path) -> None:
    async with (
        running(NginxPlus()) as nginx,
        Simulator(Options(wait_before_kill=0.5)) as cluster,
    ):
        await cluster.deploy("web", instances=2)
        async with daemon(nginx, cluster, short_path) as gateway:
            await until(gateway.healthy)
        await cluster.scale("web", 3)
        nginx.api.forget_calls()
        checked = await check(short_path, GENERATION_PORT=str(nginx.traffic_port))

    assert checked.code == 0, checked.errors
    assert checked.plan[0] == "add server"
    assert nginx.api.log
    assert {method for method, _ in nginx.api.log} == {"GET"}
