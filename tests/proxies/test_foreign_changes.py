"""Another program that undoes the gateway's changes again and again is recognised and named."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Settings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.health import HealthSection
from drove_gateway.model.vocabulary import EMPTY
from drove_gateway.proxies.foreign_changes import (
    ForeignChanges,
    Servers,
    Undone,
    undone_servers,
)
from drove_gateway.proxies.registry import kind_of
from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer

QUIET = 90.0
WEB = "server web/a"


@pytest.mark.parametrize(
    ("times", "now", "contested"),
    [
        pytest.param([], 0, False, id="nothing was ever undone"),
        pytest.param([0], 0, False, id="a manual edit"),
        pytest.param([0, 5], 5, False, id="two manual edits"),
        pytest.param([0, 5, 10], 10, True, id="three times within moments"),
        pytest.param([0, 30, 60], 60, True, id="at each audit"),
        pytest.param([0, 30, 60], 150, True, id="quiet for less than three audits"),
        pytest.param([0, 30, 60], 151, False, id="quiet for three audits"),
        pytest.param([0, 300, 601], 601, False, id="too seldom"),
        pytest.param([0, 300, 600], 600, True, id="three times within ten minutes"),
        pytest.param([0, 500, 1000, 1100, 1200], 1200, True, id="seldom at first, often later"),
    ],
)
def test_what_counts_as_a_contest(times: list[float], now: float, contested: bool) -> None:
    undone = Undone()
    for time in times:
        undone = undone.noted([WEB], time)
    assert undone.contested(now, QUIET) == ((WEB,) if contested else ())


def test_changes_of_different_things_are_not_a_contest() -> None:
    undone = Undone()
    for time, subject in enumerate(("server web/a", "server web/b", "server web/c")):
        undone = undone.noted([subject], time)
    assert undone.contested(3, QUIET) == ()


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 10)), max_size=300))
def test_what_is_remembered_is_bounded(notes: list[tuple[int, int]]) -> None:
    undone, now = Undone(), 0.0
    for subject, later in notes:
        now += later
        undone = undone.noted([f"server web/{subject + n}" for n in range(50)], now)
        assert len(undone.times) <= 1000
        assert all(len(times) <= 3 for times in undone.times.values())


def server(name: str, port: int = 80, **more: object) -> ObservedServer:
    return ObservedServer(name, "10.0.0.1", port, **more)  # type: ignore[arg-type]


A, B = server("a"), server("b")
ADD_A, DELETE_B = Change(Action.ADD, "web", "a"), Change(Action.DELETE, "web", "b")


@pytest.mark.parametrize(
    ("before", "found", "drift", "undone"),
    [
        pytest.param({"web": [A]}, {"web": []}, [ADD_A], [WEB], id="removed by others"),
        pytest.param({"web": []}, {"web": [B]}, [DELETE_B], ["server web/b"], id="added by others"),
        pytest.param({"web": [A]}, {}, [ADD_A], [WEB], id="removed with its backend"),
        pytest.param(
            {"web": [A]},
            {"web": [server("a", 81)]},
            [Change(Action.MOVE, "web", "a")],
            [WEB],
            id="moved by others",
        ),
        pytest.param({"web": []}, {"web": []}, [ADD_A], [], id="could not be added yet"),
        pytest.param({"web": [B]}, {"web": [B]}, [DELETE_B], [], id="could not be deleted yet"),
        pytest.param({"web": [A]}, {"web": []}, [], [], id="not wanted any more"),
        pytest.param(
            {"web": [A]},
            {"web": [server("a", serving=False, active=7)]},
            [Change(Action.READY, "web", "a")],
            [],
            id="only its state changed",
        ),
    ],
)
def test_which_servers_were_undone(
    before: Servers, found: Servers, drift: list[Change], undone: list[str]
) -> None:
    assert list(undone_servers(before, found, drift)) == undone


def test_the_begin_and_the_end_of_a_contest_are_one_line_each_and_health_names_it() -> None:
    now = 0.0
    with structlog.testing.capture_logs() as lines:
        foreign = ForeignChanges(
            "HAProxy", audit_interval=30, clock=lambda: now, log=EventLog(structlog.get_logger())
        )
        for _ in range(5):
            now += 1
            foreign.note([WEB])
        section = foreign.section(HealthSection())
        assert not section.healthy
        assert "another program keeps undoing" in section.message
        assert WEB in section.message
        now = 200.0
        foreign.look()
        foreign.look()
    assert foreign.section(HealthSection()) == HealthSection()
    assert [line["event"] for line in lines] == ["changes_undone", "changes_last"]
    assert lines[0]["first"] == WEB


def test_a_section_that_is_unhealthy_already_keeps_its_message() -> None:
    foreign = ForeignChanges(
        "NGINX", audit_interval=1, clock=lambda: 0.0, log=EventLog(structlog.get_logger())
    )
    for _ in range(3):
        foreign.note([WEB])
    refused = HealthSection(healthy=False, message="refused")
    assert foreign.section(refused) == refused


async def test_the_driver_of_a_proxy_without_a_runtime_api_recognises_a_contested_file(
    tmp_path: Path,
) -> None:
    config, template = tmp_path / "nginx.conf", tmp_path / "nginx.tmpl"
    template.write_text("# {{len .Apps}} apps\n")
    settings = Settings(
        nginx_config=str(config),
        nginx_template=str(template),
        nginx_cmd="/bin/true",
        audit_interval_sec=0.05,
    )
    log = EventLog(structlog.get_logger())
    async with AsyncExitStack() as stack:
        driver = await kind_of(settings).driver(this_machine({}, Metrics(), log), stack)
        await driver.apply(driver.plan(EMPTY))
        ours, woken = config.read_text(), asyncio.Event()
        auditing = asyncio.create_task(driver.run(lambda _: woken.set()))
        stack.callback(auditing.cancel)
        for number in (1, 2, 3):
            assert driver.health().config.healthy
            config.write_text(f"{ours}# another gateway, {number}")
            await asyncio.wait_for(woken.wait(), 10)
            woken.clear()
            await driver.apply(driver.plan(EMPTY))
            assert config.read_text() == ours
        assert "another program keeps undoing" in driver.health().config.message
