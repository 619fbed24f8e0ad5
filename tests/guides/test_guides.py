"""Each guide does what it says: all its blocks run, in order, in front of a simulated cluster."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from tests.docs.pages import ROOT
from tests.guides.apps import chat_and_greeter
from tests.guides.bench import bench
from tests.guides.page import steps

from drove_gateway.simulator import Options, Simulator

GUIDES = ROOT / "docs" / "guides"
BOTH = ("haproxy", "nginx")
PROXIES: Mapping[str, tuple[str, ...]] = {
    "blue-green-and-canary.md": ("haproxy",),
    "client-addresses.md": BOTH,
    "edit-a-template.md": BOTH,
    "from-consul-template.md": ("haproxy",),
    "from-marathon-lb.md": ("haproxy",),
    "from-nixy.md": ("nginx",),
    "from-the-original.md": BOTH,
    "header-routing.md": BOTH,
    "lets-encrypt.md": BOTH,
    "policies-by-tags.md": BOTH,
    "sticky-sessions.md": BOTH,
    "tls.md": BOTH,
    "two-gateways.md": BOTH,
    "vhost-404.md": BOTH,
    "vhost-503.md": BOTH,
    "websocket-and-grpc.md": BOTH,
}
# What `make debian-proxies` installs, and a guide cannot do without.
NEEDED: Mapping[str, tuple[str, ...]] = {"lets-encrypt.md": ("certbot", "pebble")}
RUNS = [(page, proxy) for page, proxies in PROXIES.items() for proxy in proxies]


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[Simulator]:
    """What `drove-gateway simulate` runs, at addresses that no other test's cluster has."""
    number = os.getpid()
    place = f"127.{64 + number % 64}.{number // 64 % 256}"
    executors = tuple(f"{place}.{host}" for host in (1, 2, 3))
    async with Simulator(Options(apps=3, instances=2, executors=executors)) as simulator:
        yield simulator


@pytest.mark.parametrize(("page", "proxy"), RUNS)
async def test_guide_works_as_written(
    page: str, proxy: str, cluster: Simulator, short_path: Path
) -> None:
    missing = [name for name in NEEDED.get(page, ()) if not Path("/usr/bin", name).exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: make debian-proxies, as root")
    followed = list(steps(GUIDES / page, proxy))
    assert any(step.language == "sh" for step in followed)
    async with AsyncExitStack() as stack:
        if page == "websocket-and-grpc.md":
            await stack.enter_async_context(chat_and_greeter(cluster, short_path))
        reader = await stack.enter_async_context(bench(proxy, short_path, cluster))
        await reader.follow(followed)


def test_every_guide_is_run() -> None:
    pages = {page.name for page in GUIDES.glob("*.md")} - {"README.md"}
    assert pages == PROXIES.keys()
