"""The text that makes an NGINX configuration dynamic."""

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules
from tests.proxies.nginx.lua.rig import LuaNginx, started

from drove_gateway.proxies.nginx.lua.configuration import (
    FileServer,
    FileUpstream,
    LuaOptions,
    file_servers,
    init_code,
    memory_for,
    server_part,
    upstream_part,
    without_servers,
)
from drove_gateway.proxies.nginx.lua.source import code, code_hash

_OPTIONS = LuaOptions(listen="unix:/run/drove.sock")
_MODULES = Modules()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_name_is_the_same_name_in_lua_and_closes_no_block(name: str) -> None:
    text = upstream_part(name)
    quoted = re.search(r"balance\((.*)\) }$", text, re.DOTALL)
    assert quoted is not None
    assert _MODULES.run(f"return function() return {quoted[1]} end") == name
    assert (text.count("{"), text.count("}")) == (1, 1)
    assert (server_part(name).count("{"), server_part(name).count("\n")) == (1, 0)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_files_that_differ_in_servers_only_are_equal_without_them(first: int, another: int) -> None:
    def shared(count: int) -> str:
        servers = tuple(FileServer(f"10.{n >> 8}.{n & 255}.1:80") for n in range(count))
        code = init_code(_OPTIONS, {"shop.test": FileUpstream(servers)}, generation="1")
        return without_servers(code)

    assert shared(first) == shared(another)
    assert "file.finish()" in shared(first)
    assert 'require("drove_gateway.file")' in shared(first)


def test_a_long_upstream_is_listed_in_pieces_that_nginx_can_read() -> None:
    servers = tuple(FileServer(f"10.0.{n >> 8}.{n & 255}:80", weight=2) for n in range(2000))
    text = init_code(_OPTIONS, {"shop.test": FileUpstream(servers)}, generation="1")
    assert text.count("file.upstream(") > 10
    assert max(map(len, text.splitlines())) < 4096
    for server in servers:
        assert f"{server.address},weight=2" in text


@pytest.mark.parametrize(
    "listen", ["80", "0.0.0.0:80", "10.0.0.1:80", "[::]:80", "unix:sock", "unix:/a;b", "127.0.0.1"]
)
def test_the_api_listens_on_this_machine_only(listen: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        LuaOptions(listen=listen)


def test_a_size_that_nginx_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="not a size"):
        LuaOptions(listen="unix:/run/a", memory="much")


def test_the_dictionary_grows_with_the_servers_in_large_steps() -> None:
    def memory(count: int) -> str:
        servers = tuple(FileServer(f"10.0.{n >> 8}.{n & 255}:80") for n in range(10))
        return memory_for({f"app{n}.test": FileUpstream(servers) for n in range(count)})

    assert [memory(count) for count in (0, 1000, 3000, 5000)] == ["16m", "16m", "16m", "32m"]


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        st.lists(st.sampled_from(["10.0.0.1:80", "[::1]:81", "unix:/run/a.sock"]), max_size=3),
        max_size=3,
    )
)
def test_the_servers_of_a_file_can_be_read_from_its_text(servers: dict[str, list[str]]) -> None:
    listed = {
        name: FileUpstream(tuple(FileServer(address, weight=2) for address in its))
        for name, its in servers.items()
    }
    text = init_code(_OPTIONS, listed, generation="1")
    assert file_servers(text) == {name: tuple(its) for name, its in servers.items()}


async def test_the_running_code_reports_its_hash(short_path: Path) -> None:
    assert len(code_hash()) == 16
    async with started(short_path, {}) as nginx:
        handshake = await nginx.handshake()
        assert (handshake["version"], handshake["hash"]) == ("1", code_hash())
        assert handshake["dictionary"]["free"] <= handshake["dictionary"]["capacity"]


def test_the_code_is_independent_of_what_debian_does_not_have() -> None:
    required = set(re.findall(r'require\("([^"]+)"\)', code()))
    assert {name for name in required if not name.startswith("drove_gateway.")} == {
        "ffi",
        "ngx.balancer",
        "resty.core.base",
    }


async def test_nginx_accepts_ten_thousand_servers_and_hostile_names(short_path: Path) -> None:
    vhosts = {
        f"app{n}.test": FileUpstream(tuple(FileServer(f"10.0.0.{m}:{1000 + n}") for m in range(10)))
        for n in range(1000)
    }
    nginx = LuaNginx(short_path)
    nginx.write({}, memory="16m")
    hostile = {
        'a"}b\\': FileUpstream((FileServer('10.0.0.1:80") os.exit(3)'), FileServer("10.0.0.9:80")))
    }
    text = init_code(_OPTIONS, {**vhosts, **hostile}, generation="1")
    head, tail = nginx.config.read_text().split("init_by_lua_block {")
    rest = tail.split("init_worker_by_lua_block")[1]
    nginx.config.write_text(f"{head}init_by_lua_block {{{text}\n}}\ninit_worker_by_lua_block{rest}")
    try:
        await nginx.start()
        assert (await nginx.handshake())["upstreams"] == 1001
        # The address is refused, and the reason logged; the other server stays.
        assert await nginx.servers("a%22%7Db%5C") == ["10.0.0.9:80"]
        assert "of the configuration file" in nginx.log
    finally:
        await nginx.stop()
        await asyncio.sleep(0)
