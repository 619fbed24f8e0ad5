"""A template with three more lines is served without reloads."""

import os
import threading
from pathlib import Path

import pytest
from tests.proxies.nginx.lua.rig import MODULES, LuaNginx, replacing
from tests.traffic import Instance, get
from tools.reference.template_texts import LUA_FUNCTIONS

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template, TemplateExecError
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.nginx.lua.configuration import (
    FileServer,
    FileUpstream,
    LuaOptions,
    file_servers,
)
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses
from drove_gateway.proxies.nginx.lua.template_functions import (
    lua_functions,
    lua_use,
    upstreams_of,
)
from drove_gateway.proxies.registry import kind_of

_EXAMPLE = Path(__file__).with_name("example.tmpl")


def app(vhost: str, *hosts: Host, groups: dict[str, HostGroup] | None = None) -> App:
    return App(vhost, vhost, hosts, {}, groups or {}, "")


def test_every_vhost_and_group_is_an_upstream_with_the_addresses_of_its_servers() -> None:
    blue = HostGroup((Host("10.0.0.2", 81, "http"),), {})
    hosts = (Host("10.0.0.1", 80, "http"), Host("::0:1", 80, "http"), Host("node.test", 80, "http"))
    shop = app("shop.test", *hosts, groups={"blue": blue})
    shown = upstreams_of(shop, KnownAddresses(), groups=True)
    assert shown == {
        "shop.test": FileUpstream(
            (FileServer("10.0.0.1:80"), FileServer("[::1]:80")), routed=False
        ),
        "shop.test@blue": FileUpstream((FileServer("10.0.0.2:81"),), routed=False),
    }


def test_upstreams_of_groups_that_the_running_gateway_does_not_know_are_refused() -> None:
    """The template got them since the gateway started: they would have no servers."""

    def rendered(source: str, at_start: str) -> str:
        functions = lua_functions(lambda: LuaOptions("unix:/tmp/api"), lua_use(at_start))
        return Template(source, funcs=functions).render({"Groups": ["blue"]})

    before = '{{/* luaBalancer */}}{{luaUpstream "shop.test"}}'
    grouped = before + '{{range .Groups}}{{luaUpstream (printf "shop.test@%s" .)}}{{end}}'
    assert '"shop.test@blue"' in rendered(grouped, at_start=grouped)
    assert '"shop.test"' in rendered(before, at_start=before)
    with pytest.raises(TemplateExecError, match="restart the gateway"):
        rendered(grouped, at_start=before)


def test_servers_of_named_hosts_have_the_address_that_was_noted_last() -> None:
    addresses = KnownAddresses()
    balancer = lua_functions(lambda: LuaOptions("unix:/tmp/api"), addresses=addresses)[
        "luaBalancer"
    ]
    shop = app("shop.test", Host("node.test", 80, "http"), Host("10.0.0.9", 80, "http"))

    def listed() -> tuple[str, ...]:
        pieces = balancer("1", {"shop.test": shop})
        assert isinstance(pieces, list)
        return file_servers("".join(pieces))["shop.test"]

    assert listed() == ("10.0.0.9:80",)
    for ip, shown in (("10.0.0.1", "10.0.0.1:80"), ("::1", "[::1]:80"), ("", "[::1]:80")):
        addresses.note("node.test", ip)
        assert listed() == (shown, "10.0.0.9:80")


def test_a_template_that_is_a_pipe_does_not_stop_the_start(tmp_path: Path) -> None:
    """Nobody may ever write to it. It is reported when it is rendered."""
    pipe = tmp_path / "nginx.tmpl"
    os.mkfifo(pipe)
    settings = Settings(
        proxy_platform="nginx", nginx_template=str(pipe), nginxplusapiaddr="unix:/run/api.sock"
    )
    start = threading.Thread(target=kind_of, args=(settings,), daemon=True)
    start.start()
    start.join(5)
    assert not start.is_alive()


def test_every_function_is_in_the_reference() -> None:
    assert lua_functions(lambda: LuaOptions("unix:/tmp/api")).keys() == LUA_FUNCTIONS.keys()


async def test_the_example_serves_its_vhosts_and_new_ones(short_path: Path) -> None:
    first, second = await Instance("first").start(), await Instance("second").start()
    nginx = LuaNginx(short_path)
    (short_path / "modules").symlink_to(MODULES)
    environ = {
        "PROXY_HTTP_PORT": str(nginx.port),
        "NGINX_USER": "root" if os.geteuid() == 0 else "",
    }
    functions = {
        **template_functions(environ, None),
        **lua_functions(lambda: LuaOptions(listen=f"unix:{nginx.socket}")),
    }
    template = Template(_EXAMPLE.read_text(), name="nginx.tmpl", funcs=functions)
    shop = app("shop.test", Host("127.0.0.1", first.port, "http"))
    rendered = render(template, context(Topology({"shop.test": shop}, {}), Settings(), "lb1"))
    nginx.config.write_text(rendered.text)
    try:
        await nginx.start()
        assert (await nginx.handshake())["generation"] == rendered.generation
        assert await get(nginx.port, "shop.test") == (200, "first")
        server = f"127.0.0.1:{second.port}"
        await nginx.apply(
            shop__test=replacing(server), new__test={**replacing(server), "routed": True}
        )
        assert await get(nginx.port, "shop.test") == (200, "second")
        assert await get(nginx.port, "new.test") == (200, "second")
        assert (await get(nginx.port, "none.test"))[0] == 404
    finally:
        await nginx.stop()
        await first.stop()
        await second.stop()
