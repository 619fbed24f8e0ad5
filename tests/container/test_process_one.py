"""As process 1 of a container: orphans are waited for, signals come through."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.container.stage import PLATFORMS, Container, children, container, exit_code, kill
from tests.waiting import until

_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(params=PLATFORMS)
async def first(request: pytest.FixtureRequest, short_path: Path) -> AsyncIterator[Container]:
    """A container that serves, whose entry point is process 1 of namespaces of its own."""
    if await exit_code(*_NAMESPACES, "true") != 0:
        pytest.skip("this kernel lets this user make no namespaces")
    async with container(request.param, short_path) as made:
        made.before = _NAMESPACES
        await made.start()
        await made.answers("web.test")
        yield made


async def test_it_is_process_one_and_waits_for_orphans(first: Container) -> None:
    inside = Path(f"/proc/{first.supervisor}/status").read_text()
    assert inside.partition("NSpid:")[2].splitlines()[0].split()[-1] == "1"

    enter = ("nsenter", "--target", str(first.supervisor), "--pid", "--mount")
    two_orphans = ("sh", "-c", "(exec sleep 2) & (exec sleep 2) &")
    assert await exit_code(*enter, *two_orphans) == 0
    await until(lambda: len(children(first.supervisor)) == 4)
    await until(lambda: len(children(first.supervisor)) == 2)
    await first.answers("web.test")


async def test_it_ends_well_on_sigterm(first: Container) -> None:
    first.signal(signal.SIGTERM)
    assert await first.ended() == 0
    assert "stopped" in first.output[-1]


async def test_it_keeps_running_when_the_proxy_is_killed(first: Container) -> None:
    kill(first.proxy)
    await first.says("SIGUSR2: bringing the restarted proxy up to date")
    await first.answers("web.test")
