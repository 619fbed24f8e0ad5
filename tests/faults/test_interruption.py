"""SIGKILL at every step of an apply: the file stays valid and traffic flows."""

import sys
from pathlib import Path

import pytest
from tests.benches.processes import Bench
from tests.faults.interrupted import STEPS
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAM = Path(__file__).with_name("interrupted.py")


async def test_killed_at_any_step_the_next_start_completes_the_change(shared: Bench) -> None:
    armed = shared.directory / "armed"
    program = (sys.executable, str(PROGRAM), str(armed))
    await shared.daemon.stop()
    await shared.daemon.start(program)
    await shared.healthy()
    async with shared.traffic():
        for number, step in enumerate(_boundaries(shared.proxy.kind)):
            armed.write_text(step)
            await shared.cluster.deploy(f"new{number}", instances=1)
            assert await shared.ended() == -9, f"was not killed {step}"
            armed.unlink()
            await shared.valid()

            await shared.daemon.start(program)
            await shared.healthy()
            await shared.serves(f"new{number}")
            assert not list(shared.directory.glob(".*.tmp-*")), step
            await shared.cluster.remove_app(f"new{number}")
        await shared.serves()
    await shared.valid()


def _boundaries(kind: str) -> list[str]:
    """Before each step, which is after the one before it; and after the last ones."""
    steps = [step for step in STEPS if step != "change servers" or kind == "haproxy"]
    return [*(f"{step} before" for step in steps), "swap after", "store after"]


async def test_killed_while_idle_nothing_is_reloaded_by_the_next_start(shared: Bench) -> None:
    await shared.healthy()
    await until(lambda: "new" not in shared.proxy.config.read_text())
    async with shared.traffic():
        await shared.daemon.kill()
        logged = len(shared.daemon.log)
        await shared.daemon.start()
        await shared.healthy()
        await shared.serves()
    assert "'reload':" not in "".join(shared.daemon.log[logged:])
