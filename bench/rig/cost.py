"""What each step from an answer to the proxy costs, in a process of its own.

python -m bench.rig.cost NIXY_TOML ANSWER CHANGED… prints JSON: milliseconds by step, for the
first answer and, as medians, for one server that changed. The steps are those of the gateway, by
the same objects: the answer's decoder, the topology, the guard, the driver's plan and its applying.
"""

import asyncio
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import structlog

from drove_gateway.acceptance.verdict import Evidence, Memory, judge
from drove_gateway.config.load import load
from drove_gateway.daemon import assembly
from drove_gateway.daemon.outside import this_machine
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.plan import Plan
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.vocabulary import Leader, Snapshot
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.registry import kind_of
from drove_gateway.topology.build import build
from drove_gateway.topology.topology_diff import topology_diff

T = TypeVar("T")

_LEADER = Leader("http://127.0.0.1:4000", "127.0.0.1", 4000)


class Steps:
    """Milliseconds by step, of one answer."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], T]) -> T:
        """Do `work`, and note what it took."""
        begin = time.perf_counter()
        result = work()
        self.taken[name] = (time.perf_counter() - begin) * 1000
        return result


class Way:
    """The way of one namespace's answers to the proxy, without the network before it."""

    def __init__(self, config: Path) -> None:
        self.settings = load(config, os.environ).settings
        self.name = self.settings.namespaces[0].name
        self.decoder = EndpointsDecoder(self.name)
        self.rules = namespace_rules(self.settings)
        self.listed = build({}, self.rules)
        self.memory = Memory(self.listed)

    def decided(self, body: bytes, steps: Steps, proxy: Proxy) -> Plan:
        """Everything that is decided from an answer: the plan."""
        listing = steps.time("decode", lambda: self.decoder.decode(body))
        answer = Snapshot(self.name, _LEADER, listing.apps, listing.rejected)
        before = self.memory.served.topology
        self.listed = steps.time(
            "topology", lambda: build({self.name: answer}, self.rules, self.listed)
        )
        limits = assembly.guard_limits(self.settings)
        evidence = Evidence(now=0.0, responded=frozenset((self.name,)))
        verdict = steps.time(
            "guard", lambda: judge(self.memory, self.listed, self.rules, evidence, limits)
        )
        self.memory = verdict.memory
        desired = self.memory.served.topology
        if before.apps:
            steps.time("diff", lambda: topology_diff(before, desired))
        return steps.time("plan", lambda: proxy.plan(desired))


async def apply(plan: Plan, steps: Steps, proxy: Proxy) -> None:
    """Carry out `plan`; what that took is noted with the driver's own stages."""
    begin = time.perf_counter()
    outcome = await proxy.apply(plan)
    steps.taken["apply"] = (time.perf_counter() - begin) * 1000
    if outcome.failed:
        raise SystemExit(f"not applied: {outcome.failed[:3]}")
    steps.taken |= {f"apply: {name}": taken * 1000 for name, taken in outcome.seconds}


async def measure(config: Path, answer: bytes, changed: Sequence[bytes]) -> dict[str, object]:
    """The first answer, the same once more, and one change after the other."""
    way, log = Way(config), EventLog(structlog.get_logger())
    async with AsyncExitStack() as stack:
        outside = this_machine(os.environ, Metrics(), log)
        proxy = await kind_of(way.settings).driver(outside, stack)
        first = Steps()
        await apply(way.decided(answer, first, proxy), first, proxy)
        again = bytes(bytearray(answer))
        first.time("unchanged", lambda: way.decoder.decode(again))
        changes = []
        for body in changed:
            steps = Steps()
            await apply(way.decided(body, steps, proxy), steps, proxy)
            changes.append(steps.taken)
    medians = {name: statistics.median(taken[name] for taken in changes) for name in changes[0]}
    return {"first": first.taken, "one server": medians}


def main() -> None:
    """Measure, and print JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    config, *answers = map(Path, sys.argv[1:])
    first, *changed = [file.read_bytes() for file in answers]
    print(json.dumps(asyncio.run(measure(config, first, changed))))


if __name__ == "__main__":
    main()
