"""Where requests really go, through a real proxy with a shipped template."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.templates.serving import Shipped, app, topology
from tests.traffic import Instance, free_port, get

from drove_gateway.config import Settings
from drove_gateway.model.vocabulary import Host

TLS = Path(__file__).parents[1] / "drove" / "tls"


@asynccontextmanager
async def instances(*names: str) -> AsyncIterator[list[Host]]:
    """Servers that answer with their names."""
    async with AsyncExitStack() as stack:
        hosts = []
        for name in names:
            instance = await Instance(name).start()
            stack.push_async_callback(instance.stop)
            hosts.append(Host("127.0.0.1", instance.port, "http"))
        yield hosts


@asynccontextmanager
async def web_server(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], *, tls: bool = False
) -> AsyncIterator[int]:
    """A server whose every path is answered by `handler`, on a free port."""
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def answers(port: int, vhost: str, *, times: int = 6, **headers: str) -> set[str]:
    """The bodies of so many answers, all of them 200."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    got = [await get(port, vhost, headers=sent) for _ in range(times)]
    assert {status for status, _ in got} == {200}, got
    return {body for _, body in got}


async def test_a_vhost_is_served_by_all_its_instances(shipped: Shipped) -> None:
    async with instances("a", "b", "c") as [a, b, c]:
        desired = topology(app("web.local", a, b), app("api.local", c))
        async with shipped.serving(desired) as port:
            assert await answers(port, "web.local") == {"a", "b"}
            assert await answers(port, "WEB.local") == {"a", "b"}
            assert await answers(port, f"api.local:{port}") == {"c"}


async def test_wildcard_vhosts_are_served(shipped: Shipped) -> None:
    """The exact name goes first, then the longest wildcard; `.x` includes `x` itself."""
    names = ("wild", "deeper", "dot", "exact", "leader")
    async with instances(*names) as [wild, deeper, dot, exact, leader]:
        desired = topology(
            app("*.wild.local", wild),
            app("*.deeper.wild.local", deeper),
            app(".dot.local", dot),
            app("x.dot.local", exact),
            app("empty.wild.local", Host("127.0.0.1", 9, "tcp")),
            leader="drove.wild.local",
            endpoint=f"http://127.0.0.1:{leader.port}",
        )
        async with shipped.serving(desired) as port:
            for host, expected in {
                "a.wild.local": "wild",
                "B.A.wild.local.": "wild",
                "deeper.wild.local": "wild",
                "a.deeper.wild.local": "deeper",
                "drove.wild.local": "leader",
                "dot.local": "dot",
                "y.dot.local": "dot",
                "x.dot.local": "exact",
                "z.x.dot.local": "dot",
            }.items():
                assert await answers(port, host, times=2) == {expected}, host
            for host in ("wild.local", "a.wild.local.evil", "awild.local", "*wild.local"):
                assert (await get(port, host))[0] in {400, 404}, host
            assert (await get(port, "empty.wild.local"))[0] in {404, 503}


async def test_groups_of_a_wildcard_vhost_are_chosen_by_header(routing: Shipped) -> None:
    async with instances("untagged", "blue", "other") as [untagged, blue, other]:
        desired = topology(
            app("*.wild.local", untagged, tag="colour", blue=(blue,)), app("a.wild.local", other)
        )
        async with routing.serving(desired) as port:
            assert await answers(port, "b.wild.local") == {"untagged"}
            assert await answers(port, "b_c.wild.local", X_Request_Env="blue") == {"blue"}
            assert await answers(port, "b.wild.local", X_Request_Env="green") == {"untagged"}
            assert await answers(port, "a.wild.local", X_Request_Env="blue") == {"other"}


async def test_an_unknown_vhost_is_404(shipped: Shipped) -> None:
    async with instances("a") as [a], shipped.serving(topology(app("web.local", a))) as port:
        for vhost in ("other.local", "web.local.evil", "localhost", "leader", "_"):
            assert (await get(port, vhost))[0] == 404


async def test_a_vhost_without_http_servers_does_not_lead_elsewhere(shipped: Shipped) -> None:
    async with instances("a") as [a]:
        raw = app("raw.local", Host("127.0.0.1", 1, "tcp"))
        async with shipped.serving(topology(raw, app("web.local", a))) as port:
            assert (await get(port, "raw.local"))[0] in {404, 503}
            assert await answers(port, "web.local") == {"a"}


async def test_a_dead_instance_is_not_the_clients_problem(shipped: Shipped) -> None:
    async with instances("a") as [a]:
        dead = Host("127.0.0.1", free_port(), "http")
        async with shipped.serving(topology(app("web.local", dead, a))) as port:
            assert await answers(port, "web.local", times=10) == {"a"}


async def test_the_leader_is_served_under_its_own_vhost(shipped: Shipped) -> None:
    async with instances("leader", "a") as [leader, a]:
        desired = topology(
            app("web.local", a), leader="Drove.local", endpoint=f"http://127.0.0.1:{leader.port}"
        )
        async with shipped.serving(desired) as port:
            assert await answers(port, "drove.local") == {"leader"}
            assert await answers(port, "web.local") == {"a"}


async def test_https_instances_are_spoken_to_in_tls(shipped: Shipped) -> None:
    async def secure(request: web.Request) -> web.Response:
        return web.Response(text=f"secure {request.scheme}")

    async with web_server(secure, tls=True) as upstream:
        desired = topology(app("web.local", Host("127.0.0.1", upstream, "https")))
        async with shipped.serving(desired) as port:
            assert await answers(port, "web.local") == {"secure https"}


async def test_instances_on_ipv6_are_reached(shipped: Shipped) -> None:
    six = await Instance("six", host="::1").start()
    try:
        desired = topology(app("web.local", Host("::1", six.port, "http")))
        async with shipped.serving(desired) as port:
            assert await answers(port, "web.local") == {"six"}
    finally:
        await six.stop()


async def test_instances_see_their_vhost_and_the_client(shipped: Shipped) -> None:
    async def told(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.host} {request.headers.get('X-Forwarded-For')}")

    async with web_server(told) as upstream:
        desired = topology(app("web.local", Host("127.0.0.1", upstream, "http")))
        async with shipped.serving(desired) as port:
            assert await answers(port, "web.local") == {"web.local 127.0.0.1"}


async def test_answers_name_the_load_balancer(shipped: Shipped) -> None:
    async with (
        instances("a") as [a],
        shipped.serving(topology(app("web.local", a))) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/", headers={"Host": "web.local"}) as response,
    ):
        assert response.headers["X-Proxy"] == "lb1"


async def test_a_web_socket_passes(shipped: Shipped) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("echo " + await socket.receive_str())
        await socket.close()
        return socket

    async with web_server(echo) as upstream:
        desired = topology(app("web.local", Host("127.0.0.1", upstream, "http")))
        async with (
            shipped.serving(desired) as port,
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"http://127.0.0.1:{port}/ws", headers={"Host": "web.local"}
            ) as socket,
        ):
            await socket.send_str("hello")
            assert await socket.receive_str() == "echo hello"


async def test_the_generation_is_shown_on_loopback(shipped: Shipped) -> None:
    async with instances("a") as [a], shipped.serving(topology(app("web.local", a))):
        status, generation = await get(shipped.proof, "localhost", "/generation")
    assert status == 200
    assert f'"{generation}"' in shipped.config.read_text()
    assert len(generation) == 16


class TestByHeader:
    async def test_the_header_chooses_the_group_of_its_vhost(self, routing: Shipped) -> None:
        async with instances("default", "blue", "green", "other") as [default, blue, green, other]:
            web_app = app("web.local", default, tag="colour", blue=(blue,), green=(green,))
            api_app = app("api.local", other, tag="colour")
            async with routing.serving(topology(web_app, api_app)) as port:
                assert await answers(port, "web.local") == {"default"}
                assert await answers(port, "web.local", X_Request_Env="blue") == {"blue"}
                assert await answers(port, "web.local", X_Request_Env="green") == {"green"}
                assert await answers(port, "api.local") == {"other"}

    async def test_without_such_a_group_the_default_answers(self, routing: Shipped) -> None:
        async with instances("default", "blue", "other") as [default, blue, other]:
            web_app = app("web.local", default, tag="colour", blue=(blue,))
            api_app = app("api.local", other, tag="colour")
            async with routing.serving(topology(web_app, api_app)) as port:
                for value in ("red", "", "api.local", "_", 'b"lue', "blue blue"):
                    assert await answers(port, "web.local", X_Request_Env=value) == {"default"}
                assert await answers(port, "api.local", X_Request_Env="blue") == {"other"}

    async def test_the_headers_value_is_lower_cased_as_groups_are(self, routing: Shipped) -> None:
        async with instances("default", "blue") as [default, blue]:
            web_app = app("web.local", default, tag="colour", blue=(blue,))
            async with routing.serving(topology(web_app)) as port:
                assert await answers(port, "web.local", X_Request_Env="BLUE") == {"blue"}

    async def test_without_a_default_group_a_request_without_header_is_503(
        self, routing: Shipped
    ) -> None:
        async with instances("blue") as [blue]:
            web_app = app("web.local", tag="colour", blue=(blue,))
            async with routing.serving(topology(web_app)) as port:
                assert (await get(port, "web.local"))[0] in {404, 503}
                assert await answers(port, "web.local", X_Request_Env="blue") == {"blue"}

    async def test_vhosts_of_a_namespace_without_a_routing_tag_are_served(
        self, routing: Shipped
    ) -> None:
        async with instances("a", "leader") as [a, leader]:
            desired = topology(
                app("web.local", a),
                leader="drove.local",
                endpoint=f"http://127.0.0.1:{leader.port}",
            )
            async with routing.serving(desired) as port:
                for value in ("", "blue"):
                    to_app = await answers(port, "web.local", X_Request_Env=value)
                    to_leader = await answers(port, "drove.local", X_Request_Env=value)
                    assert (to_app, to_leader) == ({"a"}, {"leader"})

    async def test_haproxy_can_have_one_backend_for_all_hosts_of_a_vhost(
        self, routing: Shipped
    ) -> None:
        """HAProxy with `haproxy_backend_include_routing_tag_suffix = false`."""
        without = Settings(
            proxy_platform="haproxy", haproxy_backend_include_routing_tag_suffix=False
        )
        async with instances("default", "blue") as [default, blue]:
            desired = topology(app("web.local", default, tag="colour", blue=(blue,)))
            async with routing.serving(desired, without) as port:
                chosen = await answers(port, "web.local", X_Request_Env="blue")
                assert chosen == ({"blue"} if routing.nginx else {"default", "blue"})

    @pytest.mark.parametrize("separator", ["_", "-", ".", ":"])
    async def test_no_host_and_no_header_reaches_the_backend_of_another_vhost(
        self, routing: Shipped, separator: str
    ) -> None:
        """A backend's name is its vhost, the separator and its group: it could be read in two
        ways where a part contains the separator."""
        settings = None
        if not routing.nginx:
            settings = Settings(proxy_platform="haproxy", haproxy_backend_name_separator=separator)
        by = "-" if separator == ":" else separator
        async with instances("shop", "odd", "foreign", "plain", "twice") as hosts:
            shop, odd, foreign, plain, twice = hosts
            desired = topology(
                app("shop", shop, tag="env", **{f"eu{by}api": (odd,)}),
                app(f"shop{by}us", foreign, tag="env", x=(foreign,)),
                app(f"shop{by}plain", plain),
                app(f"z{by}z", twice),
                app("z"),
            )
            async with routing.serving(desired, settings) as port:

                async def reached(vhost: str, group: str) -> set[str]:
                    return await answers(port, vhost, X_Request_Env=group)

                assert await reached("shop", f"eu{by}api") == {"odd"}
                for value in (f"us{by}shop{by}us", f"us{by}x", "us", "plain", f"plain{by}x"):
                    assert await reached("shop", value) == {"shop"}, value
                assert await reached(f"shop{by}us", "x") == {"foreign"}
                assert await reached(f"shop{by}us", "none") == {"foreign"}
                assert await reached(f"shop{by}plain", "x") == {"plain"}
                assert await reached(f"z{by}z", "") == {"twice"}
                for vhost in (f"shop{by}eu{by}api", f"shop{by}us{by}x", f"z{by}z{by}z", "us"):
                    assert (await get(port, vhost))[0] == 404, vhost
                assert (await get(port, "z"))[0] in {404, 503}
