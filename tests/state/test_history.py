"""The history on disk: it survives restarts, torn files and full disks, in a bounded size."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Happening
from drove_gateway.state import history_file
from drove_gateway.state.history_entries import (
    MOST_APPLY_BYTES,
    MOST_FILE_BYTES,
    AppliedEntry,
    FileEntry,
    HappeningEntry,
    decoded,
    encoded,
)
from drove_gateway.state.history_keeper import HistoryKeeper, Texts
from drove_gateway.state.journal import MOST_APPLIES, Journal

RECORD = ApplyRecord(
    at=1000.25,
    took=0.5,
    triggers=("namespace stage",),
    reasons=("vhost a.local added",),
    steps=(Step("reload", "HAProxy", "vhost a.local added"),),
    failed=(("b.local", "line 3"),),
    seconds=((ApplyStage.RENDER, 0.25),),
    reloaded=True,
)


def record(at: float) -> ApplyRecord:
    return ApplyRecord(at, 0.1, ("namespace stage",), (), (Step("add", "a/s", "listed"),))


class History:
    """A keeper with its journal, as after a start."""

    def __init__(self, path: Path | None, journal: Journal | None = None) -> None:
        self.journal = journal or Journal()
        self.problems: list[str] = []
        self.logged = CapturingLogger()
        self.now = 1001.0
        self.keeper = HistoryKeeper(
            path,
            self.journal,
            Texts(plain=lambda text: text, hide=lambda text: text.replace("s3cret", "***")),
            publish=self.problems.append,
            log=EventLog(structlog.wrap_logger(self.logged, processors=[])),
            wall=lambda: self.now,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HistoryKeeper]:
        await self.keeper.load()
        task = asyncio.create_task(self.keeper.run())
        try:
            yield self.keeper
        finally:
            self.keeper.stop()
            await task


async def test_an_apply_survives_a_restart_with_reasons_times_and_stages(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    async with History(path).running() as keeper:
        keeper.note(RECORD)
        keeper.happened(Happening(1000.0, "leader", "http://c1 leads"))

    after = History(path)
    async with after.running():
        (past,) = after.journal.applies()
        assert past.record == RECORD
        assert after.journal.events(5) == (Happening(1000.0, "leader", "http://c1 leads"),)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_an_apply_has_the_first_change_of_the_file_since_it_began(tmp_path: Path) -> None:
    history = History(tmp_path / "h")
    async with history.running() as keeper:
        keeper.note(record(1000.0))
        keeper.replaced("a\n", "a\nserver s1 s3cret\n")
        await until(lambda: bool(history.journal.lines()))
        keeper.note(record(2000.0))

    later, first = history.journal.applies()
    assert (first.diff, first.written) == ("@@ line 1 @@\n a\n+server s1 ***", 1001.0)
    assert (later.diff, later.written) == ("", None)
    assert b"s3cret" not in (tmp_path / "h").read_bytes()


async def test_changes_of_the_file_that_come_too_fast_are_compared_as_a_whole() -> None:
    history = History(None)
    history.keeper.replaced("a\n", "b\n")
    history.keeper.replaced("b\n", "c\n")
    async with history.running() as keeper:
        keeper.note(record(1000.0))

    assert history.journal.applies()[0].diff == "@@ line 1 @@\n-a\n+c"


async def test_a_file_that_is_put_back_shows_no_change() -> None:
    history = History(None)
    history.keeper.replaced("a\n", "b\n")
    history.keeper.replaced("b\n", "a\n")
    async with history.running():
        pass

    assert history.journal.lines() == ()


async def test_the_last_thousand_applies_stay_and_the_file_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "h"
    for run in range(4):
        history = History(path)
        async with history.running() as keeper:
            for number in range(800):
                keeper.note(record(run * 1000 + number))

    history = History(path)
    await history.keeper.load()
    applies = history.journal.applies()
    assert len(applies) == MOST_APPLIES
    assert (applies[0].record.at, applies[-1].record.at) == (3799.0, 2600.0)
    live = sum(len(line) + 1 for line in history.journal.lines())
    assert not history_file.is_too_large(path.stat().st_size, live)


@pytest.mark.parametrize(
    "damage",
    [b"", b'{"type":"apply","apply":{"at":1', b"\0" * 4096, b"\xff\xfe", b"[" * 100_000, b"{}\n"],
    ids=["nothing", "torn", "zeros", "not text", "deep", "another object"],
)
async def test_a_torn_or_foreign_line_costs_itself_alone(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "h"
    line = encoded(AppliedEntry(RECORD))
    path.write_bytes(line + b"\n" + damage)

    async with History(path).running() as keeper:
        keeper.note(record(2000.0))

    after = History(path)
    await after.keeper.load()
    assert [past.record.at for past in after.journal.applies()] == [2000.0, 1000.25]


@given(st.data())
def test_a_file_that_is_cut_anywhere_keeps_every_whole_line(data: st.DataObject) -> None:
    lines = [encoded(AppliedEntry(record(float(number)))) for number in range(5)]
    whole = b"".join(line + b"\n" for line in lines)
    cut = data.draw(st.integers(0, len(whole)))
    journal = Journal()

    journal.load(line for line in whole[:cut].split(b"\n") if line)

    kept = whole[:cut].count(b"\n")
    assert len(journal.applies()) in {kept, kept + 1}


async def test_a_directory_that_cannot_be_written_is_reported_and_costs_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("not a directory")
    history = History(tmp_path / "file" / "h")
    async with history.running() as keeper:
        keeper.note(RECORD)
        await until(lambda: any(history.problems))

    assert "cannot write" in history.problems[-1]
    assert [past.record for past in history.journal.applies()] == [RECORD]


async def test_what_could_not_be_written_is_written_once_the_disk_works(tmp_path: Path) -> None:
    blocked = tmp_path / "dir"
    blocked.write_text("in the way")
    path = blocked / "h"
    history = History(path)
    async with history.running() as keeper:
        keeper.note(RECORD)
        await until(lambda: any(history.problems))
        blocked.unlink()
    assert history.problems[-1] == ""

    after = History(path)
    await after.keeper.load()
    assert len(after.journal.applies()) == 1


async def test_a_pipe_in_place_of_the_file_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h"
    os.mkfifo(path)
    history = History(path)
    async with history.running() as keeper:
        keeper.note(RECORD)
        await until(lambda: any(history.problems) or path.is_file())

    assert [past.record for past in history.journal.applies()] == [RECORD]


async def test_the_history_continues_after_a_change_of_the_configuration(tmp_path: Path) -> None:
    first = History(tmp_path / "one")
    async with first.running() as keeper:
        keeper.note(RECORD)
    second = History(tmp_path / "two", first.journal)
    async with second.running() as keeper:
        keeper.note(record(2000.0))

    after = History(tmp_path / "two")
    await after.keeper.load()
    assert len(after.journal.applies()) == 2


@given(
    st.text(max_size=2000),
    st.integers(0, 300),
    st.integers(0, 60),
)
def test_an_entry_has_a_bounded_size_and_can_be_read_again(
    text: str, steps: int, failed: int
) -> None:
    large = ApplyRecord(
        1.0,
        1.0,
        (text,) * failed,
        (text,) * failed,
        (Step(text, text, text),) * steps,
        ((text, text),) * failed,
        error=text,
    )
    entries = (
        (AppliedEntry(large), MOST_APPLY_BYTES),
        (FileEntry(1.0, text * 20), MOST_FILE_BYTES),
        (HappeningEntry(Happening(1.0, "hold", text)), 4096),
    )
    for entry, most in entries:
        line = encoded(entry)
        assert len(line) <= most
        assert b"\n" not in line
        assert type(decoded(line)) is type(entry)


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert isinstance(decoded(encoded(FileEntry(1.0, "+ \udcff"))), FileEntry)


async def test_a_start_with_another_configuration_takes_the_problem_back(tmp_path: Path) -> None:
    history = History(tmp_path / "h")

    await history.keeper.load()

    assert history.problems == [""]
