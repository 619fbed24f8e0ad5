"""Withdrawals under traffic: the living stay, the dead leave, and no request fails."""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.benches.processes import Bench
from tests.traffic import Tally
from tests.waiting import until

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

Begin = Callable[[Bench], Awaitable[None]]


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


@pytest.mark.parametrize("kind", EMPTYING)
async def test_response_that_became_unusable_takes_no_living_server(
    shared: Bench, kind: Kind
) -> None:
    served = await servers(shared)
    async with shared.traffic() as tally:
        shared.cluster.fault(Fault(kind=kind, route="endpoints"))
        await continues(tally)
        assert await servers(shared) == served
        await shared.serves()
        shared.cluster.clear_faults()
        await shared.reports("/v1/health", lambda health: health["Held"] == [])


async def test_responses_that_shrink_by_a_tenth_leave_the_living_in_traffic(shared: Bench) -> None:
    await shared.cluster.scale("web", MANY)
    await shared.cluster.scale("api", MANY)
    await shared.serves()
    async with shared.traffic() as tally:
        shared.cluster.fault(Fault(kind="shrinking", route="endpoints", keep=0.9))
        await continues(tally, 3.0)
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
    # A request under way may meet two such servers; then its client gets an error.
    assert unanswered <= CLIENTS
    assert len(tally.failures) == unanswered


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
    async with shared.traffic() as tally:
        await shared.cluster.upgrade("web")
        shared.cluster.fault(Fault(kind="empty", route="endpoints", times=3))
        await until(lambda: not shared.cluster.faults.active, 30)
        await continues(tally)
        await shared.serves()


@pytest.mark.parametrize("begin", [runs_on, forgets, remembers])
async def test_executor_that_dies_with_a_third_of_all_instances_costs_no_request(
    shared: Bench, begin: Begin
) -> None:
    """Its hosts stay listed for a while, then leave without an event that names them."""
    cluster = shared.cluster
    await cluster.scale("web", MANY)
    await cluster.scale("api", MANY)
    await shared.serves()
    machine = next(each for each in cluster.cluster.executors.values() if not each.dead)
    async with shared.traffic(repeat=True) as tally:
        await cluster.kill_executor(machine.executor_id)
        await begin(shared)
        await continues(tally)
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


@pytest.mark.parametrize("begin", [runs_on, forgets, remembers])
async def test_zookeeper_that_was_away_takes_no_living_server(shared: Bench, begin: Begin) -> None:
    """No controller responds; the next leader lists no hosts, then hosts, then twice as many."""
    async with shared.traffic():
        outage = asyncio.create_task(shared.cluster.zookeeper_outage(scale=OUTAGE_SCALE))
        await begin(shared)
        await outage
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


@pytest.mark.parametrize("begin", [forgets, remembers])
async def test_bad_responses_after_a_start_take_no_living_server(
    shared: Bench, begin: Begin
) -> None:
    """One kind after the other, and no complete response between them."""
    async with shared.traffic() as tally:
        shared.cluster.fault(Fault(kind="reset"))
        await begin(shared)
        await continues(tally)
        await shared.reports("/v1/status", lambda status: status.get("servers") == 6)
        for kind in ("partial", "shrinking", *EMPTYING):
            shared.cluster.clear_faults()
            shared.cluster.fault(Fault(kind=kind, route="endpoints"))
            await continues(tally, 0.5)
            assert await servers(shared) == 6, f"after {kind}"
        shared.cluster.clear_faults()
        await shared.healthy()
        await shared.serves()
    await shared.cluster.scale("web", 4)
    await shared.serves("web")


@pytest.mark.parametrize("begin", [forgets, remembers])
@pytest.mark.parametrize("kind", ["empty", "partial"])
async def test_first_response_of_a_start_takes_no_living_server(
    shared: Bench, begin: Begin, kind: Kind
) -> None:
    async with shared.traffic() as tally:
        shared.cluster.fault(Fault(kind=kind, route="endpoints"))
        await begin(shared)
        await continues(tally, 2.0)
        shared.cluster.clear_faults()
        await shared.healthy()
        await shared.serves()


async def test_torn_state_is_as_good_as_none(shared: Bench) -> None:
    async with shared.traffic() as tally:
        await shared.daemon.stop()
        state = shared.directory / "state" / "datamanager-state.json"
        state.write_bytes(state.read_bytes()[:100])
        shared.cluster.fault(Fault(kind="empty", route="endpoints"))
        await shared.daemon.start()
        await shared.reports("/v1/status", lambda status: status.get("servers") == 6)
        await continues(tally)
        assert await servers(shared) == 6


async def servers(bench: Bench) -> int:
    """The number of servers in traffic."""
    count: int = (await bench.status())["servers"]
    return count
