"""Whatever happens in whatever order, NGINX Plus ends up as the cluster is."""

import random
from pathlib import Path

import pytest
from tests.proxies.nginx.plus.rig import (
    WITH_STATE,
    WITHOUT_STATE,
    rigged,
    topology,
)
from tests.standins.nginx_plus.faults import Fault, FaultKind
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until

VHOSTS = [f"v{n}.example" for n in range(12)]
SERVERS = [f"10.0.0.{n}:80" for n in range(1, 6)]
FAULTS: list[FaultKind] = ["status", "garbage", "drop", "lose", "slow"]
STEPS = 40

Wish = dict[str, list[str]]


class Chaos:
    """Does one thing after the other to the cluster, to NGINX and to the API."""

    def __init__(self, nginx: NginxPlus, seed: int) -> None:
        self.nginx = nginx
        self.random = random.Random(seed)
        self.wish: Wish = {}

    def change_cluster(self) -> None:
        vhost = self.random.choice(VHOSTS)
        if vhost in self.wish and self.random.random() < 0.2:
            del self.wish[vhost]
        else:
            self.wish[vhost] = self.random.sample(SERVERS, self.random.randint(1, len(SERVERS)))

    def manual_edit(self) -> None:
        upstreams = [upstream for upstream in self.nginx.upstreams.values() if upstream.servers]
        if not upstreams:
            return
        upstream = self.random.choice(upstreams)
        server = self.random.choice(upstream.servers)
        match self.random.randrange(4):
            case 0:
                upstream.remove(server)
            case 1:
                upstream.append({"server": self.random.choice(SERVERS)})
            case 2:
                server.max_fails = 9
            case 3:
                upstream.renumber()
        self.nginx.save(upstream)

    def spoil_api(self) -> None:
        fault = Fault(
            self.random.choice(FAULTS),
            method=self.random.choice(["GET", "POST", "PATCH", "DELETE", ".*"]),
            times=self.random.randint(1, 5),
            seconds=0.05,
        )
        self.nginx.api.faults.append(fault)

    def keep_busy(self) -> None:
        for upstream in self.nginx.upstreams.values():
            for server in upstream.servers:
                server.active = self.random.choice([0, 0, 1])

    def rest(self) -> None:
        self.nginx.api.faults.clear()
        for upstream in self.nginx.upstreams.values():
            for server in upstream.servers:
                server.active = 0

    def settled(self) -> bool:
        """Every wanted server stands once, takes requests and has its parameters; no other does."""
        return self.nginx.upstreams.keys() == self.wish.keys() and all(
            self.nginx.has(vhost, servers)
            and not any(
                server.drain or server.max_fails for server in self.nginx.upstreams[vhost].servers
            )
            for vhost, servers in self.wish.items()
        )


@pytest.mark.parametrize("template", [WITH_STATE, WITHOUT_STATE], ids=["state", "no state"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_it_always_ends_well(tmp_path: Path, template: str, seed: int) -> None:
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path, template=template, audit_interval=0.1, drain_timeout=1.0) as rig,
        rig.running() as gateway,
    ):
        chaos = Chaos(nginx, seed)
        deeds = [chaos.change_cluster] * 4 + [chaos.manual_edit, chaos.spoil_api, chaos.keep_busy]
        for _ in range(STEPS):
            chaos.random.choice(deeds)()
            gateway.desire(topology(chaos.wish), "chaos")
            if chaos.random.random() < 0.1:
                await chaos.random.choice([nginx.reload, nginx.restart])()
            calls = nginx.api.total()
            await until(lambda before=calls: nginx.api.total() > before)  # type: ignore[misc]
        chaos.rest()
        gateway.wake("the chaos is over")
        await until(chaos.settled, seconds=60)
        await until(lambda: rig.updates == (True, "OK"))
