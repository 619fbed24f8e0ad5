import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.e2e.stage import KINDS, Site, played


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """Everything at work, for all tests of a module: each leaves it as it found it."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with played(request.param, Path(name)) as place:
            yield place
