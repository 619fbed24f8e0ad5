"""Takeovers: the recorded ones of real controllers, and the simulated ones by the same rules."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.simulator.client import Client
from tests.simulator.recordings import recording

from drove_gateway.simulator import Options, Simulator
from drove_gateway.simulator.recovery import REAL_SECONDS

APPS = 30
CLUSTER = Options(
    apps=APPS, instances=3, real=False, executors=("a", "b", "c"), recovering=REAL_SECONDS / 2
)


@dataclass
class Takeover:
    """What the leader listed before, and what a new one responded, one after the other."""

    before: dict[str, int]
    listed: list[dict[str, int]] = field(default_factory=list)
    counts: list[dict[str, int]] = field(default_factory=list)

    def add(self, route: str, data: Any) -> None:
        if route == "endpoints":
            self.listed.append(hosts_by_app(data))
        elif route == "summary":
            self.counts.append(data["eventsCount"])


def hosts_by_app(data: Any) -> dict[str, int]:
    return {app["appId"]: len(app["hosts"]) for app in data}


def recorded(name: str) -> Takeover:
    steps = [step for step in recording(f"takeover-{name}")["steps"] if step["status"] == 200]
    data = [(step["seconds"], step["route"], json.loads(step["body"])["data"]) for step in steps]
    [before] = [hosts_by_app(d) for at, route, d in data if at < 0 and route == "endpoints"]
    takeover = Takeover(before)
    for at, route, each in data:
        if at > 0:
            takeover.add(route, each)
    return takeover


async def simulated(client: Client, change: Callable[[Simulator], Awaitable[object]]) -> Takeover:
    async with Simulator(CLUSTER) as sim:
        takeover = Takeover(await client.listed(sim))
        await change(sim)
        async with asyncio.timeout(20):
            while len(takeover.listed) < 2 or takeover.listed[-1] != takeover.before:
                events = await client.ask(sim, "cluster/events/summary?lastSyncTime=0")
                takeover.add("summary", events.data)
                takeover.add("endpoints", (await client.ask(sim, "endpoints")).data)
        events = await client.ask(sim, "cluster/events/summary?lastSyncTime=0")
        takeover.add("summary", events.data)
    return takeover


async def killed(sim: Simulator) -> object:
    return await sim.stop_controller(0)


async def stopped_cleanly(sim: Simulator) -> object:
    return await sim.move_leadership(gap=0.1)


def assert_like_a_real_takeover(takeover: Takeover, *, acquired: bool) -> None:
    """Nothing, then whole apps in any order until all are listed; an event for each of them."""
    assert takeover.listed[0] == {}
    assert takeover.listed[-1] == takeover.before
    sizes = [len(listed) for listed in takeover.listed]
    assert sizes == sorted(sizes)
    assert any(0 < size < APPS for size in sizes)
    for listed in takeover.listed:
        assert listed.items() <= takeover.before.items(), "an app is listed whole or not at all"
    first = {"LEADERSHIP_ACQUIRED": 1} if acquired else {}
    assert takeover.counts[0] == first
    assert takeover.counts[-1] == {**first, "APP_STATE_CHANGE": APPS, "EXECUTOR_ADDED": 3}
    assert any(
        0 < counts.get("APP_STATE_CHANGE", 0) < APPS and "EXECUTOR_ADDED" not in counts
        for counts in takeover.counts
    )


@pytest.mark.parametrize(("name", "acquired"), [("kill", False), ("term", True)])
def test_real_takeovers_were_recorded_as_the_rules_say(name: str, acquired: bool) -> None:
    assert_like_a_real_takeover(recorded(name), acquired=acquired)


@pytest.mark.parametrize(("change", "acquired"), [(killed, False), (stopped_cleanly, True)])
async def test_simulated_takeovers_follow_the_same_rules(
    client: Client, change: Callable[[Simulator], Awaitable[object]], acquired: bool
) -> None:
    assert_like_a_real_takeover(await simulated(client, change), acquired=acquired)


async def test_events_of_a_new_leader_begin_at_zero_after_a_kill(client: Client) -> None:
    async with Simulator(CLUSTER) as sim:
        await sim.stop_controller(0)
        got = (await client.ask(sim, "cluster/events/summary?lastSyncTime=0")).data
    assert got == {"eventsCount": {}, "lastSyncTime": 0}
