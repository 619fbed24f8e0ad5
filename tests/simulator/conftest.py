from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.simulator.client import Client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session)
