"""What every controller answers, whatever runs: envelope, refusals, access, connections."""

import asyncio
import socket
from base64 import b64encode

import aiohttp
import pytest
from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator, SimulatorError
from drove_gateway.simulator.delivery import accepts_gzip


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


async def test_the_leader_answers_a_ping(client: Client) -> None:
    async with Simulator() as sim:
        got = await client.ask(sim, "ping")
    assert got.status == 200
    assert got.json == {"status": "SUCCESS", "data": "pong", "message": "success"}


async def test_followers_refuse_everything_with_400_and_no_data(client: Client) -> None:
    async with Simulator() as sim:
        for path in ("ping", "endpoints", "cluster/events/summary?lastSyncTime=0", "tasks"):
            got = await client.ask(sim, path, controller=1)
            assert got.status == 400
            assert got.json == {
                "status": "FAILED",
                "message": "This node is not the leader controller",
            }


async def test_without_a_leader_everyone_answers_like_a_follower(client: Client) -> None:
    async with Simulator() as sim:
        follower = await client.ask(sim, "ping", controller=1)
        sim.drop_leadership()
        for number in range(3):
            got = await client.ask(sim, "ping", controller=number)
            assert (got.status, got.body) == (400, follower.body)


async def test_no_credentials_are_needed_unless_configured(client: Client) -> None:
    async with Simulator() as sim:
        assert (await client.ask(sim, "ping")).status == 200
        assert (await client.ask(sim, "ping", headers=basic("any", "body"))).status == 200


async def test_wrong_credentials_get_401_as_plain_text(client: Client) -> None:
    async with Simulator(Options(user="guest", password="secret")) as sim:
        for headers in ({}, basic("guest", "wrong"), {"Authorization": "O-Bearer x"}):
            got = await client.ask(sim, "ping", headers=headers)
            assert got.status == 401
            assert got.headers["WWW-Authenticate"] == 'Basic realm="realm"'
            assert got.headers["Content-Type"].startswith("text/plain")
        assert (await client.ask(sim, "ping", headers=basic("guest", "secret"))).status == 200


async def test_followers_check_credentials_before_leadership(client: Client) -> None:
    async with Simulator(Options(user="guest", password="secret")) as sim:
        assert (await client.ask(sim, "ping", controller=2)).status == 401
        allowed = await client.ask(sim, "ping", controller=2, headers=basic("guest", "secret"))
        assert allowed.status == 400


async def test_a_token_is_compared_verbatim(client: Client) -> None:
    async with Simulator(Options(token="O-Bearer abc")) as sim:
        good = await client.ask(sim, "ping", headers={"Authorization": "O-Bearer abc"})
        bad = await client.ask(sim, "ping", headers={"Authorization": "Bearer abc"})
    assert (good.status, bad.status) == (200, 401)


@pytest.mark.parametrize("route", ["summary", "latest"])
async def test_a_negative_cursor_is_a_validation_error(client: Client, route: str) -> None:
    async with Simulator() as sim:
        got = await client.ask(sim, f"cluster/events/{route}?lastSyncTime=-1")
    assert got.status == 400
    assert got.json["status"] == "FAILED"
    assert "lastSyncTime" in got.json["data"]["validationErrors"][0]


async def test_an_unknown_object_is_200_with_failed(client: Client) -> None:
    async with Simulator(Options(apps=1)) as sim:
        for path in ("applications/no-1", "applications/no-1/spec", "cluster/executors/no"):
            got = await client.ask(sim, path)
            assert got.status == 200
            assert got.json["status"] == "FAILED"
            assert "data" not in got.json


async def test_an_unknown_path_is_404_for_every_leader_and_client(client: Client) -> None:
    async with Simulator(Options(user="guest", password="secret")) as sim:
        for controller in range(3):
            for method in ("GET", "POST"):
                got = await client.ask(sim, "nonsense", method=method, controller=controller)
                assert got.status == 404
                assert "Date" not in got.headers


async def test_a_body_that_is_not_json_is_415(client: Client) -> None:
    async with Simulator() as sim:
        got = await client.ask(sim, "applications/operations", method="POST", data=b"<a/>")
    assert got.status == 415


async def test_browsers_are_redirected_to_the_leader(client: Client) -> None:
    async with Simulator() as sim:
        front = await client.url(sim.urls[1], allow_redirects=False)
        assert (front.status, front.headers["Location"]) == (303, f"{sim.urls[0]}/")
        assert (await client.url(sim.urls[1])).status == 200


async def test_old_controllers_ignore_the_names_of_apps(client: Client) -> None:
    async with Simulator(Options(apps=3, real=False, app_filter=False)) as sim:
        apps = (await client.ask(sim, "endpoints?app=app2")).data
    assert [app["appName"] for app in apps] == ["app1", "app2", "app3"]


@pytest.mark.parametrize(
    ("header", "compressed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_needs_a_weight_above_zero(header: str, compressed: bool) -> None:
    assert accepts_gzip(header) is compressed


async def test_answers_are_compressed_from_256_bytes(client: Client) -> None:
    async with Simulator(Options(apps=20, real=False)) as sim:
        small = await client.ask(sim, "ping")
        big = await client.ask(sim, "endpoints")
        plain = await client.ask(sim, "endpoints", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in small.headers
    assert big.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert big.data == plain.data


async def test_requests_are_counted_by_path(client: Client) -> None:
    async with Simulator() as sim:
        for _ in range(3):
            await client.ask(sim, "endpoints?app=web")
        await client.ask(sim, "ping", controller=1)
        counted = [dict(controller.requests) for controller in sim.controllers]
    assert counted == [{"/v1/endpoints": 3}, {"/v1/ping": 1}, {}]


async def test_a_connection_is_kept_and_closed_when_idle() -> None:
    async with Simulator(Options(idle_timeout=0.05)) as sim:
        reader, writer = await asyncio.open_connection("127.0.0.1", sim.controllers[0].port)
        for _ in range(2):
            writer.write(b"GET /apis/v1/ping HTTP/1.1\r\nHost: drove\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b'"message":"success"}')
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


async def test_a_stopped_controller_refuses_and_comes_back_on_its_port(client: Client) -> None:
    async with Simulator() as sim:
        urls = sim.urls
        await sim.stop_controller(2)
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.ask(sim, "ping", controller=2)
        await sim.start_controller(2)
        assert sim.urls == urls
        assert (await client.ask(sim, "ping", controller=2)).status == 400


async def test_controllers_take_consecutive_ports() -> None:
    async with Simulator(Options(controllers=1)) as other:
        free = other.controllers[0].port
    async with Simulator(Options(controllers=1, port=free)) as sim:
        assert sim.urls == [f"http://127.0.0.1:{free}"]


async def test_controllers_can_listen_on_ipv6(client: Client) -> None:
    async with Simulator(Options(host="::1", apps=1, real=False)) as sim:
        assert all(url.startswith("http://[::1]:") for url in (*sim.urls, sim.control.url))
        assert (await client.ask(sim, "ping")).status == 200
        assert (await client.ask(sim, "cluster")).data["leader"] == sim.controllers[0].address


async def test_a_taken_port_is_reported_and_nothing_is_left_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"controller 0 cannot listen on .*:{port}"):
            async with Simulator(Options(port=port)):
                raise AssertionError
        with pytest.raises(SimulatorError, match="the control API cannot listen"):
            async with Simulator(Options(control_port=port)):
                raise AssertionError
