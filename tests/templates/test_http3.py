"""HTTP/3, with the proxies whose build has it: those of newer Debian releases."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.templates import http3
from tests.templates.edge import Edge, certificate, has_ipv6, hosts, programs, running, vhosts
from tests.templates.instances import Instance
from tests.traffic import free_port

NAMES = (
    ("haproxy", "haproxy-newer"),
    ("haproxy-header-routing", "haproxy-newer"),
    ("nginx", "nginx-newer"),
    ("nginx-header-routing", "nginx-newer"),
    ("nginx-plus", "nginx-newer"),
)


@pytest.fixture(params=NAMES, ids="+".join)
def edge(request: pytest.FixtureRequest, short_path: Path) -> Iterator[Edge]:
    """A proxy that listens for HTTP/3."""
    name, proxy = request.param
    program = programs().get(proxy)
    if program is None:
        pytest.skip(f"{proxy} cannot be installed on this machine")
    short_path.chmod(0o755)
    directory = short_path / "certificates"
    directory.mkdir()
    for stem in ("default", "web.local"):
        certificate(directory, stem, stem)
    variables = {
        "TLS_CERTIFICATES": str(directory),
        "PROXY_HTTPS_PORT": str(free_port()),
        "HTTP3": "on",
    }
    instance = Instance("one")
    with running(name, program, short_path, vhosts(web=hosts(instance)), variables) as started:
        yield started
    instance.stop()


async def test_http_3_is_announced_and_served(edge: Edge) -> None:
    announced = edge.get("web.local", tls=True).headers["alt-svc"]
    assert f'h3=":{edge.https_port}"' in announced
    for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
        headers, body = await http3.get(edge.https_port, "web.local", "/told", address)
        received = json.loads(body)
        assert (headers[":status"], received["name"]) == ("200", "one")
        assert (received["host"], received["x-forwarded-proto"]) == ("web.local", "https")


async def test_unknown_vhost_is_404_over_http_3(edge: Edge) -> None:
    headers, body = await http3.get(edge.https_port, "nobody.local", "/")
    assert headers[":status"] == "404"
    assert b"no such vhost" in body
