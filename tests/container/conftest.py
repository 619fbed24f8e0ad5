from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.container.stage import PLATFORMS, Container, container


@pytest.fixture(params=PLATFORMS)
async def made(request: pytest.FixtureRequest, short_path: Path) -> AsyncIterator[Container]:
    """A container with each proxy, not started yet."""
    async with container(request.param, short_path) as found:
        yield found


@pytest.fixture
async def running(made: Container) -> Container:
    """A container that serves."""
    await made.start()
    await made.answers("web.test")
    return made
