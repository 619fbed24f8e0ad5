"""Random faults and changes under traffic; in the end proxy and cluster are equal.

The seed is printed and can be given again: `SOAK_SEED=17 SOAK_SECONDS=600 make soak`.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.benches.processes import APPS, Bench
from tests.faults.rogue import Rogue
from tests.faults.test_machine import HANGING_CHECK, HANGING_RELOAD
from tests.waiting import until

from drove_gateway.simulator import Fault
from drove_gateway.simulator.faults import Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")

# CI plays the same faults each time, everybody else new ones.
_ANY = 17 if "CI" in os.environ else random.SystemRandom().randrange(10**6)
SEED = int(os.environ.get("SOAK_SEED", _ANY))
SECONDS = float(os.environ.get("SOAK_SECONDS", "75"))

SPOILS: tuple[Kind, ...] = (
    "slow",
    "status",
    "html",
    "failed",
    "empty",
    "partial",
    "no-hosts",
    "shuffled",
    "wrong-types",
    "garbage",
    "truncated",
    "cut",
    "reset",
)

Action = Callable[[Bench, Rogue, random.Random], Awaitable[None]]


async def scale(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await bench.cluster.scale(dice.choice(list(APPS)), dice.randint(2, 6))


async def replace(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await bench.cluster.upgrade(dice.choice(list(APPS)))


async def deploy(bench: Bench, _: Rogue, dice: random.Random) -> None:
    name = f"extra{dice.randrange(3)}"
    if name in bench.app_names():
        await bench.cluster.remove_app(name)
    else:
        await bench.cluster.deploy(name, instances=dice.randint(1, 3))


async def bad_vhost(_: Bench, rogue: Rogue, dice: random.Random) -> None:
    if dice.random() < 0.5:
        rogue.lists("ghost", "no-such-host.invalid", 80)
    else:
        rogue.drops("ghost")


async def bad_answers(bench: Bench, _: Rogue, dice: random.Random) -> None:
    kind = dice.choice(SPOILS)
    bench.cluster.fault(Fault(kind=kind, times=dice.randint(1, 10), delay=dice.random() / 2))


async def other_leader(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await bench.cluster.move_leadership(gap=dice.random(), recovering=dice.choice((0.0, 0.8)))


async def bad_template(bench: Bench, _: Rogue, dice: random.Random) -> None:
    good = bench.proxy.template.read_text()
    bench.proxy.template.write_text(good + dice.choice(("{{.Nothing}}", "{{", "\nnosuchthing;\n")))
    await asyncio.sleep(dice.random())
    bench.proxy.template.write_text(good)


async def hang(bench: Bench, _: Rogue, dice: random.Random) -> None:
    bench.interfere(dice.choice((HANGING_CHECK, HANGING_RELOAD, "exit 1")))
    await asyncio.sleep(dice.random() * 2)
    bench.interfere("")


async def restart(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await (bench.daemon.kill() if dice.random() < 0.5 else bench.daemon.stop())
    await bench.daemon.start()


ACTIONS: tuple[Action, ...] = (
    scale,
    scale,
    replace,
    deploy,
    deploy,
    bad_vhost,
    bad_answers,
    bad_answers,
    other_leader,
    bad_template,
    hang,
    restart,
)


async def test_after_any_faults_proxy_and_cluster_are_equal(shared: Bench, rogue: Rogue) -> None:
    print(f"SOAK_SEED={SEED}")
    dice = random.Random(SEED)
    end = time.monotonic() + SECONDS
    async with shared.traffic(strict=False) as tally:
        while time.monotonic() < end:
            action = dice.choice(ACTIONS)
            print(action.__name__)
            await action(shared, rogue, dice)
            await asyncio.sleep(dice.random() / 2)
        shared.cluster.clear_faults()
        rogue.drops("ghost")
        await shared.cluster.settled()
        # What was held or stored by a fault stays until somebody says that the listing is right.

        async def well() -> bool:
            await shared.accept()
            return bool((await shared.health())["status"] == 200)

        await until(well, 90)
        await shared.serves(*set(shared.app_names()), seconds=60)
    await shared.valid()
    print(f"{tally.requests} requests, {len(tally.failures)} failed")
