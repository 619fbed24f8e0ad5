"""From what each namespace starts: an answer, the stored state, or nothing."""

import asyncio
from collections.abc import Mapping

import pytest
import structlog
from structlog.testing import CapturingLogger
from tests.waiting import until

from drove_gateway.acceptance.acceptance import Acceptance
from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.daemon.startup import Startup, StartupPatience
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
    Topology,
)
from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.namespace_build import NamespaceRules

LIMITS = GuardLimits(vhost=1.0, namespace=0.5, overall=0.5, exempt=1, hold=60.0)
C1, C2 = ("http://c1:1",), ("http://c2:1",)
PATIENCE = StartupPatience(tries=3, delay=0.0)


def snapshot(namespace: str, servers: int) -> Snapshot:
    hosts = tuple(Host(f"{namespace}.dc", 8000 + number, "http") for number in range(servers))
    vhost = f"{namespace}.local"
    return Snapshot(namespace, Leader(), (AppEndpoints(namespace, namespace, vhost, {}, hosts),))


class Start:
    """A start of two namespaces, and what came of it: `desired` has the servers by vhost."""

    def __init__(
        self, remembered: Mapping[str, StoredNamespace], controllers: tuple[str, ...]
    ) -> None:
        self.desired: list[dict[str, int]] = []
        self.restored: Mapping[str, float] = {"of the configuration before": 1.0}
        self.asked = 0
        self.breaks = False
        self.log = CapturingLogger()
        log = EventLog(structlog.wrap_logger(self.log, processors=[]))
        self.acceptance = Acceptance(
            [NamespaceRules("a"), NamespaceRules("b")],
            LIMITS,
            self._desire,
            clock=lambda: 0.0,
            publish=lambda _: None,
        )
        self.startup = Startup(
            self.acceptance, remembered, PATIENCE, publish=self._restore, log=log
        )
        for namespace in ("a", "b"):
            self.startup.begin(namespace, controllers)

    def _desire(self, topology: Topology, *_: object) -> None:
        if self.breaks:
            raise ValueError("cannot be judged")
        self.desired.append({vhost: len(app.hosts) for vhost, app in topology.apps.items()})

    def _restore(self, restored: Mapping[str, float]) -> None:
        self.restored = restored

    async def answer(self, namespace: str, servers: int) -> bool:
        """The controllers of `namespace` answer; whether all of it was taken."""
        return (await self.startup.weigh(snapshot(namespace, servers))).complete

    def fails(self, namespace: str) -> "asyncio.Task[None]":
        """The controllers of `namespace` are asked again and again without success."""

        def ask_again() -> None:
            self.asked += 1
            self.startup.failed(namespace)

        self.startup.failed(namespace)
        return asyncio.create_task(self.startup.run(namespace, ask_again))


@pytest.fixture
def remembered() -> dict[str, StoredNamespace]:
    return {name: StoredNamespace(snapshot(name, 4), C1, 1700000000.0) for name in ("a", "b")}


async def test_nothing_is_desired_while_a_namespace_may_still_respond(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C1)
    await start.answer("a", 4)

    assert start.desired == []
    assert start.restored == {}

    await start.answer("b", 5)
    assert start.desired == [{"a.local": 4, "b.local": 5}]


async def test_after_its_tries_a_namespace_is_served_from_the_stored_state(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C1)
    await start.answer("a", 6)

    await start.fails("b")

    assert start.asked == PATIENCE.tries - 1
    assert start.desired == [{"a.local": 6, "b.local": 4}]
    assert start.restored == {"b": 1700000000.0}


async def test_without_a_stored_state_the_others_continue_alone() -> None:
    start = Start({}, C1)
    await start.answer("a", 6)

    await start.fails("b")

    assert start.desired == [{"a.local": 6}]
    assert [call.method_name for call in start.log.calls] == ["warning"]


async def test_where_nothing_is_known_of_any_namespace_nothing_is_desired() -> None:
    start = Start({}, C1)

    await start.fails("a")
    await start.fails("b")
    assert start.desired == []

    await start.answer("b", 2)
    assert start.desired == [{"b.local": 2}]


async def test_a_response_replaces_the_stored_state(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C1)
    await start.fails("a")
    await start.fails("b")
    assert set(start.restored) == {"a", "b"}

    await start.answer("a", 5)

    assert set(start.restored) == {"b"}
    assert start.desired[-1] == {"a.local": 5, "b.local": 4}


@pytest.mark.parametrize("given_up", [False, True])
async def test_the_first_response_is_weighed_against_the_stored_state(
    remembered: dict[str, StoredNamespace], given_up: bool
) -> None:
    start = Start(remembered, C1)
    await start.answer("b", 4)
    if given_up:
        await start.fails("a")

    assert not await start.answer("a", 0)

    assert start.desired[-1] == {"a.local": 4, "b.local": 4}


async def test_another_cluster_under_the_same_name_is_not_a_withdrawal(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C2)
    await start.answer("b", 1)

    assert await start.answer("a", 1)

    assert start.desired[-1] == {"a.local": 1, "b.local": 1}


async def test_the_state_is_used_when_the_controllers_moved_and_do_not_respond(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C2)
    await start.fails("a")
    await start.fails("b")

    assert start.desired[-1] == {"a.local": 4, "b.local": 4}


async def test_a_namespace_that_responds_between_two_tries_is_not_given_up(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C1)
    await start.answer("b", 4)
    waiting = asyncio.create_task(start.startup.run("a", lambda: None))
    start.startup.failed("a")
    await start.answer("a", 5)

    await until(waiting.done)

    assert start.restored == {}
    assert start.desired[-1] == {"a.local": 5, "b.local": 4}


async def test_a_response_that_cannot_be_judged_leaves_the_stored_state_in_use(
    remembered: dict[str, StoredNamespace],
) -> None:
    start = Start(remembered, C1)
    await start.fails("a")
    await start.fails("b")
    start.breaks = True

    with pytest.raises(ValueError, match="cannot be judged"):
        await start.answer("a", 5)

    assert set(start.restored) == {"a", "b"}
