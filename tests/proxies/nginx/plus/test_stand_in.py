"""The stand-in is as strict as the documentation of `ngx_http_api_module`, asked over HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from tests.proxies.nginx.plus.rig import address_of, instances
from tests.standins.nginx_plus.conf import ConfError, parse
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.traffic import get

A, B = "10.0.0.1:80", "10.0.0.2:80"
CONF = """
upstream dynamic { zone dynamic 64k; }
upstream fixed { server 10.9.9.9:80; }
upstream kept { zone kept 64k; state /state/kept; }
upstream hashed { zone hashed 64k; hash $remote_addr; server 10.9.9.8:80; }
"""


class Api:
    """Plain calls: status and decoded body."""

    def __init__(self, nginx: NginxPlus, session: aiohttp.ClientSession) -> None:
        self.nginx = nginx
        self._session = session

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        url = f"http://{self.nginx.api_address}{path}"
        async with self._session.request(method, url, data=data) as answer:
            return answer.status, json.loads(await answer.read())

    async def add(self, upstream: str, **fields: object) -> Any:
        status, answer = await self("POST", f"/api/9/http/upstreams/{upstream}/servers/", fields)
        assert status == 201
        return answer


@contextlib.asynccontextmanager
async def asked(conf: str = CONF, **options: Any) -> AsyncIterator[Api]:
    async with running(NginxPlus(conf, **options)) as nginx, aiohttp.ClientSession() as session:
        yield Api(nginx, session)


async def test_roots() -> None:
    async with asked() as api:
        assert await api("GET", "/api/") == (200, list(range(1, 10)))
        _, endpoints = await api("GET", "/api/9/")
        assert {"nginx", "http"} <= set(endpoints)
        _, identity = await api("GET", "/api/9/nginx")
        assert identity["generation"] == 1
        _, some = await api("GET", "/api/9/nginx?fields=generation,ppid")
        assert some.keys() == {"generation", "ppid"}


async def test_a_new_server_shows_the_defaults() -> None:
    async with asked() as api:
        assert await api.add("dynamic", server="10.0.0.1") == {
            "id": 0,
            "server": "10.0.0.1:80",
            "weight": 1,
            "max_conns": 0,
            "max_fails": 1,
            "fail_timeout": "10s",
            "slow_start": "0s",
            "route": "",
            "backup": False,
            "down": False,
        }


async def test_duplicates_are_accepted_and_ids_are_never_given_twice() -> None:
    async with asked() as api:
        assert (await api.add("dynamic", server=A))["id"] == 0
        assert (await api.add("dynamic", server=A))["id"] == 1
        path = "/api/9/http/upstreams/dynamic/servers/"
        status, rest = await api("DELETE", path + "1")
        assert (status, [server["id"] for server in rest]) == (200, [0])
        assert (await api.add("dynamic", server=A))["id"] == 2
        assert (await api("GET", path + "2"))[1]["server"] == A


async def test_patch_changes_what_it_names() -> None:
    async with asked() as api:
        await api.add("dynamic", server=A, weight=3)
        path = "/api/9/http/upstreams/dynamic/servers/0"
        status, changed = await api("PATCH", path, {"drain": True, "slow_start": "1m"})
        assert (status, changed["drain"], changed["slow_start"]) == (200, True, "60s")
        assert changed["weight"] == 3
        _, upstream = await api("GET", "/api/9/http/upstreams/dynamic/")
        assert upstream["peers"][0]["state"] == "draining"
        _, ready = await api("PATCH", path, {"drain": False})
        assert "drain" not in ready


@pytest.mark.parametrize(
    ("upstream", "body", "code"),
    [
        ("fixed", {"server": A}, "UpstreamStatic"),
        ("dynamic", {}, "UpstreamConfFormatError"),
        ("dynamic", {"server": A, "color": "red"}, "UpstreamConfFormatError"),
        ("dynamic", {"server": A, "id": 3}, "UpstreamConfFormatError"),
        ("dynamic", {"server": A, "down": "yes"}, "UpstreamConfFormatError"),
        ("dynamic", {"server": [A]}, "UpstreamConfFormatError"),
        ("dynamic", {"server": ""}, "UpstreamBadAddress"),
        ("dynamic", {"server": "10.0.0.1:99999"}, "UpstreamBadAddress"),
        ("dynamic", {"server": "[::1:80"}, "UpstreamBadAddress"),
        ("dynamic", {"server": "node1:80"}, "UpstreamConfNoResolver"),
        ("dynamic", {"server": A, "weight": 0}, "UpstreamBadWeight"),
        ("dynamic", {"server": A, "max_conns": -1}, "UpstreamBadMaxConns"),
        ("dynamic", {"server": A, "max_fails": "1"}, "UpstreamBadMaxFails"),
        ("dynamic", {"server": A, "fail_timeout": "soon"}, "UpstreamBadFailTimeout"),
        ("dynamic", {"server": A, "slow_start": 5}, "UpstreamBadSlowStart"),
        ("hashed", {"server": A, "slow_start": "5s"}, "UpstreamBadSlowStart"),
    ],
)
async def test_a_bad_request_is_refused_with_its_code(
    upstream: str, body: dict[str, object], code: str
) -> None:
    async with asked() as api:
        status, answer = await api("POST", f"/api/9/http/upstreams/{upstream}/servers/", body)
        assert (status, answer["error"]["status"], answer["error"]["code"]) == (400, 400, code)
        assert answer.keys() == {"error", "request_id", "href"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/12/nginx", None, 404, "UnknownVersion"),
        ("GET", "/api/9/nonsense", None, 404, "PathNotFound"),
        ("GET", "/api/9/http/upstreams/none/servers/", None, 404, "UpstreamNotFound"),
        ("GET", "/api/9/http/upstreams/none/", None, 404, "UpstreamNotFound"),
        ("GET", "/api/9/http/upstreams/fixed/", None, 400, "UpstreamStatic"),
        ("GET", "/api/9/http/upstreams/dynamic/servers/9", None, 404, "UpstreamServerNotFound"),
        ("DELETE", "/api/9/http/upstreams/dynamic/servers/9", None, 404, "UpstreamServerNotFound"),
        ("PATCH", "/api/9/http/upstreams/dynamic/servers/x", {}, 400, "UpstreamBadServerId"),
        ("PATCH", "/api/9/http/upstreams/hashed/servers/0", {"backup": True}, 400, None),
        ("POST", "/api/9/http/upstreams/dynamic/servers/", "{", 415, "JsonError"),
        ("POST", "/api/9/nginx", {}, 405, "MethodDisabled"),
    ],
)
async def test_what_is_not_there_or_not_allowed(
    method: str, path: str, body: object, status: int, code: str | None
) -> None:
    async with asked() as api:
        answered, answer = await api(method, path, body)
        assert answered == status
        assert answer["error"]["code"] == (code or "UpstreamConfFormatError")


async def test_refusals_that_depend_on_the_configuration() -> None:
    path = "/api/9/http/upstreams/dynamic/servers/"
    async with asked(zone_servers=1) as api:
        await api.add("dynamic", server=A)
        _, full = await api("POST", path, {"server": B})
        assert full["error"]["code"] == "UpstreamOutOfMemory"
        api.nginx.api.refuse_duplicates = True
        status, twice = await api("POST", path, {"server": A})
        assert (status, twice["error"]["code"]) == (409, "EntryExists")
        api.nginx.api.write = False
        status, disabled = await api("DELETE", path + "0")
        assert (status, disabled["error"]["code"]) == (405, "MethodDisabled")


async def test_version_1_does_not_know_drain() -> None:
    async with asked() as api:
        status, _ = await api(
            "POST", "/api/1/http/upstreams/dynamic/servers/", {"server": A, "drain": True}
        )
        assert status == 400


async def test_an_upstream_whose_state_is_empty_hides_until_it_has_a_server() -> None:
    async with asked() as api:
        _, upstreams = await api("GET", "/api/9/http/upstreams/")
        assert upstreams.keys() == {"dynamic", "hashed"}
        assert (await api("GET", "/api/9/http/upstreams/kept/servers/"))[0] == 404
        await api.add("kept", server=A)
        assert (await api("GET", "/api/9/http/upstreams/kept/servers/"))[0] == 200
        _, names = await api("GET", "/api/9/http/upstreams/?fields=")
        assert names == {"dynamic": {}, "hashed": {}, "kept": {}}


async def test_a_reload_keeps_state_loses_the_rest_and_numbers_anew() -> None:
    async with asked() as api:
        await api.add("dynamic", server=A)
        for server in (A, B):
            await api.add("kept", server=server, max_fails=7)
        await api("DELETE", "/api/9/http/upstreams/kept/servers/0")
        await api.nginx.reload()
        assert api.nginx.servers("dynamic") == []
        (kept,) = (await api("GET", "/api/9/http/upstreams/kept/servers/"))[1]
        assert (kept["id"], kept["server"], kept["max_fails"]) == (0, B, 7)
        assert (await api("GET", "/api/9/nginx"))[1]["generation"] == 2


async def test_changes_during_a_reload_are_lost() -> None:
    async with asked() as api:

        async def change() -> None:
            await api.add("kept", server=A)

        api.nginx.during_reload = change
        await api.nginx.reload()
        assert api.nginx.servers("kept") == []


async def test_a_restart_is_another_process_with_the_state_files() -> None:
    async with asked() as api:
        await api.add("kept", server=A)
        before = api.nginx.identity()
        await api.nginx.restart()
        after = api.nginx.identity()
        assert before["ppid"] != after["ppid"]
        assert after["generation"] == 1
        assert api.nginx.servers("kept") == [A]


async def test_traffic_goes_round_robin_to_servers_that_take_requests() -> None:
    async with asked() as api, instances(3) as (first, two, three):
        servers = [await api.add("dynamic", server=address_of(i)) for i in (first, two, three)]
        path = "/api/9/http/upstreams/dynamic/servers/"
        await api("PATCH", f"{path}{servers[1]['id']}", {"down": True})
        await api("PATCH", f"{path}{servers[2]['id']}", {"drain": True})
        answers = {await get(api.nginx.traffic_port, "dynamic") for _ in range(4)}
        assert answers == {(200, address_of(first))}
        await api("PATCH", f"{path}{servers[1]['id']}", {"down": False})
        answers = {await get(api.nginx.traffic_port, "dynamic") for _ in range(4)}
        assert answers == {(200, address_of(first)), (200, address_of(two))}


async def test_a_server_that_refuses_connections_is_passed_by() -> None:
    async with asked() as api, instances(2) as (gone, alive):
        await api.add("dynamic", server=address_of(gone))
        await api.add("dynamic", server=address_of(alive))
        await gone.stop()
        answers = {await get(api.nginx.traffic_port, "dynamic") for _ in range(4)}
        assert answers == {(200, address_of(alive))}
        assert (await get(api.nginx.traffic_port, "nobody"))[0] == 404
        await alive.stop()
        assert (await get(api.nginx.traffic_port, "dynamic"))[0] == 502


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("upstream a {", "unexpected end of file", 1),
        ("}", 'unexpected "}"', 1),
        ("\n;", 'unexpected ";"', 2),
        ("upstream a { }", "no servers are inside upstream", 1),
        ("upstream a { zone a 1m; }\nupstream a { zone a 1m; }", "duplicate upstream", 2),
        ("upstream a { zone a 1m; state /x; server b; }", "incompatible", 1),
        ("upstream a { state /x; }", 'requires "zone"', 1),
        ("upstream a { zone a 1m;\n nonsense; }", 'unknown directive "nonsense"', 2),
    ],
)
def test_a_broken_configuration_is_refused_with_its_line(text: str, words: str, line: int) -> None:
    with pytest.raises(ConfError, match=words) as caught:
        parse(text)
    assert caught.value.line == line
