"""The gateway's client before what real controllers (v1.33.3) responded, byte for byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.simulator.recordings import recording

from drove_gateway.drove.client import Controller
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.drove.session import Credentials, open_session

LEADER, FOLLOWER, AUTH = recording("leader"), recording("follower"), recording("auth")
PING, ENDPOINTS, LATEST = "/apis/v1/ping", "/apis/v1/endpoints", "/apis/v1/cluster/events/latest"


def as_sent(recorded: Mapping[str, Any]) -> bytes:
    """The bytes of a recorded response."""
    head = [f"HTTP/1.1 {recorded['status']} {recorded['reason']}", *recorded["headers"]]
    body: str = recorded["body"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body.encode()


@contextlib.asynccontextmanager
async def replaying(responses: Mapping[str, bytes]) -> AsyncIterator[Controller]:
    """A client of a server that sends each path's recorded response."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(responses[urlsplit(head.split(b" ")[1].decode()).path])
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    async with server, open_session(Credentials()) as session:
        yield Controller(
            f"http://127.0.0.1:{port}",
            namespace="stage",
            session=session,
            credentials=Credentials(),
            api_timeout=5.0,
            ping_timeout=5.0,
        )


async def test_a_real_leader_leads_and_its_apps_and_events_are_read() -> None:
    responses = {
        PING: as_sent(LEADER["ping"]),
        ENDPOINTS: as_sent(LEADER["endpoints"]),
        LATEST: as_sent(LEADER["latest-3"]),
    }
    async with replaying(responses) as controller:
        assert (await controller.ping()).standing is Standing.LEADS
        listing = await controller.endpoints(EndpointsDecoder("stage"))
        page = await controller.events(0)
    assert listing.rejected == ()
    first = listing.apps[0]
    assert (first.app_id, first.vhost, dict(first.tags)) == (
        "app1-1",
        "app1.local",
        {"colour": "blue", "team": "x"},
    )
    assert [(host.host, host.port) for host in first.hosts] == [
        ("127.0.0.2", 22532),
        ("127.0.0.1", 22531),
    ]
    assert [event.kind for event in page.events] == ["APP_STATE_CHANGE"] * 3
    assert page.last_sync == 1795780709720


async def test_one_app_of_a_real_leader_is_merged_into_the_others() -> None:
    decoder = EndpointsDecoder("stage")
    async with replaying({ENDPOINTS: as_sent(LEADER["endpoints"])}) as controller:
        everything = await controller.endpoints(decoder)
    async with replaying({ENDPOINTS: as_sent(LEADER["endpoints-one-app"])}) as controller:
        merged, ignored = await controller.endpoints_of(frozenset({"app1"}), decoder)
    assert not ignored
    assert merged is not None
    assert {app.app_id: app for app in merged.apps} == {app.app_id: app for app in everything.apps}


async def test_a_real_follower_stands_by() -> None:
    async with replaying({PING: as_sent(FOLLOWER["ping"])}) as controller:
        ping = await controller.ping()
    assert ping.standing is Standing.STANDS_BY
    assert "This node is not the leader controller" in ping.message


async def test_a_real_refusal_of_credentials_is_recognised() -> None:
    async with replaying({PING: as_sent(AUTH["leader /apis/v1/ping wrong"])}) as controller:
        ping = await controller.ping()
    assert ping.denied
    assert ping.standing is Standing.UNWELL


async def test_a_real_page_for_an_unknown_path_is_not_a_leader() -> None:
    async with replaying({PING: as_sent(LEADER["unknown-path"])}) as controller:
        ping = await controller.ping()
    assert ping.standing is Standing.UNWELL
    assert "404" in ping.message
