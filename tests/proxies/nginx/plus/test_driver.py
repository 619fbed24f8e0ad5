"""What one plan, applied, does to NGINX Plus; each call counted."""

from pathlib import Path

import pytest
from tests.proxies.nginx.plus.rig import (
    Rig,
    app,
    rigged,
    topology,
)
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until

from drove_gateway.model.errors import RuntimeApiError

A, B, C, D = (f"10.0.0.{n}:80" for n in range(1, 5))

ONE = "upstream a.example { zone a 64k; }"

TWO = ONE + "upstream b.example { zone b 64k; }"


def kinds(rig: Rig) -> dict[str, int]:
    """API calls that change something or read servers; identity and versions aside."""
    skipped = {"GET nginx", "GET versions"}
    return {kind: n for kind, n in rig.nginx.api.calls.items() if kind not in skipped}


async def test_an_empty_upstream_is_filled_with_one_call_for_each_server(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        outcome = await rig.apply(topology({"a.example": [A, B]}))
        assert nginx.servers("a.example") == [A, B]
        assert kinds(rig) == {"GET servers": 1, "POST servers": 2}
        assert [step.action for step in outcome.steps] == ["add server", "add server"]
        assert rig.updates == (True, "OK")


async def test_an_upstream_whose_state_file_is_empty_is_filled_too(tmp_path: Path) -> None:
    conf = "upstream a.example { zone a 64k; state /state/a; }"
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        outcome = await rig.apply(topology({"a.example": [A]}))
        assert outcome.failed == ()
        assert nginx.servers("a.example") == [A]


async def test_missing_empty_and_static_upstreams_are_distinguished(tmp_path: Path) -> None:
    conf = TWO + "upstream static.example { server 10.9.9.9:80; }"
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = {"a.example": [A], "missing.example": [B], "static.example": [C]}
        outcome = await rig.apply(topology(desired))
        assert nginx.servers("a.example") == [A]
        failed = dict(outcome.failed)
        assert failed.keys() == {"missing.example", "static.example"}
        assert "UpstreamNotFound" in failed["missing.example"]
        assert "no such upstream" in failed["missing.example"]
        assert "UpstreamStatic" in failed["static.example"]
        assert "needs a `zone`" in failed["static.example"]
        healthy, message = rig.updates
        assert not healthy
        assert "2 of 3 upstreams" in message
        assert rig.metrics.calls["add_http_server", False] == 1
        assert rig.metrics.calls["check_if_upstream_exists", False] == 2


async def test_what_failed_is_planned_again_and_nothing_else(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = topology({"a.example": [A], "b.example": [B]})
        await rig.apply(desired)
        assert [step.subject for step in rig.driver.plan(desired).servers] == ["b.example"]
        nginx.text = TWO
        await nginx.reload()
        outcome = await rig.apply(desired)
        assert outcome.failed == ()
        assert nginx.servers("b.example") == [B]
        assert rig.driver.plan(desired).empty
        assert rig.updates == (True, "OK")


async def test_a_change_asks_about_its_upstream_alone(tmp_path: Path) -> None:
    async with running(NginxPlus(TWO)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A], "b.example": [B]}))
        nginx.api.forget_calls()
        await rig.apply(topology({"a.example": [A, C], "b.example": [B]}))
        assert dict(nginx.api.calls) == {"GET servers": 1, "POST servers": 1}


async def test_many_upstreams_are_read_in_one_answer(tmp_path: Path) -> None:
    names = [f"v{n}.example" for n in range(30)]
    conf = "".join(f"upstream {name} {{ zone {name} 64k; }}" for name in names)
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({name: [A, B] for name in names}))
        assert kinds(rig) == {"GET upstreams": 1, "POST servers": 60}
        nginx.api.forget_calls()
        await rig.apply(topology({name: [A] for name in names}))
        assert kinds(rig) == {"GET upstreams": 1, "PATCH server": 30}


async def test_many_upstreams_with_empty_state_files_are_not_asked_about_one_by_one(
    tmp_path: Path,
) -> None:
    names = [f"v{n}.example" for n in range(30)]
    conf = "".join(f"upstream {name} {{ zone {name} 64k; state /state/{name}; }}" for name in names)
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({name: [A, B] for name in names}))
        assert kinds(rig) == {"GET upstreams": 1, "POST servers": 60}


async def test_a_replaced_server_is_added_before_the_old_one_drains(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A]}))
        nginx.api.forget_calls()
        await rig.apply(topology({"a.example": [B]}))
        assert [method for method, _ in nginx.api.log] == ["GET", "POST", "PATCH"]
        old, new = nginx.upstreams["a.example"].servers
        assert (old.server, old.drain, new.server, new.drain) == (A, True, B, False)


async def test_a_server_that_comes_back_while_it_drains_is_made_ready(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A, B]}))
        await rig.apply(topology({"a.example": [B]}))
        await rig.apply(topology({"a.example": [A, B]}))
        assert [(server.id, server.drain) for server in nginx.upstreams["a.example"].servers] == [
            (0, False),
            (1, False),
        ]


async def test_ipv6_and_other_port_types(tmp_path: Path) -> None:
    async with running(NginxPlus(TWO)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = topology({"a.example": ["2001:db8::1:8080"], "b.example": []})
        tcp = app("b.example", [B])
        hosts = tuple(type(host)(host.host, host.port, "tcp") for host in tcp.hosts)
        group = type(tcp.groups["b.example"])(hosts, {})
        desired = type(desired)(
            {
                "a.example": desired.apps["a.example"],
                "b.example": type(tcp)("b", "b.example", hosts, {}, {"b.example": group}, ""),
            },
            desired.namespaces,
        )
        await rig.apply(desired)
        assert nginx.servers("a.example") == ["[2001:db8::1]:8080"]
        assert not any("b.example" in path for _, path in nginx.api.log)


async def test_a_restarted_gateway_changes_nothing_that_is_right(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx:
        desired = topology({"a.example": [A, B]})
        async with rigged(nginx, tmp_path) as rig:
            await rig.apply(desired)
        nginx.api.forget_calls()
        async with rigged(nginx, tmp_path) as rig:
            outcome = await rig.apply(desired)
            assert nginx.reloads == 1
            assert [step.action for step in outcome.steps] == ["keep"]
            assert not any(kind.split()[0] in {"POST", "PATCH", "DELETE"} for kind in kinds(rig))


async def test_health_without_reloads_speaks_as_the_original(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        assert rig.updates == (False, "pending first check")
        await rig.apply(topology({"a.example": [A]}))
        health = rig.driver.health()
        assert (health.config.healthy, health.config.message) == (True, "Config Reload disabled")
        assert (health.template.healthy, health.template.message) == (True, "Templating disabled")


async def test_host_names_are_resolved_and_an_unknown_one_fails_its_vhost_alone(
    tmp_path: Path,
) -> None:
    async def lookup(name: str) -> list[str]:
        if name == "node1":
            return ["10.1.1.1"]
        raise OSError(-2, "Name or service not known")

    conf = TWO.replace("zone b 64k;", f"zone b 64k; server {D};")
    async with (
        running(NginxPlus(conf)) as nginx,
        rigged(nginx, tmp_path, template=None, lookup=lookup) as rig,
    ):
        desired = topology({"a.example": ["node1:80"], "b.example": ["node1:80", "node2:80"]})
        outcome = await rig.apply(desired)
        assert nginx.servers("a.example") == ["10.1.1.1:80"]
        why = "host node2 has no address, its servers are left out: Name or service not known"
        assert dict(outcome.failed) == {"b.example": why}
        # Which of the other servers is node2 nobody can tell, so none is taken away.
        assert nginx.servers("b.example") == [D, "10.1.1.1:80"]
        assert not any(server.drain for server in nginx.upstreams["b.example"].servers)


async def test_while_no_new_server_could_be_added_the_old_ones_stay(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [A]}))
        nginx.api.faults.append(Fault("status", method="POST"))
        outcome = await rig.apply(topology({"a.example": [B]}))
        assert len(outcome.failed) == 1
        assert not nginx.upstreams["a.example"].servers[0].drain


async def test_an_upstream_out_of_memory_says_what_to_do(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE, zone_servers=2)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
    ):
        outcome = await rig.apply(topology({"a.example": [A, B, C, D]}))
        assert nginx.servers("a.example") == [A, B]
        ((vhost, reason),) = outcome.failed
        assert vhost == "a.example"
        assert "UpstreamOutOfMemory" in reason
        assert "needs more memory" in reason
        assert rig.metrics.calls["add_http_server", False] == 1


async def test_a_vhosts_tag_sets_its_drain_time(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = topology({})
        with_tag = type(desired)({"a.example": app("a.example", [A, B], {"drain": "0"})}, {})
        await rig.apply(with_tag)
        without = type(desired)({"a.example": app("a.example", [A], {"drain": "0"})}, {})
        await rig.apply(without)
        assert nginx.servers("a.example") == [A]


async def test_the_api_down_is_one_error_not_one_for_each_vhost(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await nginx.stop()
        with pytest.raises(RuntimeApiError, match="cannot reach NGINX Plus's API"):
            await rig.apply(topology({"a.example": [A]}))
        healthy, message = rig.updates
        assert not healthy
        assert "cannot reach" in message
        assert rig.driver.plan(topology({"a.example": [A]})).servers


async def test_other_parameters_of_many_upstreams_are_found_and_set(tmp_path: Path) -> None:
    """One answer about all upstreams does not tell parameters: what an audit found is read."""
    names = [f"v{n}.example" for n in range(20)]
    conf = "".join(f"upstream {name} {{ zone {name} 64k; server {A}; }}" for name in names)
    async with (
        running(NginxPlus(conf)) as nginx,
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({name: [A] for name in names}), "start")
        servers = [upstream.servers[0] for upstream in nginx.upstreams.values()]
        await until(lambda: all(server.max_fails == 0 for server in servers))
        await until(lambda: rig.updates == (True, "OK"))


async def test_while_an_audit_reads_many_upstreams_a_change_asks_about_its_own_alone(
    tmp_path: Path,
) -> None:
    """One answer about all upstreams does not tell parameters, so each differs at the audit."""
    names = [f"v{n}.example" for n in range(30)]
    servers = f"server {A} max_fails=0 fail_timeout=1s;"
    conf = "".join(f"upstream {name} {{ zone {name} 64k; {servers} }}" for name in names)
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = {name: [A] for name in names}
        await rig.apply(topology(desired))
        nginx.api.forget_calls()
        nginx.api.faults.append(Fault("slow", path=".*/servers/", seconds=0.02))
        async with rig.running() as gateway:
            gateway.desire(topology(desired))
            await until(lambda: nginx.api.calls["GET servers"] > 10)
            await gateway.reach(topology(desired | {"v0.example": [A, B]}))
        assert nginx.has("v0.example", [A, B])
        assert "GET upstreams" not in kinds(rig)


async def test_people_see_the_servers_as_nginx_has_them(tmp_path: Path) -> None:
    async with running(NginxPlus(ONE)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        desired = topology({"a.example": [A, B]})
        await rig.apply(desired)

        states = await rig.driver.servers(desired.apps["a.example"])

        assert states is not None
        assert [(state.listed, state.state, state.up) for state in states] == [
            (A, "up", True),
            (B, "up", True),
        ]
        missing = topology({"other.example": [A]}).apps["other.example"]
        assert await rig.driver.servers(missing) == ()
