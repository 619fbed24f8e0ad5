"""What is kept on disk, when it is written, and what happens when it cannot be."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import structlog
from structlog.testing import CapturingLogger
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.records import StoredState
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.state import file
from drove_gateway.state.document import State, StoredNamespace, decode, encode
from drove_gateway.state.keeper import StateKeeper, StateOwner

OWNER = StateOwner("1.0.0", "nginx /etc/nginx/nginx.conf")
URLS = {"stage": ("http://c1:10000",), "prod": ("http://p1:10000",)}
LEADER = Leader("http://c1:10000", "c1", 10000)


def snapshot(namespace: str = "stage", servers: int = 1) -> Snapshot:
    hosts = tuple(Host("10.0.0.1", 8080 + number, "http") for number in range(servers))
    return Snapshot(namespace, LEADER, (AppEndpoints("web", "web-1", "web.local", {}, hosts),))


class Kept:
    """A keeper of a file, what it published and logged, and a clock that the test sets."""

    def __init__(self, path: Path | None, owner: StateOwner = OWNER) -> None:
        self.now = 1000.0
        self.views: list[StoredState] = []
        self.log = CapturingLogger()
        self.keeper = StateKeeper(
            path,
            owner,
            URLS,
            publish=self.views.append,
            log=EventLog(structlog.wrap_logger(self.log, processors=[])),
            wall=lambda: self.now,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[StateKeeper]:
        """The keeper at work; at the end of the block all that was noted is written."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.keeper.run())
            try:
                yield self.keeper
            finally:
                self.keeper.stop()

    async def keep(self, *snapshots: Snapshot) -> None:
        """Note these, and have them written."""
        async with self.running() as keeper:
            keeper.note({entry.namespace: entry for entry in snapshots})

    @property
    def logged(self) -> list[str]:
        return [call.method_name for call in self.log.calls]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / file.NAME


@pytest.fixture
def kept(path: Path) -> Kept:
    return Kept(path)


def stored(path: Path) -> State:
    data = file.read(path)
    assert data is not None
    return decode(data)


async def test_what_was_applied_is_known_to_the_next_start(kept: Kept, path: Path) -> None:
    await kept.keep(snapshot(), snapshot("prod"))

    remembered = await Kept(path).keeper.load()

    assert remembered == {
        "stage": StoredNamespace(snapshot(), URLS["stage"], 1000.0),
        "prod": StoredNamespace(snapshot("prod"), URLS["prod"], 1000.0),
    }
    assert kept.views[-1] == StoredState(path=str(path), written=1000.0)


async def test_the_first_start_knows_nothing_and_finds_nothing_wrong(kept: Kept) -> None:
    assert await kept.keeper.load() == {}
    assert kept.logged == []


async def test_what_did_not_change_is_not_written_again(kept: Kept, path: Path) -> None:
    await kept.keep(snapshot())
    before = path.stat()

    again = Kept(path)
    again.now = 2000.0
    await again.keeper.load()
    await again.keep(msgspec.structs.replace(snapshot(), settling_until=90.0))

    assert path.stat().st_ino == before.st_ino
    assert again.views[-1].written is None


async def test_each_namespace_keeps_the_time_of_its_own_last_change(kept: Kept, path: Path) -> None:
    async with kept.running() as keeper:
        keeper.note({"stage": snapshot(), "prod": snapshot("prod")})
        await until(path.exists)
        kept.now = 2000.0
        keeper.note({"stage": snapshot(), "prod": snapshot("prod", 2)})

    assert {
        namespace.snapshot.namespace: namespace.changed for namespace in stored(path).namespaces
    } == {
        "stage": 1000.0,
        "prod": 2000.0,
    }


async def test_of_many_changes_the_last_is_written(kept: Kept, path: Path) -> None:
    async with kept.running() as keeper:
        for servers in range(50):
            keeper.note({"stage": snapshot(servers=servers)})

    assert stored(path).namespaces[0].snapshot == snapshot(servers=49)


async def test_what_was_noted_last_is_written_before_the_end(kept: Kept, path: Path) -> None:
    async with kept.running() as keeper:
        keeper.note({"stage": snapshot()})
        await until(path.exists)
        keeper.note({"stage": snapshot(servers=7)})

    assert stored(path).namespaces[0].snapshot == snapshot(servers=7)


async def test_namespaces_that_are_not_configured_are_dropped(path: Path) -> None:
    old = StoredNamespace(snapshot("gone"), ("http://g1",), 1.0)
    now = StoredNamespace(snapshot(), URLS["stage"], 1.0)
    file.write(path, encode(State(OWNER.proxy, (old, now)), gateway="1.0.0"))

    assert set(await Kept(path).keeper.load()) == {"stage"}


async def test_a_file_that_was_deleted_is_written_again(kept: Kept, path: Path) -> None:
    await kept.keep(snapshot())
    path.unlink()
    again = Kept(path)
    await again.keep(snapshot())

    assert path.exists()


def torn(path: Path) -> None:
    whole = encode(State(OWNER.proxy, (StoredNamespace(snapshot(), (), 1.0),)), gateway="1.0.0")
    path.write_bytes(whole[: len(whole) // 2])


def foreign(path: Path) -> None:
    path.write_text(json.dumps({"Apps": {}, "LastKnownVhosts": {}}))


def of_another_gateway(path: Path) -> None:
    path.write_bytes(encode(State("haproxy /etc/haproxy/haproxy.cfg", ()), gateway="1.0.0"))


def too_large(path: Path) -> None:
    with path.open("wb") as sparse:
        sparse.truncate(file.MOST_BYTES + 1)


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [torn, foreign, of_another_gateway, too_large, a_fifo])
async def test_a_file_that_cannot_be_used_is_set_aside_and_reported(
    kept: Kept, path: Path, spoil: Callable[[Path], None]
) -> None:
    path.parent.mkdir()
    spoil(path)

    assert await kept.keeper.load() == {}

    assert [entry.name.partition(".broken-")[0] for entry in path.parent.iterdir()] == [path.name]
    assert "could not be used" in kept.views[-1].set_aside
    assert kept.logged == ["warning"]
    await kept.keep(snapshot())
    assert stored(path).namespaces[0].snapshot == snapshot()


async def test_a_state_torn_anywhere_is_never_believed(kept: Kept, path: Path) -> None:
    await kept.keep(snapshot(servers=3))
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        assert await Kept(path).keeper.load() == {}


async def test_a_directory_that_cannot_be_written_is_a_problem_until_it_can(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "state"
    directory.write_text("in the way")
    kept = Kept(directory / file.NAME)

    async with kept.running() as keeper:
        keeper.note({"stage": snapshot()})
        await until(lambda: bool(kept.views))
        assert "cannot write" in kept.views[-1].problem
        keeper.note({"stage": snapshot(servers=2)})
        directory.unlink()

    assert kept.views[-1].problem == ""
    assert stored(directory / file.NAME).namespaces[0].snapshot == snapshot(servers=2)
    assert kept.logged == ["warning", "info"]


async def test_leftovers_of_a_killed_write_are_removed(kept: Kept, path: Path) -> None:
    path.parent.mkdir()
    (path.parent / f".{path.name}.tmp-abc").write_text("half")

    await kept.keeper.load()

    assert list(path.parent.iterdir()) == []


async def test_without_a_path_nothing_is_read_or_written_and_no_problem_stays(
    tmp_path: Path,
) -> None:
    kept = Kept(None)

    assert await kept.keeper.load() == {}
    await kept.keep(snapshot())

    assert list(tmp_path.iterdir()) == []
    assert kept.views == [StoredState()]
