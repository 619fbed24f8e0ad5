"""What the template nginx-lua does beyond the behaviour table: its balancer learns of failures."""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.proxies.nginx.lua.rig import lua_program
from tests.templates.edge import hosts, refused, running, vhosts
from tests.templates.instances import Instance
from tests.templates.serving import Shipped, app, topology

from drove_gateway.model.spelling import valid_vhost
from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.nginx.lua.vhost_blocks import blocks_of
from drove_gateway.templates import NAMES

_SECONDS = 20.0
# Every worker has served some of them.
_REQUESTS = 24


def peer_states(directory: Path, upstream: str) -> Mapping[str, str]:
    """Return the states of an upstream's servers, by address, as the API shows them."""
    client = http.client.HTTPConnection("api")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(_SECONDS)
    client.sock.connect(str(directory / "api.sock"))
    try:
        client.request("GET", f"/api/9/http/upstreams/{upstream}")
        peers = json.loads(client.getresponse().read())["peers"]
    finally:
        client.close()
    return {peer["server"]: peer["state"] for peer in peers}


def await_states(directory: Path, upstream: str, expected: Mapping[str, str]) -> None:
    """Wait for the states; NGINX judges a request after its response was sent."""
    deadline = time.monotonic() + _SECONDS
    while (states := peer_states(directory, upstream)) != expected:
        assert time.monotonic() < deadline, states
        time.sleep(0.01)


def test_server_that_refuses_connections_is_left_out(short_path: Path) -> None:
    short_path.chmod(0o755)
    alive, dead = Instance("alive"), refused(1)
    desired = vhosts(web=(*dead, *hosts(alive)))
    with running("nginx-lua", lua_program(), short_path, desired, {}) as edge:
        for _ in range(_REQUESTS):
            assert edge.get("web.local").status == 200
        alive_address, dead_address = f"127.0.0.1:{alive.port}", f"{dead[0].host}:{dead[0].port}"
        await_states(short_path, "web.local", {alive_address: "up", dead_address: "unavail"})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_server_that_closes_connections_without_a_response_is_left_out(
    short_path: Path, method: str
) -> None:
    short_path.chmod(0o755)
    instances = [Instance("first"), Instance("second")]
    desired = vhosts(web=hosts(*instances))
    with running("nginx-lua", lua_program(), short_path, desired, {}) as edge:
        for _ in range(2):
            assert edge.get("web.local", "/crash", method=method).status == 502
        left_out = {f"127.0.0.1:{each.port}": "unavail" for each in instances}
        await_states(short_path, "web.local", left_out)


def test_when_no_server_can_be_reached_all_are_left_out(short_path: Path) -> None:
    short_path.chmod(0o755)
    dead = refused(3)
    with running("nginx-lua", lua_program(), short_path, vhosts(web=dead), {}) as edge:
        assert edge.get("web.local").status == 503
        left_out = {f"{host.host}:{host.port}": "unavail" for host in dead}
        await_states(short_path, "web.local", left_out)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("nginx-lua")])
async def test_vhosts_without_lines_of_their_own_share_a_server_block(
    name: str, tmp_path: Path
) -> None:
    program = tmp_path / "nginx"
    program.write_text("#!/bin/sh\necho nginx version: nginx/1.22.1 >&2\n")
    program.chmod(0o755)
    shipped = Shipped(name, program, tmp_path, 8080, 6081)
    plain = [app(f"plain{number}.local", Host("10.0.0.1", 80, "http")) for number in range(20)]
    others = [
        app("*.wild.local", Host("10.0.0.2", 80, "http")),
        app("secure.local", Host("10.0.0.3", 443, "https")),
    ]

    few = await shipped.write(topology(*plain[:1], *others))
    many = await shipped.write(topology(*plain, *others))

    assert few.count("location ") == many.count("location ")
    listed = [block.names for block in blocks_of(many) if "plain0.local" in block.names]
    assert [len(names) for names in listed] == [1 + len(plain)]
    alone = [block.names for block in blocks_of(many) if len(block.names) == 1]
    assert {("*.wild.local",), ("secure.local",)} <= set(alone)


def test_no_vhost_can_have_the_name_of_an_upstream_that_is_not_a_vhosts(short_path: Path) -> None:
    short_path.chmod(0o755)
    desired = vhosts(web=refused(1))
    with running("nginx-lua", lua_program(), short_path, desired, {}) as edge:
        blocks = blocks_of(edge.shipped.config.read_text())
        others = {block.upstream for block in blocks if block.upstream} - {"web.local"}
    assert others
    assert not any(map(valid_vhost, others))
