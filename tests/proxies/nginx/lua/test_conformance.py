"""The Lua balancer answers as NGINX Plus does: one table, asked of the stand-in and of real NGINX.

The stand-in is as strict as the documentation of `ngx_http_api_module`.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.proxies.nginx.lua.rig import newer_program, started
from tests.standins.nginx_plus.server import NginxPlus, running

Call = Callable[[str, str, object], Awaitable[tuple[int, Any]]]
A, B = "10.0.0.1:80", "10.0.0.2:80"
UPSTREAMS = "/api/9/http/upstreams"
SERVERS = f"{UPSTREAMS}/shop.test/servers"
DEFAULTS = {
    "weight": 1,
    "max_conns": 0,
    "max_fails": 1,
    "fail_timeout": "10s",
    "slow_start": "0s",
    "route": "",
    "backup": False,
    "down": False,
}


@contextlib.asynccontextmanager
async def _plus(directory: Path) -> AsyncIterator[Call]:
    del directory
    conf = f"upstream shop.test {{ zone shop.test 64k; server {A}; }}"
    async with running(NginxPlus(conf)) as nginx, aiohttp.ClientSession() as session:

        async def call(method: str, path: str, body: object) -> tuple[int, Any]:
            data = body if isinstance(body, str) else None if body is None else json.dumps(body)
            url = f"http://{nginx.api_address}{path}"
            async with session.request(method, url, data=data) as response:
                return response.status, json.loads(await response.read())

        yield call


@contextlib.asynccontextmanager
async def _lua(directory: Path) -> AsyncIterator[Call]:
    async with started(directory, {"shop.test": [A]}) as nginx:
        yield nginx.call


@contextlib.asynccontextmanager
async def _newer(directory: Path) -> AsyncIterator[Call]:
    async with started(directory, {"shop.test": [A]}, newer_program()) as nginx:
        yield nginx.call


APIS = pytest.mark.parametrize("api", [_plus, _lua, _newer], ids=["plus", "lua", "newer-lua"])
Api = Callable[[Path], contextlib.AbstractAsyncContextManager[Call]]

# method, path, body, status, code
REFUSALS: list[tuple[str, str, object, int, str]] = [
    ("GET", "/api/1234/", None, 404, "UnknownVersion"),
    ("GET", "/api/none/http/upstreams", None, 404, "UnknownVersion"),
    ("GET", "/api/9/nothing", None, 404, "PathNotFound"),
    ("GET", f"{UPSTREAMS}/shop.test/peers", None, 404, "PathNotFound"),
    ("GET", f"{SERVERS}/0/more", None, 404, "PathNotFound"),
    ("GET", f"{UPSTREAMS}/none.test", None, 404, "UpstreamNotFound"),
    ("GET", f"{UPSTREAMS}/none.test/servers", None, 404, "UpstreamNotFound"),
    ("POST", f"{UPSTREAMS}/none.test/servers", {"server": A}, 404, "UpstreamNotFound"),
    ("GET", f"{SERVERS}/7", None, 404, "UpstreamServerNotFound"),
    ("PATCH", f"{SERVERS}/7", {"down": True}, 404, "UpstreamServerNotFound"),
    ("DELETE", f"{SERVERS}/7", None, 404, "UpstreamServerNotFound"),
    ("GET", f"{SERVERS}/x", None, 400, "UpstreamBadServerId"),
    ("PUT", SERVERS, {"server": A}, 405, "MethodDisabled"),
    ("POST", UPSTREAMS, {"server": A}, 405, "MethodDisabled"),
    ("POST", f"{SERVERS}/0", {"server": A}, 405, "MethodDisabled"),
    ("POST", SERVERS, "", 415, "JsonError"),
    ("POST", SERVERS, '{"server": ', 415, "JsonError"),
    ("POST", SERVERS, "[]", 415, "JsonError"),
    ("POST", SERVERS, {}, 400, "UpstreamConfFormatError"),
    ("POST", SERVERS, {"server": A, "wieght": 2}, 400, "UpstreamConfFormatError"),
    ("POST", SERVERS, {"server": A, "id": 2}, 400, "UpstreamConfFormatError"),
    ("POST", SERVERS, {"server": A, "weight": {}}, 400, "UpstreamConfFormatError"),
    ("POST", SERVERS, {"server": A, "down": "yes"}, 400, "UpstreamConfFormatError"),
    ("POST", SERVERS, {"server": ""}, 400, "UpstreamBadAddress"),
    ("POST", SERVERS, {"server": 5}, 400, "UpstreamBadAddress"),
    ("POST", SERVERS, {"server": "10.0.0.1:0"}, 400, "UpstreamBadAddress"),
    ("POST", SERVERS, {"server": "10.0.0.1:x"}, 400, "UpstreamBadAddress"),
    ("POST", SERVERS, {"server": "[::1:80"}, 400, "UpstreamBadAddress"),
    ("POST", SERVERS, {"server": "app.example:80"}, 400, "UpstreamConfNoResolver"),
    ("POST", SERVERS, {"server": A, "weight": 0}, 400, "UpstreamBadWeight"),
    ("POST", SERVERS, {"server": A, "weight": "2"}, 400, "UpstreamBadWeight"),
    ("POST", SERVERS, {"server": A, "max_conns": -1}, 400, "UpstreamBadMaxConns"),
    ("POST", SERVERS, {"server": A, "max_fails": -1}, 400, "UpstreamBadMaxFails"),
    ("POST", SERVERS, {"server": A, "fail_timeout": "x"}, 400, "UpstreamBadFailTimeout"),
    ("POST", SERVERS, {"server": A, "slow_start": 3}, 400, "UpstreamBadSlowStart"),
    ("PATCH", f"{SERVERS}/0", {"backup": True}, 400, "UpstreamConfFormatError"),
    ("PATCH", f"{SERVERS}/0", {"service": "http"}, 400, "UpstreamConfFormatError"),
    ("PATCH", f"{SERVERS}/0", {"weight": -3}, 400, "UpstreamBadWeight"),
]


@APIS
async def test_what_is_refused_and_how(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        before = await call("GET", SERVERS, None)
        for method, path, body, status, code in REFUSALS:
            found, response = await call(method, path, body)
            error = response["error"]
            assert (found, error["status"], error["code"]) == (status, status, code), (path, body)
            assert error["text"]
            assert response.keys() == {"error", "request_id", "href"}
        assert await call("GET", SERVERS, None) == before


@APIS
async def test_versions_and_endpoints(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        status, versions = await call("GET", "/api/", None)
        assert status == 200
        assert set(range(2, 10)) <= set(versions)
        _, endpoints = await call("GET", "/api/9/", None)
        assert {"nginx", "http"} <= set(endpoints)
        _, identity = await call("GET", "/api/9/nginx?fields=generation,ppid", None)
        assert identity.keys() == {"generation", "ppid"}
        assert identity["generation"] == 1


@APIS
async def test_a_server_from_its_addition_to_its_removal(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        first = {"id": 0, "server": A, **DEFAULTS}
        assert await call("GET", f"{SERVERS}/", None) == (200, [first])
        second = {"id": 1, "server": B, **DEFAULTS}
        assert await call("POST", f"{SERVERS}/", {"server": "10.0.0.2"}) == (201, second)
        second |= {"weight": 7, "slow_start": "1500ms", "fail_timeout": "60s", "drain": True}
        patch = {"weight": 7, "slow_start": "1500ms", "fail_timeout": "1m", "drain": True}
        assert await call("PATCH", f"{SERVERS}/1", patch) == (200, second)
        assert await call("GET", f"{SERVERS}/1", None) == (200, second)
        assert await call("GET", SERVERS, None) == (200, [first, second])
        assert await call("DELETE", f"{SERVERS}/0", None) == (200, [second])
        del second["drain"]
        assert await call("PATCH", f"{SERVERS}/1", {"drain": False}) == (200, second)
        again = {"id": 2, "server": A, **DEFAULTS}
        assert await call("POST", SERVERS, {"server": A}) == (201, again)
        assert await call("DELETE", f"{SERVERS}/1", None) == (200, [again])
        assert await call("DELETE", f"{SERVERS}/2", None) == (200, [])
        assert await call("GET", SERVERS, None) == (200, [])


@APIS
async def test_an_address_may_stand_twice(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        assert (await call("POST", SERVERS, {"server": A}))[0] == 201
        _, servers = await call("GET", SERVERS, None)
        assert [(server["id"], server["server"]) for server in servers] == [(0, A), (1, A)]


@APIS
async def test_ipv6_has_one_spelling(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        _, server = await call("POST", SERVERS, {"server": "[2001:DB8:0:0::1]"})
        assert server["server"] == "[2001:db8::1]:80"


@APIS
async def test_the_status_of_upstreams(api: Api, short_path: Path) -> None:
    async with api(short_path) as call:
        await call("POST", SERVERS, {"server": B, "down": True})
        await call("PATCH", f"{SERVERS}/0", {"drain": True})
        status, upstream = await call("GET", f"{UPSTREAMS}/shop.test/", None)
        assert status == 200
        shown = [
            (peer["id"], peer["server"], peer["state"], peer["active"], peer["backup"])
            for peer in upstream["peers"]
        ]
        assert shown == [(0, A, "draining", 0, False), (1, B, "down", 0, False)]
        assert await call("GET", f"{UPSTREAMS}/", None) == (200, {"shop.test": upstream})
        _, some = await call("GET", f"{UPSTREAMS}/shop.test?fields=zone", None)
        assert some == {"zone": "shop.test"}
