"""The daemon starts and no controller answers: what was known is served."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.benches.processes import Bench, running_bench
from tests.waiting import until

from drove_gateway.simulator.faults import Fault
from drove_gateway.state.document import decode
from drove_gateway.state.file import NAME


@pytest.fixture
def kind() -> str:
    """The proxy, where a test does not name others."""
    return "nginx"


@pytest.fixture
async def bench(kind: str, short_path: Path) -> AsyncIterator[Bench]:
    async with running_bench(kind, short_path) as made:
        await until((short_path / "state" / NAME).exists)
        yield made


async def silence(bench: Bench) -> None:
    """Stop every controller."""
    for number in range(len(bench.cluster.urls)):
        await bench.cluster.stop_controller(number)


def stored(bench: Bench) -> Path:
    return bench.directory / "state" / NAME


def hosts_stored(bench: Bench) -> int:
    (main,) = decode(stored(bench).read_bytes()).namespaces
    return sum(len(app.hosts) for app in main.snapshot.apps)


@pytest.mark.parametrize(("kind", "ended"), [("nginx", "stop"), ("haproxy", "kill")])
async def test_the_stored_state_is_served_without_a_reload(bench: Bench, ended: str) -> None:
    await silence(bench)
    async with bench.traffic():
        await getattr(bench.daemon, ended)()
        await bench.daemon.start()
        health = await bench.says('"ServedFromIt": {"main": "20', '"State": "idle"')

    assert health["status"] == 500
    assert health["NamespaceHealth"]["main"]["Message"] == "All endpoints are down"
    assert (await bench.status())["last_reload"] is None
    assert any("event=stored_state_served" in line for line in bench.daemon.log)
    await bench.serves()


async def test_controllers_that_come_back_take_over(bench: Bench) -> None:
    await silence(bench)
    await bench.daemon.kill()
    await bench.daemon.start()
    await bench.says('"ServedFromIt": {"main": "20')

    for number in range(len(bench.cluster.urls)):
        await bench.cluster.start_controller(number)
    await bench.healthy()
    await bench.cluster.scale("web", 5)
    await bench.serves()

    assert (await bench.health())["StoredState"]["ServedFromIt"] == {}


async def test_the_first_answer_after_a_restart_may_not_wipe_the_routes(bench: Bench) -> None:
    await bench.cluster.scale("web", 8)
    await bench.serves("web")
    await until(lambda: hosts_stored(bench) == 11)
    async with bench.traffic():
        await bench.daemon.stop()
        bench.cluster.fault(Fault(kind="empty", route="endpoints"))
        await bench.daemon.start()
        await bench.says("8 servers of 8 accepted a connection")
        await bench.serves()
    bench.cluster.clear_faults()


async def test_a_torn_file_is_set_aside_and_the_gateway_starts(bench: Bench) -> None:
    await bench.daemon.kill()
    content = stored(bench).read_bytes()
    stored(bench).write_bytes(content[: len(content) // 2])

    async with bench.traffic():
        await bench.daemon.start()
        await bench.healthy()
        health = await bench.says("could not be used", "was renamed to")

    assert health["StoredState"]["Healthy"]
    await until(stored(bench).exists)


async def test_a_directory_that_cannot_be_written_is_a_warning(bench: Bench) -> None:
    await bench.daemon.stop()
    shutil.rmtree(bench.directory / "state")
    (bench.directory / "state").write_text("in the way")

    await bench.daemon.start()
    await bench.healthy()
    health = await bench.says("cannot write")

    assert health["status"] == 200
    assert health["StoredState"]["Healthy"] is False
    assert json.dumps(health).count("cannot write") == 1
