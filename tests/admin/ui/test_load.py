"""What the page costs: the first load beside many servers, and many open pages during churn."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import serving

from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.status.status import Status, with_built, with_progress, with_record

pytestmark = pytest.mark.xdist_group("page-load")
BROWSER = {"Accept": "text/html"}
PAGES = 50
CHANGES_PER_SECOND = 10
SECONDS = 6.0


def cluster(vhosts: int) -> VersionedMap[App]:
    return VersionedMap({name: app(name, 10) for name in (f"app{n}.local" for n in range(vhosts))})


def app(vhost: str, servers: int) -> App:
    hosts = tuple(Host(f"10.0.{n}.1", 8000, "http") for n in range(servers))
    return App(vhost, vhost, hosts, {"team": "red"}, {vhost: HostGroup(hosts, {})}, "")


def applied(status: Status, apps: VersionedMap[App], number: int) -> Status:
    """The status after an apply that reached `apps`."""
    built = msgspec.structs.replace(status.built, topology=Topology(apps, {}))
    status = with_progress(with_built(status, built), Progress("applying"))
    name = f"app{number % 1000}.local"
    record = ApplyRecord(
        at=1_700_000_000.0 + number,
        took=0.004,
        triggers=("namespace stage",),
        reasons=(),
        steps=tuple(Step("add server", f"{name}/s{n}", "+1 -0 servers") for n in range(4)),
        seconds=((ApplyStage.SERVERS, 0.004),),
    )
    return with_progress(with_record(status, record), Progress("idle"))


@asynccontextmanager
async def open_pages(url: str, count: int) -> AsyncIterator[list[int]]:
    """Run the browsers; at the end the list has the number of pages that they loaded."""
    program = Path(__file__).with_name("open_pages.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        url,
        str(count),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    loaded: list[int] = []
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"open\n"
            yield loaded
            process.stdin.close()
            loaded.append(int(await process.stdout.readline()))
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def churn(api: Api, seconds: float) -> tuple[float, list[float]]:
    """Change a vhost ten times a second; return the CPU seconds used, and each change's delay."""
    clock = asyncio.get_running_loop().time
    begin, used = clock(), time.process_time()
    delays: list[float] = []
    for number in range(int(seconds * CHANGES_PER_SECOND)):
        due = begin + number / CHANGES_PER_SECOND
        await asyncio.sleep(max(0.0, due - clock()))
        delays.append(max(0.0, clock() - due))
        apps = api.status.built.topology.apps
        assert isinstance(apps, VersionedMap)
        name = f"app{number * 7 % 1000}.local"
        changed = apps.updated({name: app(name, 9 + number % 2)})
        api.status = applied(api.status, changed, number)
    return time.process_time() - used, delays


async def test_the_first_load_is_small_and_fast_beside_a_hundred_thousand_servers(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    apps = cluster(10_000)
    for number in range(100):
        api.status = applied(api.status, apps, number)
    await asyncio.to_thread(api.sources_in_use.desired_hash.of, api.status.built.topology)
    seconds: list[float] = []
    for number in range(9):
        apps = apps.updated({"app7.local": app("app7.local", number + 1)})
        api.status = applied(api.status, apps, number)
        begin = time.process_time()
        async with client.get(f"{api.url}/ui/", headers=BROWSER) as response:
            size = len(await response.read())
        seconds.append(time.process_time() - begin)

    print(f"first load: {size:,} bytes, {statistics.median(seconds) * 1000:.1f} ms")
    assert size < 100_000
    assert statistics.median(seconds) < 0.05


async def test_fifty_open_pages_cost_little_and_delay_no_change(api: Api) -> None:
    api.status = applied(serving(api.status), cluster(1000), 0)
    alone, delays_alone = await churn(api, SECONDS)
    async with open_pages(api.url, PAGES) as loaded:
        watched, delays = await churn(api, SECONDS)

    share = (watched - alone) / SECONDS
    late, late_alone = (statistics.quantiles(each, n=20)[18] for each in (delays, delays_alone))
    print(
        f"{PAGES} pages: {share:.1%} of a core, {loaded[0]} loads; p95 of a change's delay "
        f"{late * 1000:.1f} ms, {late_alone * 1000:.1f} ms without pages"
    )
    assert loaded[0] >= PAGES * 2
    assert share < 0.05
    # On a busy machine other programs delay a change more than pages do.
    assert late < late_alone + 0.25
