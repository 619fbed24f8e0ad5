"""The gateway's reconciler and housekeeping before a stand-in that carries real traffic."""

import asyncio
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from tests.proxies.nginx.plus.rig import (
    WITH_STATE,
    WITHOUT_STATE,
    address_of,
    holding,
    instances,
    rigged,
    topology,
)
from tests.standins.nginx_plus.faults import Fault, FaultKind
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.traffic import Traffic
from tests.waiting import until

A, B, C = (f"10.0.0.{n}:80" for n in range(1, 4))
ONE = "upstream a.example { zone a 64k; }"
TWO = ONE + "upstream b.example { zone b 64k; }"


async def test_every_instance_is_replaced_under_load_without_a_failed_request(
    tmp_path: Path,
) -> None:
    vhosts = ["a.example", "b.example", "c.example"]
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path) as rig,
        rig.running() as gateway,
        instances(6) as old,
        instances(6) as new,
    ):
        before = {name: old[n * 2 : n * 2 + 2] for n, name in enumerate(vhosts)}
        after = {name: new[n * 2 : n * 2 + 2] for n, name in enumerate(vhosts)}
        now = {name: [address_of(instance) for instance in before[name]] for name in vhosts}
        gateway.desire(topology(now), "start")
        await until(lambda: all(nginx.has(name, now[name]) for name in vhosts))
        traffic = Traffic(nginx.traffic_port, vhosts, clients=8)
        async with traffic.running() as tally:
            await traffic.answered(100)
            for turn in (0, 1):
                for name in vhosts:
                    now[name][turn] = address_of(after[name][turn])
                    gateway.desire(topology(now), f"{name} rolls")
                    await until(partial(nginx.has, name, now[name]))
                    await before[name][turn].stop()
                    await traffic.answered(30)
            await traffic.answered(100)
        assert tally.failures == []
        assert all(instance.requests for instance in new)
        assert nginx.reloads == 1


async def test_a_request_that_runs_when_its_server_is_removed_finishes(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
        holding(2) as (leaving, staying),
        aiohttp.ClientSession() as client,
    ):
        gateway.desire(topology({"a.example": [leaving.address]}), "start")
        await until(lambda: nginx.servers("a.example") == [leaving.address])
        url = f"http://127.0.0.1:{nginx.traffic_port}/"
        slow = asyncio.create_task(client.get(url + "slow", headers={"Host": "a.example"}))
        await until(lambda: leaving.waiting == 1)
        gateway.desire(topology({"a.example": [staying.address]}), "replaced")
        await until(lambda: nginx.upstreams["a.example"].servers[0].drain)
        await until(lambda: rig.driver.health().draining == 1)
        for _ in range(4):
            async with client.get(url, headers={"Host": "a.example"}) as answer:
                assert await answer.text() == staying.address
        assert leaving.address in nginx.servers("a.example")
        leaving.let_go.set()
        answer = await slow
        assert (answer.status, await answer.text()) == (200, leaving.address)
        await until(lambda: nginx.servers("a.example") == [staying.address])
        await until(lambda: rig.driver.health().draining == 0)


async def test_a_drain_ends_at_its_deadline_and_even_then_cuts_nothing_off(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, drain_timeout=0.2) as rig,
        rig.running() as gateway,
        holding(1) as (leaving,),
        aiohttp.ClientSession() as client,
    ):
        gateway.desire(topology({"a.example": [leaving.address]}), "start")
        await until(lambda: nginx.servers("a.example") == [leaving.address])
        url = f"http://127.0.0.1:{nginx.traffic_port}/slow"
        slow = asyncio.create_task(client.get(url, headers={"Host": "a.example"}))
        await until(lambda: leaving.waiting == 1)
        gateway.desire(topology({}), "gone")
        await until(lambda: nginx.servers("a.example") == [])
        assert nginx.upstreams["a.example"].zombies == 1
        leaving.let_go.set()
        assert (await slow).status == 200


async def test_a_long_drain_does_not_hold_up_the_next_change(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(TWO)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.servers("a.example") == [A])
        nginx.upstreams["a.example"].servers[0].active = 1
        gateway.desire(topology({"a.example": [B]}), "replaced")
        await until(lambda: B in nginx.servers("a.example"))
        gateway.desire(topology({"a.example": [B, C], "b.example": [C]}), "more")
        await until(lambda: nginx.servers("b.example") == [C])
        assert nginx.servers("a.example") == [A, B, C]


async def test_five_hundred_servers_are_removed_at_once(tmp_path: Path) -> None:
    vhosts = [f"v{n}.example" for n in range(10)]
    many = [f"10.1.0.{n}:80" for n in range(50)]
    conf = "".join(f"upstream {name} {{ zone {name} 64k; }}" for name in vhosts)
    async with (
        running(NginxPlus(conf)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({name: [*many, A] for name in vhosts}), "start")
        await until(lambda: all(nginx.has(name, [*many, A]) for name in vhosts), seconds=90)
        nginx.api.forget_calls()
        gateway.desire(topology({name: [A] for name in vhosts}), "fewer")
        await until(lambda: all(nginx.has(name, [A]) for name in vhosts), seconds=90)
        assert nginx.api.calls["PATCH server"] == 500
        assert nginx.api.calls["DELETE server"] == 500


@pytest.mark.parametrize("template", [WITH_STATE, WITHOUT_STATE], ids=["state", "no state"])
async def test_a_restart_of_nginx_is_noticed_and_repaired(tmp_path: Path, template: str) -> None:
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path, template=template, audit_interval=60) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A, B]}), "start")
        await until(lambda: nginx.has("a.example", [A, B]))
        gateway.desire(topology({"a.example": [A, B, C]}), "one more")
        await until(lambda: nginx.servers("a.example") == [A, B, C])
        await nginx.restart()
        assert nginx.servers("a.example") == ([A, B, C] if template == WITH_STATE else [A, B])
        await until(lambda: nginx.servers("a.example") == [A, B, C])
        await until(lambda: rig.updates == (True, "OK"))


async def test_a_reload_by_someone_else_is_noticed_and_repaired(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, audit_interval=60) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.servers("a.example") == [A] and rig.updates[0])
        await nginx.reload()
        assert nginx.servers("a.example") == []
        await until(lambda: nginx.servers("a.example") == [A])


async def test_a_location_that_offers_upstreams_only_is_enough(tmp_path: Path) -> None:
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path) as rig,
        rig.running() as gateway,
    ):
        nginx.api.faults.append(Fault("status", path=".*/nginx", status=403))
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.has("a.example", [A]))
        gateway.desire(topology({"a.example": [A], "b.example": [B]}), "one more")
        await until(lambda: nginx.has("b.example", [B]))
        await until(lambda: rig.updates == (True, "OK"))


async def test_a_manual_edit_is_found_by_the_audit(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A, B]}), "start")
        await until(lambda: nginx.servers("a.example") == [A, B])
        upstream = nginx.upstreams["a.example"]
        upstream.remove(upstream.servers[0])
        upstream.append({"server": C})
        upstream.servers[0].max_fails = 9
        await until(lambda: sorted(nginx.servers("a.example")) == [A, B])
        await until(lambda: upstream.servers[0].max_fails == 0)
        triggers = [text for record in rig.records for text in record.triggers]
        assert any("a.example: servers in NGINX Plus differ" in text for text in triggers)


async def test_what_an_operator_set_manually_outlives_every_audit(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, audit_interval=0.02) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A, B]}), "start")
        await until(lambda: nginx.servers("a.example") == [A, B])
        first, second = nginx.upstreams["a.example"].servers
        first.drain, second.down, second.weight = True, True, 5
        nginx.api.forget_calls()
        await until(lambda: nginx.api.calls["GET servers"] > 5)
        assert (first.drain, second.down, second.weight) == (True, True, 5)
        note = (
            f"OK: a.example/{A} is in drain, set by an operator; "
            f"a.example/{B} is in maintenance, set by an operator"
        )
        assert rig.updates == (True, note)


async def test_an_upstream_that_appears_later_is_filled(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A], "b.example": [B]}), "start")
        await until(lambda: "b.example" in rig.updates[1])
        assert nginx.servers("a.example") == [A]
        nginx.text = TWO
        await nginx.reload()
        await until(lambda: nginx.servers("b.example") == [B])
        await until(lambda: rig.updates == (True, "OK"))


async def test_an_api_that_is_away_at_start_is_used_when_it_comes(tmp_path: Path) -> None:
    nginx = NginxPlus(ONE)
    await nginx.start()
    await nginx.stop()
    try:
        async with rigged(nginx, tmp_path, template=None) as rig, rig.running() as gateway:
            gateway.desire(topology({"a.example": [A]}), "start")
            await until(lambda: "cannot reach" in rig.updates[1])
            await nginx.start(nginx.api_port, nginx.traffic_port, nginx.control_port)
            await until(lambda: nginx.servers("a.example") == [A])
            await until(lambda: rig.updates == (True, "OK"))
    finally:
        await nginx.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", path=".*a.example.*", status=500),
        Fault("status", path=".*a.example.*", status=404),
        Fault("status", path=".*a.example.*", status=409),
        Fault("status", path=".*a.example.*", status=415),
        Fault("garbage", path=".*a.example.*", body=b"<html>not the api</html>"),
        Fault("drop", path=".*a.example.*"),
        Fault("lose", method="POST", path=".*a.example.*", times=2),
    ],
    ids=["500", "404", "409", "415", "garbage", "dropped", "carried out but not answered"],
)
async def test_what_goes_wrong_for_one_vhost_concerns_it_alone_and_heals(
    tmp_path: Path, fault: Fault
) -> None:
    nginx = NginxPlus(TWO)
    nginx.api.faults.append(fault)
    async with (
        running(nginx),
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A, B], "b.example": [C]}), "start")
        await until(lambda: nginx.servers("b.example") == [C])
        await fault.met.wait()
        fault.times = 0
        await until(lambda: nginx.servers("a.example") == [A, B])
        await until(lambda: rig.updates == (True, "OK"))


@pytest.mark.parametrize("kind", ["hang", "slow"])
async def test_an_api_that_hangs_or_is_slow_holds_nobody_up_indefinitely(
    tmp_path: Path, kind: FaultKind
) -> None:
    nginx = NginxPlus(TWO)
    fault = Fault(kind, path=".*servers.*", seconds=0.3, times=1)
    nginx.api.faults.append(fault)
    async with (
        running(nginx),
        rigged(nginx, tmp_path, template=None, timeout=0.1) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A], "b.example": [B]}), "start")
        await fault.met.wait()
        await until(lambda: nginx.servers("a.example") == [A] and nginx.servers("b.example") == [B])
        await until(lambda: rig.updates == (True, "OK"))


async def test_duplicates_are_refused_or_accepted_and_one_remains(tmp_path: Path) -> None:
    nginx = NginxPlus(ONE)
    nginx.api.refuse_duplicates = True
    async with (
        running(nginx),
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.servers("a.example") == [A])
        nginx.upstreams["a.example"].append({"server": A})
        await until(lambda: nginx.servers("a.example") == [A])


async def test_a_changed_address_of_a_host_name_is_followed(tmp_path: Path) -> None:
    addresses = ["10.7.0.1"]

    async def lookup(name: str) -> list[str]:
        assert name == "node1"
        return addresses

    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template=None, lookup=lookup, ttl=0.05) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": ["node1:80"]}), "start")
        await until(lambda: nginx.servers("a.example") == ["10.7.0.1:80"])
        addresses[0] = "10.7.0.2"
        await until(lambda: nginx.servers("a.example") == ["10.7.0.2:80"])


async def test_reloads_happen_while_traffic_flows_and_servers_change(tmp_path: Path) -> None:
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path) as rig,
        rig.running() as gateway,
        instances(3) as made,
    ):
        first, two, three = map(address_of, made)
        gateway.desire(topology({"a.example": [first]}), "start")
        await until(lambda: nginx.has("a.example", [first]))
        traffic = Traffic(nginx.traffic_port, ["a.example"], clients=4)
        async with traffic.running() as tally:
            await traffic.answered(20)
            gateway.desire(topology({"a.example": [first, two], "b.example": [three]}), "grows")
            await until(lambda: "b.example" in nginx.upstreams)
            gateway.desire(topology({"a.example": [two]}), "shrinks")
            await until(lambda: "b.example" not in nginx.upstreams)
            await until(lambda: nginx.servers("a.example") == [two])
            await traffic.answered(20)
        assert tally.failures == []
        assert nginx.reloads == 3


async def test_a_vhost_that_the_realm_names_is_emptied_after_a_restart_of_the_gateway(
    tmp_path: Path,
) -> None:
    conf = TWO.replace("zone b 64k;", f"zone b 64k; server {B};")
    async with (
        running(NginxPlus(conf + f"upstream other {{ zone other 64k; server {C}; }}")) as nginx,
        rigged(
            nginx,
            tmp_path,
            template=None,
            audit_interval=0.02,
            owned=frozenset({"a.example", "b.example"}),
        ) as rig,
        rig.running() as gateway,
    ):
        unanswered = topology({"a.example": [A]}, leader="")
        gateway.desire(unanswered, "one namespace does not answer")
        await until(lambda: nginx.servers("a.example") == [A])
        nginx.api.forget_calls()
        await until(lambda: nginx.api.calls["GET servers"] > 10)
        assert nginx.servers("b.example") == [B]
        gateway.desire(topology({"a.example": [A]}), "all answer")
        await until(lambda: nginx.servers("b.example") == [])
        assert nginx.servers("other") == [C]
