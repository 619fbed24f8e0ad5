"""One bench for all tests of a module, with each way of driving a proxy."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.known_state import SharedBench
from tests.benches.processes import KINDS, Bench, running_bench


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def shared_bench(request: pytest.FixtureRequest) -> AsyncIterator[SharedBench]:
    """The bench of this kind, which is started by the first test of the module."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        made = SharedBench(lambda: running_bench(request.param, Path(name)))
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def shared(shared_bench: SharedBench) -> Bench:
    """The module's bench in its known state, whatever the test before has left behind."""
    return await shared_bench.in_known_state()
