"""Withdrawals under traffic: the living stay, the dead leave, and no request fails.

Each way of driving a proxy meets each kind of loss. Where the same loss is met in several ways (the
daemon runs on, or starts with or without its state), each proxy meets another of them, and
`WITHDRAWALS=all` lets each proxy meet them all.
"""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from tests.benches.known_state import SharedBench
from tests.benches.processes import KINDS, PACE, Bench, running_bench
from tests.benches.recorded_takeover import RecordedCluster
from tests.traffic import Tally, get
from tests.waiting import until, within

from drove_gateway.simulator.faults import Fault, Kind
from drove_gateway.simulator.recovery import REAL_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 12
CLIENTS = 4

# Responses that would take every server.
EMPTYING: tuple[Kind, ...] = (
    *("empty", "no-hosts", "zero-ports", "unreadable-hosts"),
    *("bad-tags", "udp", "doubled"),
)

# How long ZooKeeper is away, and what follows, as a share of the recorded times. At 1 it takes two
# minutes for each test.
OUTAGE_SCALE = float(os.environ.get("OUTAGE_SCALE", "0.05"))

# Nothing changes without a leader, so this time is short unless the recorded times are kept.
OUTAGE_SECONDS = 75.0 if OUTAGE_SCALE == 1 else 25.0

EVERY_CASE = os.environ.get("WITHDRAWALS") == "all"

# Everything is fetched at every poll, so that a spoiled response is met within moments.
SETTINGS = PACE | {"event_refresh_interval_sec": 0.05, "full_refresh_interval_sec": 0.05}

Begin = Callable[[Bench], Awaitable[None]]

T = TypeVar("T")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def shared_bench(request: pytest.FixtureRequest) -> AsyncIterator[SharedBench]:
    """The bench of this kind, with the settings of this module."""
    prepare = partial(Bench.configure, settings=SETTINGS)
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        bench = SharedBench(lambda: running_bench(request.param, Path(name), prepare=prepare))
        yield bench
        await bench.close()


def cases(bench: Bench, ways: Sequence[T], turn: int = 0) -> Sequence[T]:
    """Return the ways that this proxy meets: all, or one that depends on the kind of proxy."""
    return ways if EVERY_CASE else (ways[(KINDS.index(bench.kind) + turn) % len(ways)],)


async def runs_on(_: Bench) -> None:
    """Let the daemon run on."""


async def forgets(bench: Bench) -> None:
    """Start the daemon again, without its state."""
    await bench.daemon.stop()
    shutil.rmtree(bench.directory / "state")
    await bench.daemon.start()


async def remembers(bench: Bench) -> None:
    """Start the daemon again."""
    await bench.daemon.stop()
    await bench.daemon.start()


async def continues(tally: Tally, seconds: float = 1.0) -> None:
    """Let requests be sent for a while."""
    end = time.monotonic() + seconds
    await until(lambda: time.monotonic() > end and tally.requests > 0)


async def meets(bench: Bench, responses: int = 2) -> None:
    """Wait until the gateway has received so many further responses with endpoints."""

    def fetches() -> int:
        return sum(each.requests["/v1/endpoints"] for each in bench.cluster.controllers)

    # The next request is sent after the last response was judged.
    goal = fetches() + responses + 1
    await until(lambda: fetches() >= goal)


async def follow(bench: Bench, tally: Tally, name: str, change: Awaitable[object]) -> None:
    """Make a change of the app web, wait until it is served, and report how long that took."""
    begin = time.monotonic()
    await change
    await bench.serves("web", seconds=10)
    await continues(tally, 0.3)
    last = max((at for at in tally.failed_at if at > begin), default=begin)
    report(bench, name, last - begin)


def report(bench: Bench, name: str, seconds: float) -> None:
    """Print the time from a change to the last wrong answer, for the page of benchmarks."""
    print(f"{bench.kind}: {name}: last wrong answer after {seconds:.2f} s")


async def test_response_that_became_unusable_takes_no_living_server(shared: Bench) -> None:
    """After each kind, complete responses return."""
    async with shared.traffic():
        for kind in EMPTYING:
            shared.cluster.fault(Fault(kind=kind, route="endpoints"))
            await meets(shared)
            assert await servers(shared) == 6, f"after {kind}"
            shared.cluster.clear_faults()
            await shared.reports("/v1/health", lambda health: health["Held"] == [])
        await shared.serves()


async def test_responses_that_shrink_by_a_tenth_leave_the_living_in_traffic(shared: Bench) -> None:
    await shared.cluster.scale("web", MANY)
    await shared.cluster.scale("api", MANY)
    await shared.serves()
    async with shared.traffic():
        shared.cluster.fault(Fault(kind="shrinking", route="endpoints", keep=0.9))
        await meets(shared, 6)
        # A small loss is believed.
        assert await servers(shared) >= 2 * MANY - 5
        shared.cluster.clear_faults()
        await shared.serves()


@pytest.mark.parametrize(("size", "left"), [(40, 2), (100, 1)])
async def test_instances_that_end_at_once_cost_no_request(
    shared: Bench, size: int, left: int
) -> None:
    """They stop listening when they leave the list, and finish what they received."""
    await shared.cluster.scale("web", size)
    await shared.serves("web")
    shared.cluster.app("web").wait_before_kill = 0.0
    async with shared.traffic("web.test") as tally:
        await follow(shared, tally, f"scale {size} to {left}", shared.cluster.scale("web", left))
        assert (await shared.health())["Held"] == []


@pytest.mark.parametrize(("size", "left"), [(40, 2), (100, 1)])
async def test_instances_that_are_killed_at_once_cost_only_what_they_were_responding_to(
    shared: Bench, size: int, left: int
) -> None:
    await shared.cluster.scale("web", size)
    await shared.serves("web")
    async with shared.traffic("web.test", strict=False, repeat=True) as tally:
        killing = shared.cluster.scenarios.kill_instances("web", size - left, replace=False)
        await follow(shared, tally, f"kill {size - left} of {size}", killing)
        unanswered = len(tally.failures)
        await continues(tally, 0.5)
    # Each client has one request under way. Received by an instance, it is not sent again, since
    # it may be what ended the instance; a request that no instance received finds another.
    assert unanswered <= CLIENTS
    assert len(tally.failures) == unanswered
    assert set(tally.failures) <= {"status 502"}


async def test_request_to_an_only_server_that_was_killed_waits_for_moments(shared: Bench) -> None:
    """Then it fails, or is served by the instance that follows."""
    cluster = shared.cluster
    await cluster.scale("web", 1)
    await shared.serves("web")
    [only] = cluster.app("web").hosts()
    await cluster.kill_instance(only.instance_id, noticed_after=None)
    begin = time.monotonic()
    request = asyncio.create_task(get(shared.proxy.port, "web.test"))
    await cluster.kill_instance(only.instance_id)
    status, _ = await within(request, 10, lambda: "the request got no response")
    took = time.monotonic() - begin
    print(f"{shared.kind}: the only server was killed: {status} after {took:.2f} s")
    assert took < 2.0
    assert status in {200, 503}
    await shared.serves("web")


async def test_app_that_is_scaled_to_nothing_leaves_within_moments(shared: Bench) -> None:
    await shared.cluster.scale("web", 10)
    await shared.serves("web")
    shared.cluster.app("web").wait_before_kill = 0.0
    async with shared.traffic("api.test"):
        begin = time.monotonic()
        await shared.cluster.scale("web", 0)
        await shared.reports("/v1/status", lambda status: status["vhosts"] == 1, seconds=5)
        report(shared, "scale 10 to 0", time.monotonic() - begin)
        assert (await shared.health())["Held"] == []


async def test_app_that_is_destroyed_leaves_within_moments(shared: Bench) -> None:
    async with shared.traffic("api.test"):
        await shared.cluster.scale("web", 0)
        await shared.cluster.remove_app("web")
        await shared.reports("/v1/status", lambda status: status["vhosts"] == 1, seconds=5)
        assert (await shared.health())["Held"] == []


async def test_blue_green_of_everything_fails_no_request(shared: Bench) -> None:
    async with shared.traffic():
        await shared.cluster.scenarios.upgrade_all()
        await shared.serves()


async def test_blue_green_whose_responses_are_empty_for_a_while_fails_no_request(
    shared: Bench,
) -> None:
    """Drove announces that the old version ends and the next is healthy; no response shows it."""
    shared.cluster.app("web").wait_before_kill = 10.0
    async with shared.traffic():
        await shared.cluster.upgrade("web")
        shared.cluster.fault(Fault(kind="empty", route="endpoints", times=3))
        await until(lambda: not shared.cluster.faults.active, 30)
        await meets(shared)
        await shared.serves()


async def test_executor_that_dies_with_a_third_of_all_instances_costs_no_request(
    shared: Bench,
) -> None:
    """Its hosts stay listed for a while, then leave without an event that names them."""
    cluster = shared.cluster
    for begin in cases(shared, (runs_on, forgets, remembers)):
        await cluster.scale("web", MANY)
        await cluster.scale("api", MANY)
        await shared.serves()
        machine = next(each for each in cluster.cluster.executors.values() if not each.dead)
        async with shared.traffic(repeat=True) as tally:
            await cluster.kill_executor(machine.executor_id)
            await begin(shared)
            await continues(tally, 0.5)
            losing = cluster.report_executor_lost(
                machine.executor_id, app_event_after=None, replace=False
            )
            await follow(shared, tally, "executor lost", losing)
            await shared.reports("/v1/health", lambda health: health["Held"] == [], seconds=5)
        cluster.add_executor(machine.hostname)


async def test_takeover_takes_no_living_server(shared: Bench) -> None:
    async with shared.traffic():
        await shared.cluster.move_leadership(recovering=REAL_SECONDS)
        await shared.cluster.settled()
        await shared.serves()


async def test_zookeeper_that_was_away_takes_no_living_server(shared: Bench) -> None:
    """No controller responds; the next leader lists no hosts, then hosts, then twice as many."""
    for begin in cases(shared, (runs_on, forgets, remembers), turn=1):
        async with shared.traffic():
            # However long a start takes, it is over before instances are replaced.
            shared.cluster.drop_leadership()
            await begin(shared)
            await shared.reports("/v1/status", lambda status: status.get("servers") == 6)
            await shared.cluster.zookeeper_outage(OUTAGE_SECONDS, scale=OUTAGE_SCALE)
            await shared.cluster.settled()
            await shared.serves()
            await shared.reports("/v1/health", lambda health: health["Held"] == [])


async def test_operator_accepts_one_vhost_and_the_history_says_who(shared: Bench) -> None:
    shared.cluster.fault(Fault(kind="empty", route="endpoints"))
    # After an event only its app is fetched: the other follows with the next full fetch.
    known = "3 servers of 3 accepted a connection"
    await shared.reports(
        "/v1/health",
        lambda health: [known in held["Known"] for held in health["Held"]] == [1, 1],
    )
    assert await shared.accepts("web.test", dry_run=True) == ["web.test"]
    assert await servers(shared) == 6
    assert await shared.accepts("web.test", caller="jo") == ["web.test"]
    status = await shared.reports("/v1/status", lambda status: status["servers"] == 3)
    assert [held["vhosts"] for held in status["held"]] == [["api.test"]]
    triggers = "withdrawal accepted by jo (127.0.0.1): web.test"
    await shared.reports(
        "/v1/status",
        lambda status: any(triggers in entry["triggers"] for entry in status["history"]),
    )


async def test_recorded_takeovers_of_real_controllers_take_no_living_server(shared: Bench) -> None:
    """A clean stop, then a kill. `RECORDED_TIMES=real` waits as long as the next leader needed."""
    real_times = os.environ.get("RECORDED_TIMES") == "real"
    async with RecordedCluster(("term", "kill")).running() as recorded:
        namespace = f'[[namespaces]]\nname = "recorded"\ndrove = {json.dumps(recorded.urls)}\n'
        shared.configure(SETTINGS, namespace)
        await shared.daemon.stop()
        await shared.daemon.start()
        everything = recorded.servers + 6
        await shared.reports("/v1/status", lambda status: status.get("servers") == everything)
        for vhost in recorded.vhosts:
            await shared.vhost_is(vhost, 200)
        async with shared.traffic(*recorded.vhosts, "web.test") as tally:
            for name in ("term", "kill"):
                await recorded.play(name, real_times=real_times)
            await continues(tally, 0.5)
            await shared.reports("/v1/health", lambda health: health["Held"] == [])
            assert await servers(shared) == everything
        assert recorded.gaps, "the gateway met no incomplete response"


@pytest.mark.parametrize("begin", [forgets, remembers])
async def test_bad_responses_after_a_start_take_no_living_server(
    shared: Bench, begin: Begin
) -> None:
    """One kind after the other, and no complete response between them."""
    async with shared.traffic():
        shared.cluster.fault(Fault(kind="reset"))
        await begin(shared)
        await shared.reports("/v1/status", lambda status: status.get("servers") == 6)
        for kind in ("partial", "shrinking", *EMPTYING):
            shared.cluster.clear_faults()
            shared.cluster.fault(Fault(kind=kind, route="endpoints"))
            await meets(shared, 1)
            assert await servers(shared) == 6, f"after {kind}"
        shared.cluster.clear_faults()
        await shared.healthy()
        await shared.serves()
    await shared.cluster.scale("web", 4)
    await shared.serves("web")


@pytest.mark.parametrize("kind", ["empty", "partial"])
async def test_first_response_of_a_start_takes_no_living_server(shared: Bench, kind: Kind) -> None:
    for begin in cases(shared, (forgets, remembers), turn=kind == "partial"):
        async with shared.traffic():
            shared.cluster.fault(Fault(kind=kind, route="endpoints"))
            await begin(shared)
            await meets(shared, 4)
            shared.cluster.clear_faults()
            await shared.healthy()
            await shared.serves()


async def test_torn_state_is_as_good_as_none(shared: Bench) -> None:
    async with shared.traffic():
        await shared.daemon.stop()
        state = shared.directory / "state" / "datamanager-state.json"
        state.write_bytes(state.read_bytes()[:100])
        shared.cluster.fault(Fault(kind="empty", route="endpoints"))
        await shared.daemon.start()
        await shared.reports("/v1/status", lambda status: status.get("servers") == 6)
        await meets(shared, 4)
        assert await servers(shared) == 6


async def servers(bench: Bench) -> int:
    """The number of servers in traffic."""
    count: int = (await bench.status())["servers"]
    return count
