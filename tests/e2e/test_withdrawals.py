"""Withdrawals under traffic: the living stay, the dead leave, and no request fails."""

import shutil
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.benches.processes import Bench
from tests.traffic import Tally
from tests.waiting import until

from drove_gateway.simulator.faults import Fault, Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 12

Begin = Callable[[Bench], Awaitable[None]]


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


@pytest.mark.parametrize(
    "kind", ["empty", "no-hosts", "zero-ports", "unreadable-hosts", "bad-tags", "udp", "doubled"]
)
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


@pytest.mark.parametrize("left", [2, 1])
async def test_instances_that_were_scaled_down_and_killed_leave_within_moments(
    shared: Bench, left: int
) -> None:
    await shared.cluster.scale("web", MANY)
    await shared.serves("web")
    # A request that meets only dead instances before they leave may fail.
    async with shared.traffic(strict=False) as tally:
        begin = time.monotonic()
        await shared.cluster.scenarios.kill_instances("web", MANY - left, replace=False)
        await shared.serves("web")
        assert time.monotonic() - begin < 5
        failures = len(tally.failures)
        await continues(tally, 0.5)
        assert len(tally.failures) == failures
    assert len(tally.failures) <= tally.requests / 50


async def test_app_that_is_suspended_leaves_within_moments(shared: Bench) -> None:
    async with shared.traffic("api.test"):
        await shared.cluster.scale("web", 0)
        await shared.reports("/v1/status", lambda status: status["vhosts"] == 1, seconds=5)
        assert (await shared.health())["Held"] == []


async def test_blue_green_of_everything_fails_no_request(shared: Bench) -> None:
    async with shared.traffic():
        await shared.cluster.scenarios.upgrade_all()
        await shared.serves()


async def test_killed_instances_that_nobody_announces_are_not_held(shared: Bench) -> None:
    """As when an executor is lost: no event names them, and they are dead."""
    await shared.cluster.scale("web", MANY)
    await shared.serves("web")
    async with shared.traffic():
        await shared.cluster.scenarios.kill_instances("web", MANY // 3, replace=False)
        await shared.serves("web")
        await shared.reports("/v1/health", lambda health: health["Held"] == [], seconds=5)


async def test_recorded_takeover_takes_no_living_server(shared: Bench) -> None:
    async with shared.traffic():
        await shared.cluster.move_leadership(recovering=1.5)
        await shared.cluster.settled()
        await shared.serves()


async def test_operator_accepts_one_vhost_and_the_history_says_who(shared: Bench) -> None:
    shared.cluster.fault(Fault(kind="empty", route="endpoints"))
    await shared.says("3 servers of 3 accepted a connection")
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
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="empty", route="endpoints"), id="empty"),
        pytest.param(Fault(kind="partial", keep=0.5, route="endpoints"), id="one app of two"),
        pytest.param(Fault(kind="reset"), id="controllers away"),
    ],
)
async def test_first_response_of_a_start_takes_no_living_server(
    shared: Bench, begin: Begin, fault: Fault
) -> None:
    async with shared.traffic() as tally:
        shared.cluster.fault(fault)
        await begin(shared)
        await continues(tally, 2.0)
        shared.cluster.clear_faults()
        await shared.healthy()
        await shared.serves()
    await shared.cluster.scale("web", 4)
    await shared.serves("web")


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
