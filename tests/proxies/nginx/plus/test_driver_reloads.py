"""Which changes reload NGINX Plus, and what a reload does to its servers."""

from pathlib import Path

import pytest
from tests.proxies.nginx.plus.rig import (
    WITH_STATE,
    WITHOUT_STATE,
    host,
    rigged,
    topology,
)
from tests.proxies.nginx.plus.test_driver import ONE, TWO, A, B, C, D
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until

from drove_gateway.model.errors import CheckRefused, RuntimeApiError
from drove_gateway.model.vocabulary import App, HostGroup, Topology


async def test_a_vhost_that_left_loses_its_servers_without_reloads(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(TWO)) as nginx,
        rigged(nginx, tmp_path, template=None, drain_timeout=0) as rig,
    ):
        await rig.apply(topology({"a.example": [A], "b.example": [B]}))
        await rig.apply(topology({"a.example": [A]}))
        assert nginx.servers("b.example") == []
        assert rig.driver.plan(topology({"a.example": [A]})).empty


async def test_vhosts_that_come_and_go_reload_and_then_are_compared(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        outcome = await rig.apply(topology({"a.example": [A]}))
        assert nginx.reloads == 1
        assert nginx.servers("a.example") == [A]
        assert "prove" in dict(outcome.seconds)
        assert outcome.failed == ()
        outcome = await rig.apply(topology({"a.example": [A, B], "b.example": [C]}))
        assert nginx.reloads == 2
        assert nginx.servers("a.example") == [A, B]
        assert nginx.servers("b.example") == [C]
        reload = next(step for step in outcome.steps if step.action == "reload")
        assert reload.reason == "vhost b.example added"
        await rig.apply(topology({"b.example": [C]}))
        assert nginx.reloads == 3
        assert nginx.upstreams.keys() == {"b.example"}
        assert nginx.disk["/state/a.example.conf"] == []
        health = rig.driver.health()
        assert health.config.healthy
        assert health.template.healthy


async def test_servers_alone_do_not_reload(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A]}))
        await rig.apply(topology({"a.example": [B]}))
        assert nginx.reloads == 1


async def test_a_leader_that_moves_reloads_where_it_has_a_vhost(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A]}))
        moved = topology({"a.example": [A]}, leader="http://c2:4000")
        assert rig.driver.plan(moved).reload == ("leader of namespace one moved",)


async def test_a_demand_reloads_and_compares_everything(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        desired = topology({"a.example": [A]})
        await rig.apply(desired)
        plan = rig.driver.plan(desired, ["requested over HTTP"])
        assert plan.reload == ("requested over HTTP",)
        assert [step.subject for step in plan.servers] == ["a.example"]
        assert nginx.reloads == 1


async def test_before_a_reload_is_due_a_new_vhost_waits(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A]}))
        nginx.api.forget_calls()
        desired = topology({"a.example": [A, B], "b.example": [C]})
        outcome = await rig.driver.apply(rig.driver.plan(desired).without_reload())
        assert outcome.failed == ()
        assert nginx.servers("a.example") == [A, B]
        assert not any("b.example" in path for _, path in nginx.api.log)
        assert rig.driver.plan(desired).without_reload().empty
        assert rig.driver.plan(desired).reload == ("vhost b.example added",)


async def test_changes_lost_to_a_reload_are_made_again(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A]}))

        async def lose() -> None:
            nginx.disk["/state/a.example.conf"] = []
            nginx.during_reload = None

        nginx.during_reload = lose
        desired = topology({"a.example": [A], "b.example": [B]})
        await rig.apply(desired)
        assert nginx.servers("a.example") == [A]


async def test_no_server_is_changed_while_nginx_reloads(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A, B]}))
        seen: list[int] = []

        async def count() -> None:
            seen.append(nginx.api.total())

        nginx.during_reload = count
        nginx.api.forget_calls()
        await rig.apply(topology({"a.example": [A, C], "b.example": [D]}))
        reads_and_writes_before = [method for method, _ in nginx.api.log[: seen[0]]]
        assert reads_and_writes_before == ["GET", "POST", "PATCH"]


async def test_a_template_that_is_broken_at_start_does_not_stop_servers(tmp_path: Path) -> None:
    async with (
        running(NginxPlus(ONE)) as nginx,
        rigged(nginx, tmp_path, template="upstream broken {") as rig,
    ):
        with pytest.raises(CheckRefused):
            await rig.apply(topology({"a.example": [A], "b.example": [B]}))
        # The upstream that NGINX has answers as empty, and is left for the reload to show.
        nginx.upstreams["a.example"].append({"server": C})
        with pytest.raises(CheckRefused):
            await rig.apply(topology({"a.example": [A], "b.example": [B]}))
        assert A in nginx.servers("a.example")
        assert not rig.driver.health().config.healthy


async def test_a_template_that_breaks_later_is_replaced_by_the_last_good_one(
    tmp_path: Path,
) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        await rig.apply(topology({"a.example": [A]}))
        (tmp_path / "nginx.tmpl").write_text("upstream broken {")
        await rig.apply(topology({"a.example": [B], "b.example": [C]}))
        assert nginx.servers("b.example") == [C]
        health = rig.driver.health()
        assert health.config.healthy
        assert not health.template.healthy


async def test_without_state_a_reload_brings_the_rendered_servers(tmp_path: Path) -> None:
    async with (
        running(NginxPlus()) as nginx,
        rigged(nginx, tmp_path, template=WITHOUT_STATE) as rig,
    ):
        await rig.apply(topology({"a.example": [A, B]}))
        nginx.api.forget_calls()
        await rig.apply(topology({"a.example": [A, B], "b.example": [C]}))
        assert "POST servers" not in nginx.api.calls
        assert nginx.servers("b.example") == [C]


async def test_a_reload_is_not_stopped_by_an_api_that_is_down(tmp_path: Path) -> None:
    async with running(NginxPlus()) as nginx, rigged(nginx, tmp_path) as rig:
        nginx.api.faults.append(Fault("drop"))
        with pytest.raises(RuntimeApiError):
            await rig.apply(topology({"a.example": [A]}))
        assert nginx.reloads == 1
        nginx.api.faults.clear()
        await rig.apply(topology({"a.example": [A]}))
        assert nginx.servers("a.example") == [A]
        await until(lambda: rig.updates == (True, "OK"))


async def test_a_port_that_changes_to_https_and_back_is_loaded_by_a_reload_each_time(
    tmp_path: Path,
) -> None:
    """The address of the server stays as it is: only the configuration has the protocol."""
    template = WITH_STATE.replace(
        "{{end}}", "# {{.Vhost}} speaks {{(index .Hosts 0).PortType}}\n{{end}}"
    )
    nginx = NginxPlus(conf_path=tmp_path / "nginx.conf")
    async with running(nginx), rigged(nginx, tmp_path, template=template) as rig:
        for reloads, port_type in enumerate(("http", "https", "http"), 1):
            hosts = (host(A, port_type),)
            served = App(
                "a.example", "a.example", hosts, {}, {"a.example": HostGroup(hosts, {})}, ""
            )
            await rig.apply(Topology({"a.example": served}, {}))
            assert f"a.example speaks {port_type}\n" in (tmp_path / "nginx.conf").read_text()
            assert nginx.reloads == reloads
            assert nginx.servers("a.example") == [A]
            assert rig.updates == (True, "OK")
