"""What the Lua balancer's API refuses, and a dictionary that is full, in Debian's NGINX."""

import asyncio
import json
import os
from pathlib import Path

from tests.proxies.nginx.lua.rig import listed, replacing, started
from tests.proxies.nginx.lua.traffic_rig import address, instances
from tests.traffic import get

from drove_gateway.proxies.nginx.lua.configuration import FileServer, FileUpstream


async def test_a_full_dictionary_is_reported_and_leaves_the_upstream_as_it_was(
    short_path: Path,
) -> None:
    many = [f"10.1.{number >> 8}.{number & 255}:80" for number in range(16_000)]
    async with (
        instances("a", "b") as (a, b),
        started(
            short_path,
            {"shop.test": [address(a)], "other.test": [address(a)]},
            memory="256k",
        ) as nginx,
    ):
        results = await nginx.apply(shop__test=replacing(*many), other__test=replacing(address(b)))
        assert results["shop.test"]["error"]["code"] == "UpstreamOutOfMemory"
        assert [server["server"] for server in results["other.test"]["servers"]] == [address(b)]
        assert await nginx.servers("shop.test") == [address(a)]
        assert await get(nginx.port, "shop.test") == (200, "a")
        assert await get(nginx.port, "other.test") == (200, "b")
        # The next file knows better than a dictionary that refused a change.
        nginx.write({"shop.test": [address(b)], "other.test": [address(a)]}, "2", "256k")
        await nginx.reload()
        assert await get(nginx.port, "shop.test") == (200, "b")
        assert await get(nginx.port, "other.test") == (200, "b")


async def test_an_upstream_that_does_not_fit_into_the_dictionary_is_served_from_the_file(
    short_path: Path,
) -> None:
    dead = [f"127.0.0.1:{port}" for port in range(1000, 12_000)]
    async with instances("a") as (a,):
        vhosts = {"big.test": FileUpstream(tuple(FileServer(d, backup=True) for d in dead))}
        vhosts["big.test"] = FileUpstream((FileServer(address(a)), *vhosts["big.test"].servers))
        async with started(
            short_path, {**vhosts, "shop.test": listed([address(a)])}, memory="256k"
        ) as nginx:
            assert await get(nginx.port, "big.test") == (200, "a")
            assert await get(nginx.port, "shop.test") == (200, "a")
            assert (await nginx.handshake())["only_in_file"] == 1
            assert "drove_gateway is full" in nginx.log
            # Removed from the dictionary, it would be served as the file lists it again.
            await nginx.apply(big__test=replacing(address(a)))
            assert (await nginx.handshake())["only_in_file"] == 0
            removed = await nginx.apply(big__test=None)
            assert removed["big.test"]["error"]["code"] == "UpstreamStatic"
            assert await get(nginx.port, "big.test") == (200, "a")


async def test_writers_at_once_lose_no_change(short_path: Path) -> None:
    async with started(short_path, {"shop.test": []}) as nginx:
        path = "/api/9/http/upstreams/shop.test/servers/"
        wanted = [f"10.0.0.{number}:80" for number in range(100)]
        results = await asyncio.gather(
            *(nginx.call("POST", path, {"server": server}) for server in wanted)
        )
        assert {status for status, _ in results} == {201}
        assert len({server["id"] for _, server in results}) == 100
        assert sorted(await nginx.servers("shop.test")) == sorted(wanted)


async def test_a_body_that_is_too_large_or_malformed_changes_nothing(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        path = "/drove-gateway/upstreams"
        for body in ("", "{", "[]", '{"upstreams": []}', "nul", '{"upstreams": {}} x'):
            status, response = await nginx.call("POST", path, body)
            assert status in {400, 415}
            assert response["error"]["code"] in {"JsonError", "UpstreamConfFormatError"}
        deep = await nginx.call("POST", path, "[" * 100_000)
        assert deep[1]["error"]["code"] == "JsonError"
        large = json.dumps({"upstreams": {"shop.test": None}, "pad": "x" * (17 << 20)})
        process = await asyncio.create_subprocess_exec(
            *("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--unix-socket"),
            *(str(nginx.socket), "--data-binary", "@-", f"http://api{path}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate(large.encode())
        assert printed == b"413"
        assert await get(nginx.port, "shop.test") == (200, "a")


async def test_changes_and_lists_of_many_upstreams_leave_nothing_in_the_log(
    short_path: Path,
) -> None:
    async with started(short_path, {}) as nginx:
        many = {f"v{number}__test": replacing("10.0.0.1:80") for number in range(200)}
        results = await nginx.apply(**many)
        assert not any("error" in result for result in results.values())
        status, listed_upstreams = await nginx.call("GET", "/api/9/http/upstreams/")
        assert (status, len(listed_upstreams)) == (200, 200)
        assert nginx.log == ""


async def test_the_api_refuses_requests_that_a_proxy_forwarded(short_path: Path) -> None:
    """A vhost can have the API's own address as a server."""
    async with started(short_path, {"shop.test": []}) as nginx:
        await nginx.apply(shop__test=replacing(f"unix:{nginx.socket}"))
        headers = {"X-Forwarded-For": "127.0.0.1"}
        status, body = await get(nginx.port, "shop.test", "/drove-gateway/", headers=headers)
        assert status == 403
        assert json.loads(body)["error"]["code"] == "Forbidden"
