"""Churn for a long time: do memory, descriptors, tasks and old proxy processes stay flat?

The scenario "under one leader" of `churn` repeats under load, and now and then another controller
leads. Samples are taken at a fixed interval; growth is fitted over the second half, when everything
has happened often. Options: `--minutes` (60), `--mode`, `--rate`,
`--connections`, `--vhosts`, `--every SECONDS`, `--fail-over SECONDS` (180; 0 is never).
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import Sequence

import msgspec
from bench.churn import MODES, Scene, Tally, failing_over, happen, scene
from bench.report import announce, save, show
from bench.rig.gateway import kinds
from bench.rig.numbers import slope_per_hour
from bench.rig.traffic import Load
from bench.rig.usage import children, usage

_MEGABYTE = 1e6


class Sample(msgspec.Struct, frozen=True):
    """A sample, `at` seconds after the start."""

    at: float
    rss_mb: float
    descriptors: int
    threads: int
    tasks: int
    gateway_processes: int
    proxy_processes: int
    proxy_rss_mb: float
    requests: int
    failed: int


MEASURES = (
    "rss_mb",
    "descriptors",
    "threads",
    "tasks",
    "gateway_processes",
    "proxy_processes",
    "proxy_rss_mb",
)


async def sample(here: Scene, tally: Tally, begin: float) -> Sample:
    """Measure the gateway, its children, and all processes of the proxy, old workers included."""
    used = usage(here.gateway.pid)
    proxies = children(here.proxy.pid)
    return Sample(
        at=time.monotonic() - begin,
        rss_mb=used.rss / _MEGABYTE,
        descriptors=used.descriptors,
        threads=used.threads,
        tasks=await here.gateway.tasks(),
        gateway_processes=len(children(here.gateway.pid)),
        proxy_processes=len(proxies),
        proxy_rss_mb=sum(_rss(pid) for pid in proxies) / _MEGABYTE,
        requests=tally.requests,
        failed=tally.failures.total(),
    )


def _rss(pid: int) -> int:
    with contextlib.suppress(OSError, KeyError):
        return usage(pid).rss
    return 0


def grown(samples: Sequence[Sample]) -> list[dict[str, object]]:
    """Return how each measure behaves over the second half."""
    half = [taken for taken in samples if taken.at >= samples[-1].at / 2]
    rows: list[dict[str, object]] = []
    for name in MEASURES:
        values = [(taken.at, float(getattr(taken, name))) for taken in half]
        seen = [value for _, value in values]
        rows.append(
            {
                "measure": name,
                "at first": float(getattr(samples[0], name)),
                "second half, least": min(seen),
                "second half, most": max(seen),
                "last": seen[-1],
                "growth an hour": slope_per_hour(values),
            }
        )
    return rows


async def soak(chosen: argparse.Namespace) -> list[Sample]:
    """Take samples during churn under load."""
    samples = []
    async with scene(chosen.mode, kinds([], "")[0], chosen.vhosts) as here:
        tally = Tally()
        load = Load(
            here.proxy.port,
            here.vhosts,
            rate=chosen.rate,
            connections=chosen.connections,
            note=tally.note,
        )
        begin = time.monotonic()
        happening = asyncio.create_task(_happen(here, chosen.fail_over))
        async with load.running():
            while time.monotonic() < begin + chosen.minutes * 60 and not happening.done():
                samples.append(await sample(here, tally, begin))
                await asyncio.sleep(chosen.every)
        happening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await happening
        samples.append(await sample(here, tally, begin))
    return samples


async def _happen(here: Scene, fail_over: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(happen(here, "under one leader"))
        while fail_over:
            await asyncio.sleep(fail_over)
            await failing_over(here)


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--mode", choices=MODES, default="haproxy-runtime")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--vhosts", type=int, default=100, help="beside those under load")
    parser.add_argument("--every", type=float, default=10, help="seconds between samples")
    parser.add_argument("--fail-over", type=float, default=180, help="seconds between two leaders")
    return parser.parse_args()


def main() -> None:
    """Measure, print and save the results."""
    chosen = options()
    announce(f"{chosen.mode}, {chosen.minutes:g} minutes of churn")
    samples = asyncio.run(soak(chosen))
    rows = grown(samples)
    show(f"{len(samples)} samples in {samples[-1].at / 60:.0f} minutes", rows)
    print(f"\n{samples[-1].requests:,} requests, {samples[-1].failed} failed")
    report = [*rows, *(msgspec.structs.asdict(taken) for taken in samples)]
    print(f"Written to {save(f'soak-{chosen.mode}', report)}")


if __name__ == "__main__":
    main()
