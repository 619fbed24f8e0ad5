"""What an operator, an earlier run or another server did to NGINX Plus's servers."""

from pathlib import Path

from tests.proxies.nginx.plus.rig import (
    rigged,
    topology,
)
from tests.proxies.nginx.plus.test_driver import ONE, TWO, A, B, C, D, kinds
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until


async def test_what_an_operator_set_manually_stays(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A, B, C]}))
        first, second, third = nginx.upstreams["a.example"].servers
        first.down, second.drain, third.weight, third.max_conns = True, True, 7, 5
        await rig.apply(topology({"a.example": [A, B, C, D]}))
        assert (first.down, second.drain, third.weight, third.max_conns) == (True, True, 7, 5)
        assert nginx.servers("a.example") == [A, B, C, D]


async def test_parameters_changed_manually_are_set_right(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A]}))
        (server,) = nginx.upstreams["a.example"].servers
        server.max_fails, server.fail_timeout = 3, 10_000
        nginx.api.forget_calls()
        await rig.apply(topology({"a.example": [A]}), "requested")
        assert (server.max_fails, server.fail_timeout) == (0, 1000)
        assert kinds(rig) == {"GET servers": 1, "PATCH server": 1}


async def test_a_server_made_ready_manually_and_wanted_again_is_not_deleted(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, drain_timeout=0.1, audit_interval=0.05) as rig,
    ):
        await rig.apply(topology({"a.example": [A, B]}))
        await rig.apply(topology({"a.example": [B]}))
        nginx.upstreams["a.example"].servers[0].drain = False
        await rig.apply(topology({"a.example": [A, B]}))
        assert rig.driver.draining == 0
        async with rig.running():
            nginx.api.forget_calls()
            await until(lambda: nginx.api.calls["GET servers"] > 5)
        assert nginx.servers("a.example") == [A, B]


async def test_a_server_that_an_earlier_run_left_in_drain_is_deleted(tmp_path: Path) -> None:
    conf = f"upstream a.example {{ zone a 64k; server {A}; server {B} drain; }}"
    async with (
        running(NginxPlus(conf)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.servers("a.example") == [A])


async def test_a_drain_that_meets_another_server_is_taken_back(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A, B]}))
        upstream = nginx.upstreams["a.example"]
        nginx.api.faults.append(
            Fault("meanwhile", method="PATCH", times=1, action=upstream.renumber)
        )
        outcome = await rig.apply(topology({"a.example": [B]}))
        assert outcome.failed == ()
        assert {server.server: server.drain for server in upstream.servers} == {A: True, B: False}


async def test_a_deletion_that_meets_another_server_is_repaired(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, drain_timeout=0) as rig,
    ):
        await rig.apply(topology({"a.example": [A, B]}))
        upstream = nginx.upstreams["a.example"]
        nginx.api.faults.append(
            Fault("meanwhile", method="DELETE", times=1, action=upstream.renumber)
        )
        outcome = await rig.apply(topology({"a.example": [B]}))
        assert outcome.failed == ()
        assert nginx.servers("a.example") == [B]


async def test_a_swept_deletion_that_meets_another_server_is_repaired(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        upstream = nginx.upstreams["a.example"]
        nginx.api.faults.append(
            Fault("meanwhile", method="DELETE", times=1, action=upstream.renumber)
        )
        async with rig.running() as gateway:
            gateway.desire(topology({"a.example": [A, B]}), "start")
            await until(lambda: nginx.has("a.example", [A, B]))
            gateway.desire(topology({"a.example": [B]}), "fewer")
            await until(lambda: rig.driver.draining == 0 and nginx.has("a.example", [B]))


async def test_servers_that_left_drained_with_their_vhost_serve_when_it_comes_back(
    tmp_path: Path,
) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A], "b.example": [B, C]}))
        await rig.apply(topology({"a.example": [A], "b.example": [B]}))
        assert nginx.upstreams["b.example"].servers[1].drain
        await rig.apply(topology({"a.example": [A]}))
        async with rig.running() as gateway:
            await gateway.reach(topology({"a.example": [A]}))
            await until(lambda: rig.driver.draining == 0)
            nginx.disk["/state/b.example.conf"] = [{"server": C, "max_fails": 0, "drain": True}]
            await gateway.reach(topology({"a.example": [A], "b.example": [C]}))
            await until(lambda: not nginx.upstreams["b.example"].servers[0].drain)


async def test_a_server_whose_return_was_refused_once_serves_in_the_end(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(TWO)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        await gateway.reach(topology({"a.example": [A, B]}))
        server = nginx.upstreams["a.example"].servers[1]
        server.active = 1
        await gateway.reach(topology({"a.example": [A]}))
        assert server.drain
        nginx.api.faults.append(Fault("status", method="PATCH", times=1))
        await gateway.reach(topology({"a.example": [A, B]}))
        assert not server.drain
