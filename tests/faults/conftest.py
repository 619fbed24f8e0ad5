"""One bench for the faults of a module, in its known state before each test."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.known_state import SharedBench
from tests.benches.processes import Bench, running_bench
from tests.faults.rogue import Rogue

# By the names that `bench` knows them by.
_KINDS = {"haproxy": "haproxy-by-runtime-api", "nginx": "nginx"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_rogue() -> AsyncIterator[Rogue]:
    """The controller of a second namespace, which can respond with anything."""
    async with Rogue().running() as controller:
        yield controller


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(_KINDS))
async def shared_bench(
    request: pytest.FixtureRequest, running_rogue: Rogue
) -> AsyncIterator[SharedBench]:
    """The bench with this proxy, which is started by the first test of the module."""
    port = running_rogue.port
    other = f'[[namespaces]]\nname = "other"\ndrove = ["http://127.0.0.1:{port}"]\n'

    def prepare(made: Bench) -> None:
        made.configure(namespaces=other)

    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        made = SharedBench(
            lambda: running_bench(_KINDS[request.param], Path(name), prepare=prepare)
        )
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def rogue(running_rogue: Rogue) -> Rogue:
    """The controller, which lists what it listed at first."""
    running_rogue.reset()
    return running_rogue


@pytest_asyncio.fixture(loop_scope="module")
async def shared(shared_bench: SharedBench, rogue: Rogue) -> Bench:
    """The module's bench in its known state, whatever the test before has left behind."""
    assert rogue.misbehave is None
    return await shared_bench.in_known_state()
