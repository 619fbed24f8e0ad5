"""From a change in Drove to right answers through the proxy, split into stages.

A simulated cluster, a gateway and a real proxy run as processes of their own. Requests go through
the proxy all the time; each change is followed from the moment when the controller tells it to the
first right and the last wrong answer. Options: `--mode` and `--vhosts` (may be repeated),
`--changes`, `--rounds`, `--interval`, `--rate`, `--gateway 'COMMAND -f {config}'` (may be
repeated; "ours" is this package), `--template`.

The apps of the mass are addresses where nothing listens; those that are measured are real.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from bench.report import announce, save, show
from bench.rig.changes import KINDS, Followed, Stage, follow
from bench.rig.cluster import cluster
from bench.rig.gateway import Kind, gateway, kinds
from bench.rig.numbers import STAGES, percentile
from bench.rig.proxies import MODES, proxy
from bench.rig.traffic import Answer, Load

VHOSTS = (100, 1000)
INSTANCES = 10
CONNECTIONS = 4
WARM_UP = 4
_PAUSE_SECONDS = 1.1
_SHARES = {"p50": 50, "p99": 99, "max": 100}


class Case(msgspec.Struct, frozen=True):
    """What is measured together."""

    mode: str
    vhosts: int
    kind: Kind
    program: Path | None = None


@asynccontextmanager
async def stage(case: Case, interval: float, rate: float) -> AsyncIterator[Stage]:
    """Cluster, proxy, gateway and clients, at work: the measured app answers."""
    answers: list[Answer] = []
    bodies: dict[str, bytes] = {}

    def note(answer: Answer) -> None:
        answers.append(answer)
        if answer.instance:
            bodies[answer.instance] = answer.body

    async with AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp"))
        directory = Path(name)
        there = await stack.enter_async_context(
            cluster(directory, apps=case.vhosts, instances=INSTANCES)
        )
        await there.change("deploy", name="bench", instances=2, real=True, wait_before_kill=5.0)
        driven = await stack.enter_async_context(proxy(case.mode, directory, case.program))
        settings = {"event_refresh_interval_sec": interval}
        ran = await stack.enter_async_context(
            gateway(case.kind, there, driven, directory, settings)
        )
        load = Load(driven.port, ["bench.local"], rate=rate, connections=CONNECTIONS, note=note)
        await stack.enter_async_context(load.running())
        made = Stage(there, ran, load, answers, bodies)
        await made.ready()
        yield made


async def block(case: Case, changes: int, interval: float, rate: float) -> list[Followed]:
    """So many changes of each kind in turn, with everything started anew."""
    found, names = [], list(KINDS)
    async with stage(case, interval, rate) as here:
        for number in range(changes + WARM_UP):
            change = await follow(here, names[number % len(names)], number)
            if number >= WARM_UP:
                found.append(change)
            # Past the pace of reloads, and at another point of the gateway's interval each time.
            await asyncio.sleep(_PAUSE_SECONDS + random.uniform(0, interval))
    return found


def total(case: Case, found: Sequence[Followed]) -> list[dict[str, object]]:
    """A row for all changes, and one for each kind of change."""
    groups = {"all": list(found)} | {
        name: [change for change in found if change.kind == name] for name in KINDS
    }
    return [
        {
            **_named(case),
            "change": name,
            "changes": len(group),
            **_milliseconds([change.converged for change in group]),
            "first right p50": _p(
                50, [change.right for change in group if change.right is not None]
            ),
            "last wrong p50": _p(
                50, [change.wrong for change in group if change.wrong is not None]
            ),
            "failed requests": sum(change.failed for change in group),
            "never": sum(change.timed_out for change in group),
        }
        for name, group in groups.items()
        if group
    ]


def by_stage(case: Case, found: Sequence[Followed]) -> list[dict[str, object]]:
    """For each kind of change the medians of its stages, and all that is past fetching."""
    staged = [change for change in found if change.stages]
    names = [name for name in KINDS if any(change.kind == name for change in staged)]
    return [
        _stages_row(case, name, [change for change in staged if change.kind == name])
        for name in names
    ]


def _stages_row(case: Case, name: str, group: Sequence[Followed]) -> dict[str, object]:
    past = [sum(change.stages[stage] for stage in STAGES[2:]) for change in group]
    return {
        **_named(case),
        "change": name,
        **{f"{stage} p50": _p(50, [change.stages[stage] for change in group]) for stage in STAGES},
        "past fetching p50": _p(50, past),
        "p99": _p(99, past),
        "max": _p(100, past),
    }


def _named(case: Case) -> dict[str, object]:
    return {"gateway": case.kind.name, "proxy": case.mode, "vhosts": case.vhosts}


def _milliseconds(samples: Sequence[float]) -> dict[str, object]:
    return {f"{name} ms": _p(share, samples) for name, share in _SHARES.items()}


def _p(share: int, samples: Sequence[float]) -> float | None:
    return percentile(samples, share / 100) * 1000 if samples else None


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench convergence", description=__doc__)
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--vhosts", type=int, action="append")
    parser.add_argument("--changes", type=int, default=100, help="of each proxy, size and gateway")
    parser.add_argument("--rounds", type=int, default=2, help="starts from nothing")
    parser.add_argument("--interval", type=float, default=0.25, help="event_refresh_interval_sec")
    parser.add_argument("--rate", type=float, default=1000, help="requests a second")
    parser.add_argument("--gateway", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--template", default="", help="shipped, plain, or a file")
    parser.add_argument("--program", type=Path, help="the proxy, instead of the installed one")
    parser.add_argument("--name", default="convergence", help="of the file of results")
    return parser.parse_args()


async def measure(chosen: argparse.Namespace) -> list[dict[str, object]]:
    """Every case; gateways take turns, so that a busy machine is busy for all."""
    rows = []
    for mode in chosen.mode or MODES:
        for vhosts in chosen.vhosts or VHOSTS:
            cases = [
                Case(mode, vhosts, kind, chosen.program)
                for kind in kinds(chosen.gateway, chosen.template)
            ]
            found: dict[Case, list[Followed]] = {case: [] for case in cases}
            for _ in range(chosen.rounds):
                for case in cases:
                    found[case] += await block(
                        case, chosen.changes // chosen.rounds, chosen.interval, chosen.rate
                    )
            title = f"{mode}, {vhosts} vhosts x {INSTANCES}"
            totals = [row for case in cases for row in total(case, found[case])]
            staged = [row for case in cases for row in by_stage(case, found[case])]
            show(f"{title}: from the change in Drove to right answers", totals)
            if staged:
                show(f"{title}: by stage", staged)
            rows += [*totals, *staged]
    return rows


def main() -> None:
    """Measure, print, and write the results down."""
    chosen = options()
    announce(
        f"{chosen.changes} changes each, polled every {chosen.interval:g} s, "
        f"{chosen.rate:g} requests a second through the proxy"
    )
    begin = time.monotonic()
    rows = asyncio.run(measure(chosen))
    print(f"\n{time.monotonic() - begin:.0f} s; written to {save(chosen.name, rows)}")


if __name__ == "__main__":
    main()
