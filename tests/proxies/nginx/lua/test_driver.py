"""The gateway drives NGINX with the Lua balancer: servers without reloads, and what needs them."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from tests.proxies.nginx.lua.driver_rig import Nginx, Rig, rigged, running
from tests.proxies.nginx.plus.rig import address_of, app, instances
from tests.traffic import get
from tests.waiting import until

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.templates import shipped

A, B, C = (f"10.0.0.{number}:80" for number in range(1, 4))


@pytest.fixture
async def nginx(short_path: Path) -> AsyncIterator[Nginx]:
    async with running(short_path) as nginx:
        yield nginx


@contextlib.asynccontextmanager
async def _serving(nginx: Nginx, **vhosts: list[str]) -> AsyncIterator[Rig]:
    """A gateway that has brought NGINX to `vhosts`, with dots for underscores, and runs."""
    async with rigged(nginx) as rig, rig.running():
        await rig.reach(_named(**vhosts))
        rig.records.clear()
        rig.metrics.calls.clear()
        yield rig


def _named(**vhosts: list[str]) -> Topology:
    named = {name.replace("_", "."): servers for name, servers in vhosts.items()}
    return Topology({vhost: app(vhost, servers) for vhost, servers in named.items()}, {})


async def _has(nginx: Nginx, vhost: str, servers: list[str]) -> bool:
    return await nginx.servers(vhost) == servers


async def _responds(nginx: Nginx, vhost: str, status: int) -> bool:
    return (await get(nginx.port, vhost))[0] == status


async def test_the_changes_of_many_upstreams_go_over_in_one_call_without_a_reload(
    nginx: Nginx,
) -> None:
    async with _serving(nginx, a_test=[A], b_test=[A, B]) as rig:
        await rig.reach(_named(a_test=[A, B, C], b_test=[C]))
        assert await nginx.servers("a.test") == [A, B, C]
        await until(partial(_has, nginx, "b.test", [C]))
        assert rig.reloads == []
        # Additions, drains, deletions.
        assert rig.metrics.calls["change_upstreams", True] <= 3
        assert rig.metrics.calls["add_http_server", True] == 0


async def test_the_first_reload_is_seen_although_the_dictionary_is_made_anew(
    nginx: Nginx, capsys: pytest.CaptureFixture[str]
) -> None:
    async with rigged(nginx) as rig, rig.running():
        await rig.reach(_named(a_test=[A]))
        assert [record.reloaded for record in rig.records] == [True]
        assert "new_process_not_seen" not in capsys.readouterr().out


async def test_the_file_follows_the_servers_so_that_a_restart_of_nginx_alone_serves_them(
    nginx: Nginx,
) -> None:
    async with instances(2) as (old, new):
        async with _serving(nginx, a_test=[address_of(old)]) as rig:
            await rig.reach(_named(a_test=[address_of(new)]))
            await until(lambda: address_of(new) in nginx.config.read_text())
            assert address_of(old) not in nginx.config.read_text()
        await nginx.restart()
        assert await get(nginx.port, "a.test") == (200, address_of(new))
        assert rig.reloads == []


async def test_the_file_lists_the_last_addresses_of_hosts_that_drove_lists_by_name(
    nginx: Nginx,
) -> None:
    found = ["127.0.0.2"]

    async def lookup(name: str) -> list[str]:
        assert name == "node.test"
        return list(found)

    async with instances(1) as (instance,):
        port = address_of(instance).rpartition(":")[2]
        wanted = Topology({"a.test": app("a.test", [f"node.test:{port}"])}, {})
        async with rigged(nginx, lookup=lookup, ttl=0.1) as rig, rig.running():
            await rig.reach(wanted)
            await until(lambda: f'"127.0.0.2:{port}"' in nginx.config.read_text())
            found[:] = ["127.0.0.1"]
            await until(lambda: f'"127.0.0.1:{port}"' in nginx.config.read_text())
        await nginx.restart()
        assert await get(nginx.port, "a.test") == (200, address_of(instance))


async def test_nginx_that_restarts_beside_the_gateway_gets_what_the_file_did_not_list(
    nginx: Nginx,
) -> None:
    async with _serving(nginx, a_test=[A]) as rig:
        await rig.reach(_named(a_test=[B]))
        await nginx.restart()
        await until(partial(_has, nginx, "a.test", [B]))
        await rig.reach(_named(a_test=[B, C]))
        assert await nginx.servers("a.test") == [B, C]
        assert rig.reloads == []


async def test_killed_workers_change_nothing(nginx: Nginx) -> None:
    async with _serving(nginx, a_test=[A]) as rig:
        await rig.reach(_named(a_test=[B]))
        await nginx.kill_workers()
        await rig.reach(_named(a_test=[B, C]))
        assert await nginx.servers("a.test") == [B, C]
        assert rig.reloads == []


async def test_a_gateway_that_restarts_meets_its_own_configuration_and_reloads_nothing(
    nginx: Nginx,
) -> None:
    async with _serving(nginx, a_test=[A]) as rig:
        await rig.reach(_named(a_test=[A, B]))
    async with rigged(nginx) as again, again.running():
        await again.reach(_named(a_test=[C]))
        assert again.reloads == []
        await until(partial(_has, nginx, "a.test", [C]))


async def test_another_version_of_the_balancer_is_replaced_by_one_reload(nginx: Nginx) -> None:
    async with _serving(nginx, a_test=[A]) as rig:
        installed = nginx.config.read_text()
        generation = (await nginx.handshake())["generation"]
        for mine, other in (
            (generation, "0123456789abcdef"),
            ('version = "1"', 'version = "0"'),
            ('hash = "', 'hash = "0'),
        ):
            installed = installed.replace(mine, other)
        nginx.config.write_text(installed)
        await nginx.reload()
        await until(lambda: any(record.reloaded for record in rig.records))
        await rig.settled()
        assert (await nginx.handshake())["version"] == "1"
        await asyncio.sleep(0.3)
        assert [record.reloaded for record in rig.records].count(True) == 1
        assert any("Lua balancer" in reason for reason in rig.reloads)


async def test_a_vhost_that_leaves_is_404_before_any_reload(nginx: Nginx) -> None:
    async with instances(1) as (instance,):
        servers = [address_of(instance)]
        async with _serving(nginx, a_test=servers, b_test=servers) as rig:
            await rig.driver.apply(rig.driver.plan(_named(b_test=servers)).without_reload())
            assert (await get(nginx.port, "a.test"))[0] == 404
            assert (await get(nginx.port, "b.test"))[0] == 200


async def test_an_app_without_instances_is_503_until_it_has_some(nginx: Nginx) -> None:
    async with instances(1) as (instance,), _serving(nginx, a_test=[address_of(instance)]) as rig:
        await rig.reach(_named(a_test=[]))
        await until(partial(_has, nginx, "a.test", []))
        assert (await get(nginx.port, "a.test"))[0] == 503
        await rig.reach(_named(a_test=[address_of(instance)]))
        assert (await get(nginx.port, "a.test"))[0] == 200
        assert rig.reloads == []


async def test_messages_name_the_product(nginx: Nginx) -> None:
    async with _serving(nginx, a_test=[A]) as rig:
        await nginx.stop()
        await until(lambda: not rig.updates[0])
        assert "Plus" not in rig.updates[1]
        with pytest.raises(RuntimeApiError, match="cannot reach NGINX's API"):
            await rig.apply(_named(a_test=[B]))


async def test_a_full_dictionary_is_reported_and_the_file_is_loaded_instead(nginx: Nginx) -> None:
    many = [f"10.1.{number >> 8}.{number & 255}:80" for number in range(3000)]
    async with rigged(nginx, memory="128k") as rig, rig.running():
        await rig.reach(_named(a_test=[A], b_test=[A]))
        await rig.reach(_named(a_test=many, b_test=[B]))
        assert sorted(await nginx.servers("a.test")) == sorted(many)
        assert await nginx.servers("b.test") == [B]
        assert any("dictionary drove_gateway is full" in reason for reason in rig.reloads)
        assert [record.reloaded for record in rig.records].count(True) == 2


async def test_a_vhost_that_did_not_fit_into_the_dictionary_leaves_by_a_reload(
    nginx: Nginx,
) -> None:
    many = [f"10.1.{number >> 8}.{number & 255}:80" for number in range(3000)]
    async with rigged(nginx, memory="128k") as rig, rig.running():
        await rig.reach(_named(a_test=[A], b_test=[A]))
        await rig.reach(_named(a_test=many, b_test=[B]))
        rig.records.clear()
        await rig.reach(_named(b_test=[B]))
        await until(partial(_responds, nginx, "a.test", 404))
        assert await nginx.servers("b.test") == [B]
        (reason,) = (reason for reason in rig.reloads if "a.test" in reason)
        assert "did not fit into the dictionary" in reason


async def test_a_new_vhost_is_served_at_once_and_without_a_reload(nginx: Nginx) -> None:
    async with instances(2) as (first, second), _serving(nginx, a_test=[address_of(first)]) as rig:
        await rig.reach(_named(a_test=[address_of(first)], b_test=[address_of(second)]))
        assert await get(nginx.port, "b.test") == (200, address_of(second))
        await rig.reach(_named(b_test=[address_of(second)]))
        assert (await get(nginx.port, "a.test"))[0] == 404
        assert await get(nginx.port, "b.test") == (200, address_of(second))
        await rig.reach(_named(b_test=[]))
        assert (await get(nginx.port, "b.test"))[0] == 503
        await rig.reach(_named())
        assert (await get(nginx.port, "b.test"))[0] == 404
        assert not any(record.reloaded for record in rig.records)


def _with_private_vhosts() -> str:
    """The template in which private vhosts have a line of their own."""
    alone, marked = '(hasPrefix $app.Vhost ".")', "{{luaServer $app.Vhost}}"
    text = shipped("nginx-lua").replace(alone, f'{alone} (hasPrefix $app.Vhost "private")')
    return text.replace(
        marked, marked + '{{if hasPrefix $app.Vhost "private"}}\n        deny all;{{end}}'
    )


async def test_a_vhost_in_another_form_than_the_default_servers_gets_its_block_by_a_reload(
    nginx: Nginx,
) -> None:
    async with (
        instances(1) as (instance,),
        rigged(nginx, template=_with_private_vhosts()) as rig,
        rig.running(),
    ):
        servers = [address_of(instance)]
        await rig.reach(_named(a_test=servers))
        rig.records.clear()
        await rig.reach(_named(a_test=servers, private_test=servers))
        # An old worker may respond for a moment.
        await until(partial(_responds, nginx, "private.test", 403))
        assert [record.reloaded for record in rig.records].count(True) == 1


async def test_no_request_reaches_a_vhost_whose_block_a_reload_has_yet_to_bring(
    nginx: Nginx,
) -> None:
    async with instances(1) as (instance,), rigged(nginx, template=_with_private_vhosts()) as rig:
        servers = [address_of(instance)]
        await rig.apply(_named(a_test=servers))
        desired = _named(a_test=servers, private_test=servers)
        await rig.driver.apply(rig.driver.plan(desired).without_reload())
        assert await nginx.servers("private.test") == servers
        assert (await get(nginx.port, "private.test"))[0] == 404


async def test_new_vhosts_share_a_later_reload_that_brings_their_blocks(nginx: Nginx) -> None:
    async with rigged(nginx, structure_interval=0.5) as rig, rig.running():
        await rig.reach(_named(a_test=[A]))
        rig.records.clear()
        await rig.reach(_named(a_test=[A], b_test=[B]))
        await rig.reach(_named(a_test=[A], b_test=[B], c_test=[C]))
        assert not any(record.reloaded for record in rig.records)
        await until(lambda: any(record.reloaded for record in rig.records))
        await rig.settled()
        (reloaded,) = (record for record in rig.records if record.reloaded)
        assert reloaded.reasons == ("vhost b.test and 1 more gets blocks of its own",)
        assert await nginx.servers("c.test") == [C]


async def test_a_vhost_that_left_before_the_later_reload_needs_none(nginx: Nginx) -> None:
    async with rigged(nginx, structure_interval=0.3) as rig, rig.running():
        await rig.reach(_named(a_test=[A]))
        rig.records.clear()
        await rig.reach(_named(a_test=[A], b_test=[B]))
        await rig.reach(_named(a_test=[A]))
        await asyncio.sleep(0.6)
        await rig.reach(_named(a_test=[B]))
        assert not any(record.reloaded for record in rig.records)


async def test_a_reload_by_another_program_makes_the_later_reload_unnecessary(
    nginx: Nginx,
) -> None:
    async with rigged(nginx, structure_interval=1.0) as rig, rig.running():
        await rig.reach(_named(a_test=[A]))
        rig.records.clear()
        desired = _named(a_test=[A], b_test=[B])
        await rig.reach(desired)
        await until(lambda: not rig.driver.file_is_behind)
        await nginx.reload()
        await until(lambda: any("blocks of its own" in str(r.reasons) for r in rig.records))
        await rig.settled()
        assert not any(record.reloaded for record in rig.records)
        assert rig.driver.plan(desired).empty


async def test_the_documented_template_changes_servers_without_a_reload(nginx: Nginx) -> None:
    page = (Path(__file__).parents[4] / "docs" / "nginx.md").read_text()
    (example,) = (text for text in page.split("```") if "luaBalancer .Gen" in text)
    template = "\n".join(
        [
            example.removeprefix("text")
            .replace("6081", str(nginx.proof_port))
            .replace("listen 8080", f"listen {nginx.port}"),
            f"pid {nginx.directory}/nginx.pid;",
            f"error_log {nginx.directory}/error.log;",
            "user root;" if os.geteuid() == 0 else "",
        ]
    )
    async with (
        instances(2) as (first, second),
        rigged(nginx, template=template) as rig,
        rig.running(),
    ):
        await rig.reach(_named(a_test=[address_of(first)]))
        rig.records.clear()
        await rig.reach(_named(a_test=[address_of(second)]))
        assert await get(nginx.port, "a.test") == (200, address_of(second))
        assert rig.reloads == []
