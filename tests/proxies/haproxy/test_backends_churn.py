"""Vhosts, groups and leaders come and go all the time in HAProxy 3.4: nothing fails, nothing leaks.

CHURN_SECONDS sets how long; an hour is a release test.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.proxies.haproxy.gateway import VHOSTS_TEMPLATE, Gateway, app, grouped
from tests.traffic import Instance, Tally, Traffic, get
from tests.waiting import until

from drove_gateway.model.vocabulary import App, Leader, Namespace, Topology

Spawn = Callable[..., Awaitable[list[Instance]]]

_SECONDS = float(os.environ.get("CHURN_SECONDS", "12"))
_PAUSE_SECONDS = 0.1
_TEMPLATE = VHOSTS_TEMPLATE.read_text()
_CHANGED = _TEMPLATE.replace("    retries 3\n", "    retries 4\n")
_VHOSTS = [f"v{number}.example" for number in range(8)]


@pytest.fixture
def gateway(make_newer: Callable[..., Gateway], short_path: Path) -> Gateway:
    template = short_path / "vhosts.tmpl"
    template.write_text(_TEMPLATE)
    return make_newer(
        template=str(template),
        haproxy_backend_include_routing_tag_suffix=True,
    )


class Cluster(msgspec.Struct):
    """Instances, and the topologies that may be made of them."""

    source: random.Random
    steady: Instance
    leaders: Sequence[Instance]
    others: Sequence[Instance]

    def some(self) -> Topology:
        """Return the steady vhost and some others, some with groups, and one of the leaders."""
        chosen = self.source.sample(_VHOSTS, self.source.randrange(len(_VHOSTS)))
        return self.topology([self._app(vhost) for vhost in chosen])

    def topology(self, apps: Sequence[App] = ()) -> Topology:
        leader = self.source.choice(self.leaders)
        there = Leader(f"http://{leader.host}:{leader.port}", leader.host, leader.port)
        steady = app("steady.example", [self.steady])
        return Topology(
            {each.vhost: each for each in (steady, *apps)},
            {"test": Namespace("led.example", there, "env")},
        )

    def _app(self, vhost: str) -> App:
        instances = self.source.sample(self.others, self.source.randrange(1, 4))
        if self.source.random() < 0.5:
            return app(vhost, instances)
        return grouped(vhost, {vhost: instances[:1], "blue": instances[1:] or instances})


async def churn(gateway: Gateway, cluster: Cluster, seconds: float) -> int:
    """Change the topology ten times a second, and look every two seconds whether it is served."""
    deadline, turn = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        topology = cluster.some()
        if turn % 20 == 19:
            await gateway.reach(topology)
            for vhost in _VHOSTS:
                wanted = 200 if vhost in topology.apps else 404
                assert (await get(gateway.port, vhost))[0] == wanted, vhost
        else:
            gateway.desire(topology)
            await asyncio.sleep(_PAUSE_SECONDS)
        turn += 1
    return turn


async def test_nothing_fails_and_nothing_leaks(gateway: Gateway, spawn: Spawn) -> None:
    steady, first, second, *others = await spawn(10)
    cluster = Cluster(random.Random(20261127), steady, (first, second), others)
    await gateway.start(cluster.topology())
    begun = len(gateway.reloads)
    traffic = Traffic(gateway.port, ["steady.example", "led.example"], clients=8, pause=0.002)
    tallies: list[Tally] = []
    async with traffic.running() as tally:
        tallies.append(tally)
        await churn(gateway, cluster, _SECONDS / 4)
        await gateway.haproxy.reload()
        await churn(gateway, cluster, _SECONDS / 4)
        assert gateway.reloads[begun:] == [], "nothing needed a reload"
        Path(gateway.settings.haproxy_template).write_text(_CHANGED)
        gateway.demand("the template changed")
        await churn(gateway, cluster, _SECONDS / 4)
    reloaded = [record for record in gateway.records if record.reloaded]
    assert len(reloaded) == 1, "only the template needed a reload"
    # While HAProxy is away, requests cannot but fail: nobody asks.
    await gateway.haproxy.kill()
    gateway.desire(cluster.some())
    await gateway.haproxy.start()
    await gateway.settled()
    async with traffic.running() as tally:
        tallies.append(tally)
        await churn(gateway, cluster, _SECONDS / 4)
    assert [failure for tally in tallies for failure in tally.failures] == []
    assert [record for record in gateway.records if record.reloaded] == reloaded
    await gateway.reach(cluster.topology())
    await gateway.drained()
    await until(lambda: not gateway.driver.leaving)
    lines = (await gateway.haproxy.say("show backend")).splitlines()[1:]
    assert sorted(lines) == ["drove:none", "led.example", "steady.example"]
    assert all(tally.answers[steady.name] > 50 * _SECONDS / 4 for tally in tallies)
