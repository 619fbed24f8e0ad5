"""A shared bench is brought to its known state, whatever a test has left behind."""

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.known_state import SharedBench, missing_in_cluster, proxy_has_ended
from tests.benches.processes import APPS, Bench, running_bench
from tests.waiting import until

from drove_gateway.simulator import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")

Wreck = Callable[[Bench], Awaitable[None]]


# The bench is restored in the same way whatever its proxy is.
@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["nginx"])
async def shared_bench(request: pytest.FixtureRequest) -> AsyncIterator[SharedBench]:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        made = SharedBench(lambda: running_bench(request.param, Path(name)))
        yield made
        await made.close()


async def no_controllers(bench: Bench) -> None:
    for number in range(3):
        await bench.cluster.stop_controller(number, elect=False)


async def a_leader_that_knows_no_app(bench: Bench) -> None:
    await bench.cluster.move_leadership(recovering=0.5)
    bench.cluster.recover("empty")
    bench.cluster.maintenance(True)


async def bad_responses(bench: Bench) -> None:
    bench.cluster.fault(Fault(kind="empty", route="endpoints"))
    bench.cluster.fault(Fault(kind="reset", controller=1))


async def other_apps(bench: Bench) -> None:
    await bench.cluster.remove_app("web")
    await bench.cluster.upgrade("api")
    await bench.cluster.scale("api", 7)
    await bench.cluster.deploy("shop", instances=2)


async def a_withdrawal_on_hold(bench: Bench) -> None:
    await bench.cluster.scale("web", 9)
    await bench.serves("web")
    bench.cluster.fault(Fault(kind="no-hosts", route="endpoints"))
    await bench.says('"Held": [{')


async def a_broken_template(bench: Bench) -> None:
    bench.proxy.template.write_text("{{.Nothing}}")
    bench.wrapper.unlink()


async def a_proxy_that_refuses_everything(bench: Bench) -> None:
    bench.interfere("echo no licence; exit 1")
    await bench.cluster.deploy("shop", instances=1)
    await bench.unhealthy()


async def a_killed_daemon(bench: Bench) -> None:
    await bench.daemon.kill()


async def another_daemon(bench: Bench) -> None:
    await bench.daemon.kill()
    bench.daemon.config.write_text("= broken")
    await bench.daemon.start(("/bin/sh", "-c", "exec sleep 600", "sh"))


WRECKS: tuple[Wreck, ...] = (
    no_controllers,
    a_leader_that_knows_no_app,
    bad_responses,
    other_apps,
    a_withdrawal_on_hold,
    a_broken_template,
    a_proxy_that_refuses_everything,
    a_killed_daemon,
    another_daemon,
)


@pytest.mark.parametrize("wreck", WRECKS, ids=lambda wreck: wreck.__name__)
async def test_whatever_a_test_leaves_behind_the_next_finds_the_known_state(
    shared_bench: SharedBench, wreck: Wreck
) -> None:
    bench = await shared_bench.in_known_state()
    await wreck(bench)

    restored = await shared_bench.in_known_state()

    assert (restored, shared_bench.starts) == (bench, 1)
    assert missing_in_cluster(bench) == []
    assert sorted(bench.app_names()) == sorted(APPS)
    assert (await bench.health())["status"] == 200
    async with bench.traffic():
        await bench.serves()


async def test_what_is_missing_is_reported_in_words(shared_bench: SharedBench) -> None:
    bench = await shared_bench.in_known_state()
    await no_controllers(bench)
    bench.cluster.fault(Fault(kind="empty"))
    await bench.cluster.scale("web", 1)

    report = "; ".join(missing_in_cluster(bench))

    assert "controller 2 is stopped" in report
    assert "no controller leads" in report
    assert "kind='empty'" in report
    assert "'web-" in report


async def test_a_bench_whose_proxy_has_ended_is_started_anew(shared_bench: SharedBench) -> None:
    bench = await shared_bench.in_known_state()
    started = shared_bench.starts
    os.kill(bench.proxy.pid, signal.SIGTERM)
    await until(lambda: proxy_has_ended(bench))

    restored = await shared_bench.in_known_state()

    assert shared_bench.starts == started + 1
    assert restored.proxy.pid != bench.proxy.pid
    async with restored.traffic():
        await restored.serves()
