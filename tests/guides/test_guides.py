"""Each guide does what it says: all its blocks run, in order, in front of a simulated cluster."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from tests.docs.pages import ROOT
from tests.guides.bench import bench
from tests.guides.page import steps

from drove_gateway.simulator import Options, Simulator

GUIDES = ROOT / "docs" / "guides"
BOTH = ("haproxy", "nginx")
PROXIES: Mapping[str, tuple[str, ...]] = {
    "tls.md": BOTH,
}
RUNS = [(page, proxy) for page, proxies in PROXIES.items() for proxy in proxies]


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[Simulator]:
    """What `drove-gateway simulate` runs."""
    async with Simulator(Options(apps=3, instances=2)) as simulator:
        yield simulator


@pytest.mark.parametrize(("page", "proxy"), RUNS)
async def test_guide_works_as_written(
    page: str, proxy: str, cluster: Simulator, short_path: Path
) -> None:
    followed = list(steps(GUIDES / page, proxy))
    assert any(step.language == "sh" for step in followed)
    async with bench(proxy, short_path, cluster) as reader:
        await reader.follow(followed)


def test_every_guide_is_run() -> None:
    pages = {page.name for page in GUIDES.glob("*.md")} - {"README.md"}
    assert pages == PROXIES.keys()
