"""One site for the faults of a module: each test leaves it as well as it found it."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.faults.rogue import Rogue
from tests.faults.site import Site, site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rogue() -> AsyncIterator[Rogue]:
    """The controller of a second namespace, which can answer with anything."""
    async with Rogue().running() as controller:
        yield controller


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["haproxy", "nginx"])
async def shared(request: pytest.FixtureRequest, rogue: Rogue) -> AsyncIterator[Site]:
    """A site with the proxy that is asked for, for all tests of the module."""
    other = f'[[namespaces]]\nname = "other"\ndrove = ["http://127.0.0.1:{rogue.port}"]\n'
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with site(
            request.param, Path(name), prepare=lambda place: place.configure(namespaces=other)
        ) as place:
            yield place


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a site run in one process."""
    for item in items:
        if isinstance(item, pytest.Function) and "shared" in item.fixturenames:
            kind = item.callspec.params.get("shared", "") if hasattr(item, "callspec") else ""
            if item.path.parent == Path(__file__).parent:
                item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{kind}"))
