"""The daemon starts and no controller answers: what was known is served."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.faults.site import Site, site
from tests.waiting import until

from drove_gateway.simulator.faults import Fault
from drove_gateway.state.document import decode
from drove_gateway.state.file import NAME

# A busy machine takes its time to start a process.
PATIENCE = 60.0


@pytest.fixture
def kind() -> str:
    """The proxy, where a test does not name others."""
    return "nginx"


@pytest.fixture
async def place(kind: str, short_path: Path) -> AsyncIterator[Site]:
    async with site(kind, short_path) as made:
        await until((short_path / "state" / NAME).exists)
        yield made


async def silence(place: Site) -> None:
    """Stop every controller."""
    for number in range(len(place.cluster.urls)):
        await place.cluster.stop_controller(number)


async def status(place: Site) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{place.api}/v1/status") as answer:
        shown: dict[str, object] = await answer.json()
        return shown


def stored(place: Site) -> Path:
    return place.directory / "state" / NAME


def hosts_stored(place: Site) -> int:
    (main,) = decode(stored(place).read_bytes()).namespaces
    return sum(len(app.hosts) for app in main.snapshot.apps)


@pytest.mark.parametrize(("kind", "ended"), [("nginx", "end"), ("haproxy", "kill")])
async def test_the_stored_state_is_served_without_a_reload(place: Site, ended: str) -> None:
    await silence(place)
    async with place.traffic():
        await getattr(place, ended)()
        await place.start()
        health = await place.says(
            '"ServedFromIt": {"main": "20', '"State": "idle"', seconds=PATIENCE
        )

    assert health["status"] == 500
    assert health["NamespaceHealth"]["main"]["Message"] == "All endpoints are down"
    assert (await status(place))["last_reload"] is None
    assert any("serving from the stored state" in line for line in place.log)
    await place.serves()


async def test_controllers_that_come_back_take_over(place: Site) -> None:
    await silence(place)
    await place.kill()
    await place.start()
    await place.says('"ServedFromIt": {"main": "20', seconds=PATIENCE)

    for number in range(len(place.cluster.urls)):
        await place.cluster.start_controller(number)
    await place.healthy()
    await place.cluster.scale("web", 5)
    await place.serves()

    assert (await place.health())["StoredState"]["ServedFromIt"] == {}


async def test_the_first_answer_after_a_restart_may_not_wipe_the_routes(place: Site) -> None:
    await place.cluster.scale("web", 8)
    await place.serves("web")
    await until(lambda: hosts_stored(place) == 11)
    async with place.traffic():
        await place.end()
        place.cluster.fault(Fault(kind="empty", route="endpoints"))
        await place.start()
        await place.says("the response is suddenly empty", seconds=PATIENCE)
    place.cluster.clear_faults()


async def test_a_torn_file_is_set_aside_and_the_gateway_starts(place: Site) -> None:
    await place.kill()
    content = stored(place).read_bytes()
    stored(place).write_bytes(content[: len(content) // 2])

    async with place.traffic():
        await place.start()
        await place.healthy()
        health = await place.says("could not be used", "was renamed to", seconds=PATIENCE)

    assert health["StoredState"]["Healthy"]
    await until(stored(place).exists)


async def test_a_directory_that_cannot_be_written_is_a_warning(place: Site) -> None:
    await place.end()
    (place.directory / "state" / NAME).unlink()
    (place.directory / "state").rmdir()
    (place.directory / "state").write_text("in the way")

    await place.start()
    await place.healthy()
    health = await place.says("cannot write", seconds=PATIENCE)

    assert health["status"] == 200
    assert health["StoredState"]["Healthy"] is False
    assert json.dumps(health).count("cannot write") == 1
