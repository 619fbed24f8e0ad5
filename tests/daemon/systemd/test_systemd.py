"""What systemd receives, over real datagram sockets."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.daemon.systemd.listener import Listener
from tests.waiting import until

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.daemon.systemd import Notifier, Service, notifier, status_line
from drove_gateway.model.about import About
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.status.status import (
    Status,
    with_absent,
    with_built,
    with_progress,
    with_record,
    with_restored,
)
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import NamespaceRules

APPLIED = ApplyRecord(1700000000.0, 0.5, ("a",), ("b",), ())


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, short_path: Path) -> Iterator[Listener]:
    name = f"@dg-{secrets.token_hex(8)}" if request.param == "abstract" else f"{short_path}/notify"
    listening = Listener(name)
    yield listening
    listening.close()


class Play:
    """A service whose status and life the test sets."""

    def __init__(self, listener: Listener, watchdog: float = 0.0) -> None:
        views = (NamespaceView("stage", (EndpointView("http://c1:1"),)),)
        self.status = Status(About("1.0.0"), 0.0, {}, "lb1", views)
        self.alive = True
        self.looks = 0
        self.service = Service(
            Notifier(listener.address, watchdog), self._current, lambda: self.alive
        )

    def _current(self) -> Status:
        self.looks += 1
        return self.status

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Play"]:
        task = asyncio.create_task(self.service.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait((task,))


def test_nothing_is_reported_without_a_request() -> None:
    asked = notifier({}, 7)

    assert not asked.asked
    assert asked.send("READY=1")


def test_the_variables_are_taken_out_of_the_environment() -> None:
    environ = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7", "A": ""}

    asked = notifier(environ, 7)

    assert environ == {"A": ""}
    assert (asked.asked, asked.watchdog) == (True, 30.0)


def test_a_watchdog_of_another_process_is_not_fed() -> None:
    environ = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}

    assert notifier(environ, 7).watchdog == 0.0


def test_a_socket_that_is_gone_is_not_an_error(short_path: Path) -> None:
    assert not Notifier(f"{short_path}/gone").send("READY=1")


async def test_it_is_ready_after_the_first_round_and_not_before(listener: Listener) -> None:
    async with Play(listener).running() as play:
        await listener.hears("nothing applied yet")
        play.status = with_progress(play.status, Progress("applying"))
        play.status = with_restored(play.status, {"stage": 1.0})
        await listener.hears("from the stored state: stage")
        assert "READY=1" not in listener.heard()

        play.status = with_record(play.status, APPLIED)
        await listener.hears("READY=1")
        await listener.hears("last apply 2023-11-14 22:13:20Z")

    assert listener.heard().count("READY=1") == 1


async def test_proxy_that_is_away_does_not_keep_it_from_being_ready(listener: Listener) -> None:
    async with Play(listener).running() as play:
        play.status = with_record(play.status, msgspec.structs.replace(APPLIED, error="refused"))
        play.status = with_progress(play.status, Progress("retrying", error="refused"))
        await listener.hears("retrying refused")
        await listener.hears("READY=1")


async def test_controllers_that_are_away_do_not_keep_it_from_being_ready(
    listener: Listener,
) -> None:
    async with Play(listener).running() as play:
        names = frozenset(view.name for view in play.status.namespaces)
        play.status = with_absent(play.status, names)
        await listener.hears(f"no response and no stored state: {', '.join(names)}")
        await listener.hears("READY=1")


async def test_a_first_round_that_does_not_end_keeps_no_boot_waiting(listener: Listener) -> None:
    play = Play(listener)
    play.status = with_progress(play.status, Progress("applying"))
    play.service = Service(
        Notifier(listener.address), lambda: play.status, lambda: True, ready_within=0.5
    )
    async with play.running():
        await listener.hears("nothing applied yet")
        assert "READY=1" not in listener.heard()
        await listener.hears("READY=1")


async def test_a_proxy_that_needed_nothing_is_ready_too(listener: Listener) -> None:
    async with Play(listener).running() as play:
        play.status = with_progress(play.status, Progress("idle"))
        await listener.hears("READY=1")


async def test_the_watchdog_is_fed_while_there_is_progress(listener: Listener) -> None:
    async with Play(listener, watchdog=0.2).running() as play:
        await until(lambda: listener.heard().count("WATCHDOG=1") >= 3)
        play.alive = False
        beats, looks = listener.heard().count("WATCHDOG=1"), play.looks
        await until(lambda: play.looks > looks + 20)

    assert listener.heard().count("WATCHDOG=1") == beats


async def test_a_reload_is_reported_with_its_time_and_its_end(listener: Listener) -> None:
    async with Play(listener).running() as play:
        play.status = with_progress(play.status, Progress("idle"))
        await listener.hears("READY=1")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        play.service.reloading()
        play.service.reloaded()
        await until(lambda: listener.heard().count("READY=1") == 2)

    reloading = next(message for message in listener.heard() if message.startswith("RELOADING"))
    match = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)
    assert match
    assert int(match.group(1)) >= before


def test_a_reload_before_the_first_apply_does_not_make_it_ready(listener: Listener) -> None:
    play = Play(listener)
    play.service.reloading()
    play.service.reloaded()

    assert listener.heard() == []


def test_stopping_is_reported(listener: Listener) -> None:
    Play(listener).service.stopping()

    assert listener.heard()[0].startswith("STOPPING=1\n")


def test_the_status_line_shows_leaders_sizes_and_what_is_held_or_stored() -> None:
    hosts = (Host("10.0.0.1", 1, "http"), Host("10.0.0.1", 2, "http"))
    snapshot = Snapshot("a", Leader(), (AppEndpoints("web", "w", "web.local", {}, hosts),))
    views = (
        NamespaceView("a", (EndpointView("http://a", True, "OK"),), Leader()),
        NamespaceView("b", (EndpointView("http://b"),)),
    )
    status = Status(About("1.0.0"), 0.0, {}, "lb1", views, restored={"b": 1.0})
    status = with_record(status, APPLIED)
    status = with_built(
        status,
        build({"a": snapshot}, [NamespaceRules("a")]),
        (HeldWithdrawal("a", "why", 3, (), 1.0),),
    )

    assert status_line(status) == (
        "1 of 2 namespaces with a leader; 1 vhost, 2 servers; last apply 2023-11-14 22:13:20Z; "
        "from the stored state: b; 3 servers held"
    )


def test_the_status_is_one_line_whatever_an_error_says() -> None:
    status = Status(
        About("1.0.0"), 0.0, {}, "lb1", progress=Progress("retrying", error="no\nREADY=1\n" * 999)
    )

    line = status_line(status)

    assert "\n" not in line
    assert len(line) <= 500
