"""What the gateway's own machine and its proxy can do to it."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from tests.benches.processes import Bench
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.demo.daemon import Daemon, this_program

pytestmark = pytest.mark.asyncio(loop_scope="module")

only_haproxy = pytest.mark.parametrize("shared_bench", ["haproxy"], indirect=True, scope="module")
only_nginx = pytest.mark.parametrize("shared_bench", ["nginx"], indirect=True, scope="module")

HANGING_CHECK = 'case "$*" in *" -t"|*" -c") exec sleep 600;; esac'
HANGING_RELOAD = 'case "$*" in *"-s reload") exec sleep 600;; esac'


@contextmanager
def limited(bench: Bench, limit: int, value: int) -> Iterator[None]:
    """The running daemon's soft limit, lowered in the block."""
    before = resource.prlimit(bench.daemon.pid, limit)
    resource.prlimit(bench.daemon.pid, limit, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(bench.daemon.pid, limit, before)


@asynccontextmanager
async def silent(socket: Path, *, pause: float | None = None) -> AsyncIterator[asyncio.Event]:
    """A program listens in the socket's place that never answers, or with `pause` sends a byte
    each so many seconds. The event is set when a client came."""
    aside = socket.with_suffix(".aside")
    socket.rename(aside)
    done, came = asyncio.Event(), asyncio.Event()

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        while not done.is_set() and not writer.is_closing():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), pause)
            if pause is not None:
                writer.write(b"x")
        writer.transport.abort()

    server = await asyncio.start_unix_server(never, socket)
    ours = socket.stat().st_ino
    try:
        yield came
    finally:
        done.set()
        server.close()
        if not socket.exists() or socket.stat().st_ino == ours:
            aside.replace(socket)


@asynccontextmanager
async def hanging_reload(bench: Bench) -> AsyncIterator[None]:
    if bench.proxy.kind == "haproxy":
        async with silent(bench.directory / "master.sock"):
            yield
        return
    bench.interfere(HANGING_RELOAD)
    yield
    bench.interfere("")


async def changed_vhost(bench: Bench, name: str) -> None:
    """A change that needs a new configuration of either proxy."""
    await bench.cluster.deploy(name, instances=2)


async def test_a_full_disk_keeps_traffic_and_is_reported(shared: Bench) -> None:
    async with shared.traffic():
        with limited(shared, resource.RLIMIT_FSIZE, 0):
            await shared.cluster.deploy("full", instances=2)
            health = await shared.says("cannot write next to")
            for part in ("stays as it is", "what the proxy loaded", "free space on the disk of"):
                assert part in health["Config"]["Message"]
            await shared.valid()
        await shared.serves("full")
        await shared.healthy()
    assert not list(shared.directory.glob(".*.tmp-*"))


async def test_the_gateway_starts_on_a_full_disk(shared: Bench) -> None:
    await shared.daemon.stop()
    async with shared.traffic():
        program = ("/bin/sh", "-c", 'ulimit -f 0; exec "$@" 2>/dev/null', "sh")
        await shared.daemon.start((*program, *this_program()))
        await shared.healthy()
        await shared.cluster.deploy("full", instances=1)
        health = await shared.says("cannot write next to")
        assert "free space on the disk of" in health["Config"]["Message"]
        assert shared.daemon.running


@only_haproxy
async def test_servers_reach_haproxy_though_the_disk_is_full(shared: Bench) -> None:
    async with shared.traffic():
        with limited(shared, resource.RLIMIT_FSIZE, 0):
            await shared.cluster.scale("web", 5)
            await shared.serves("web")
        await shared.healthy()


async def test_without_file_descriptors_traffic_stays_and_everything_continues_afterwards(
    shared: Bench,
) -> None:
    async with shared.traffic():
        opened = len(list(Path(f"/proc/{shared.daemon.pid}/fd").iterdir()))
        with limited(shared, resource.RLIMIT_NOFILE, opened):
            await shared.cluster.scale("web", 6)
            await changed_vhost(shared, "scarce")
            await until(lambda: "Too many open files" in "".join(shared.daemon.log))
        await shared.healthy()
        await shared.serves("web", "scarce")


@only_nginx
async def test_a_missing_pid_file_keeps_traffic_and_says_how_to_repair_it(shared: Bench) -> None:
    pid_file = shared.directory / "nginx.pid"
    master = pid_file.read_text().strip()
    async with shared.traffic():
        pid_file.unlink()
        await changed_vhost(shared, "unsignalled")
        health = await shared.says(f"runs as process {master}", f"Write {master} to the pid file")
        assert health["Template"]["Healthy"]
        pid_file.write_text(master)
        await shared.serves("unsignalled")
        await shared.healthy()


async def test_a_missing_program_keeps_traffic_and_is_reported(shared: Bench) -> None:
    wrapper = shared.directory / "wrapper"
    aside = wrapper.with_suffix(".aside")
    async with shared.traffic():
        wrapper.rename(aside)
        await changed_vhost(shared, "missed")
        health = await shared.says("no program")
        assert f"{wrapper}" in health["Config"]["Message"]
        aside.rename(wrapper)
        await shared.serves("missed")
        await shared.healthy()


async def test_a_hanging_check_keeps_traffic_and_is_reported(shared: Bench) -> None:
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        shared.interfere(HANGING_CHECK)
        await changed_vhost(shared, "unchecked")
        health = await shared.says("did not end within 2 s and was killed")
        assert not health["Config"]["Healthy"]
        assert shared.proxy.config.read_text() == before
        shared.interfere("")
        await shared.serves("unchecked")
        await shared.healthy()


async def test_a_hanging_reload_keeps_traffic_and_is_reported(shared: Bench) -> None:
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        async with hanging_reload(shared):
            await changed_vhost(shared, "unloaded")
            health = await shared.says("within 2 s")
            assert not health["Config"]["Healthy"]
            assert shared.proxy.config.read_text() == before
        await shared.serves("unloaded")
        await shared.healthy()


@only_nginx
async def test_a_reload_that_only_claims_success_is_noticed(shared: Bench) -> None:
    """HAProxy's master socket tells by itself whether the new worker started."""
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        shared.interfere('case "$*" in *"-s reload") exit 0;; esac')
        await changed_vhost(shared, "claimed")
        health = await shared.says("is not served at http://127.0.0.1:")
        assert not health["Config"]["Healthy"]
        assert shared.proxy.config.read_text() == before
        shared.interfere("")
        await shared.serves("claimed")
        await shared.healthy()


@only_haproxy
async def test_a_hanging_runtime_api_is_reported_and_avoided(shared: Bench) -> None:
    async with shared.traffic():
        async with silent(shared.directory / "runtime.sock"):
            await shared.cluster.scale("web", 7)
            health = await shared.says("runtime.sock")
            assert not health["UpstreamUpdatesViaAPI"]["Healthy"]
            begin = time.monotonic()
            explained = await shared.status("/v1/explain?q=web.test")
            assert "runtime.sock" in str(explained)
            # A second until the silence is known, and the machine's own pace.
            assert time.monotonic() - begin < 3
            await shared.serves("web", seconds=20)
        await shared.healthy()


@only_haproxy
@pytest.mark.parametrize("pause", [1.0, None], ids=["a byte a second", "silent"])
async def test_sigterm_ends_the_gateway_in_time_while_the_runtime_api_does_not_respond(
    shared: Bench, pause: float | None
) -> None:
    """In time: ten seconds, whatever hangs, and the machine's own pace."""
    async with shared.traffic():
        async with silent(shared.directory / "runtime.sock", pause=pause) as came:
            await shared.cluster.scale("web", 5)
            await asyncio.wait_for(came.wait(), 20)
            begin = time.monotonic()
            assert await shared.ended(signal.SIGTERM) == 0
            assert time.monotonic() - begin < 12
        await shared.valid()
        await shared.daemon.start()
        await shared.healthy()
        await shared.serves("web")


@only_haproxy
async def test_while_the_proxy_is_silent_at_the_start_the_api_responds_and_sigterm_ends_it(
    shared: Bench,
) -> None:
    await shared.daemon.stop()
    stored = shared.directory / "state"
    stored.rename(stored.with_suffix(".aside"))
    shared.interfere('case "$*" in -v) exec sleep 600;; esac')
    async with shared.traffic(), silent(shared.directory / "runtime.sock") as came:
        await shared.daemon.start()
        await asyncio.wait_for(came.wait(), 20)
        begin = time.monotonic()
        health = await shared.says("pending first check")
        assert health["status"] == 500
        assert await shared.ended(signal.SIGTERM) == 0
        assert time.monotonic() - begin < 8
    shared.interfere("")
    stored.with_suffix(".aside").rename(stored)
    await shared.daemon.start()
    await shared.healthy()


@only_haproxy
@pytest.mark.parametrize(
    ("replace", "stop", "then", "code"),
    [
        pytest.param("0.3", "600", None, 1, id="and ends by itself"),
        pytest.param("600", "0.3", signal.SIGTERM, 0, id="and obeys SIGTERM"),
    ],
)
async def test_a_gateway_that_cannot_leave_its_configuration_makes_room(
    shared: Bench, replace: str, stop: str, then: signal.Signals | None, code: int
) -> None:
    """SIGHUP brought another, and a task loses its cancellation: the daemon followed nothing."""
    text = shared.daemon.config.read_text()
    await shared.daemon.stop()
    program = Path(__file__).with_name("stuck.py")
    await shared.daemon.start((sys.executable, str(program), replace, stop))
    await shared.healthy()
    async with shared.traffic():
        shared.daemon.config.write_text(f"api_timeout = 2.5\n{text.replace('api_timeout', '# ')}")
        shared.daemon.signal(signal.SIGHUP)
        await until(lambda: "event=configuration_changed" in shared.daemon.tail())
        assert await shared.ended(then) == code


@only_haproxy
async def test_a_pipe_in_the_configurations_place_stops_nothing(shared: Bench) -> None:
    file = shared.daemon.config
    aside = file.with_suffix(".aside")
    file.rename(aside)
    os.mkfifo(file)
    async with shared.traffic():
        shared.daemon.signal(signal.SIGHUP)
        await until(lambda: "it is not a regular file" in shared.daemon.tail())
        await shared.cluster.scale("web", 4)
        await shared.serves("web")
    aside.replace(file)


async def test_a_second_gateway_for_the_proxy_ends_and_changes_nothing(shared: Bench) -> None:
    """With HAProxy it has another configuration file and the same sockets."""
    directory = shared.directory / "second"
    directory.mkdir()
    second = Daemon(directory, f"http://127.0.0.1:{free_port()}", shared.proxy.environ)
    text = shared.daemon.config.read_text()
    for before, after in (
        (
            f"port = {shared.daemon.api.rpartition(':')[2]}",
            f"port = {second.api.rpartition(':')[2]}",
        ),
        (f"{shared.directory}/state", f"{directory}/state"),
        (f"{shared.directory}/haproxy.cfg", f"{directory}/haproxy.cfg"),
    ):
        assert before in text or "haproxy.cfg" in before
        text = text.replace(before, after)
    second.config.write_text(text)
    file = shared.proxy.config.read_text()
    async with shared.traffic():
        await second.start()
        assert await asyncio.wait_for(second.ended(), 30) == 1
    assert "another drove-gateway" in second.tail()
    assert shared.proxy.config.read_text() == file
    await shared.healthy()


async def test_a_log_that_cannot_be_written_stops_nothing(shared: Bench) -> None:
    await shared.daemon.stop()
    async with shared.traffic():
        program = ("/bin/sh", "-c", 'exec "$@" 2>/dev/full >/dev/full', "sh")
        await shared.daemon.start((*program, *this_program()))
        await shared.healthy()
        await shared.cluster.scale("web", 3)
        await shared.serves("web")
        assert await shared.daemon.stop() == 0
    await shared.daemon.start()
    await shared.healthy()
