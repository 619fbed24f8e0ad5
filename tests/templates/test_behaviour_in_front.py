"""What each shipped template does with load balancers, ACME and gRPC: proxies of their own."""

from pathlib import Path

from tests.templates import http2
from tests.templates.behind_the_edge import Bench
from tests.templates.edge import (
    certificate,
    running,
    vhosts,
)
from tests.traffic import free_port

from drove_gateway.config import Settings
from drove_gateway.model.vocabulary import Host


def test_proxy_protocol_tells_the_clients_address(
    pair: tuple[str, Path], bench: Bench, short_path: Path
) -> None:
    short_path.chmod(0o755)
    with running(*pair, short_path, bench.desired, {"PROXY_PROTOCOL": "on"}) as edge:
        line = b"PROXY TCP4 203.0.113.9 127.0.0.1 5555 80\r\n"
        received = edge.get("web.local", preamble=line).told
    assert received["x-forwarded-for"] == "203.0.113.9"


def test_headers_are_believed_by_the_address_that_the_proxy_protocol_states(
    pair: tuple[str, Path], bench: Bench, short_path: Path
) -> None:
    """A load balancer that passes TCP connections on passes on what clients write into headers."""
    short_path.chmod(0o755)
    variables = {"PROXY_PROTOCOL": "on", "TRUSTED_PROXIES": "127.0.0.1 10.0.0.0/8"}
    believed = {}
    with running(*pair, short_path, bench.desired, variables) as edge:
        for source in ("203.0.113.9", "10.1.2.3"):
            line = f"PROXY TCP4 {source} 127.0.0.1 5555 80\r\n".encode()
            answer = edge.get(
                "web.local", preamble=line, X_Forwarded_Proto="wss", X_Forwarded_For="192.0.2.1"
            )
            believed[source] = answer.told["x-forwarded-proto"]
            assert ("192.0.2.1" in answer.told["x-forwarded-for"]) == (source == "10.1.2.3")
    assert believed == {"203.0.113.9": "http", "10.1.2.3": "wss"}


def test_acme_challenges_of_every_name_are_passed_on_before_there_is_tls(
    pair: tuple[str, Path], bench: Bench, short_path: Path
) -> None:
    short_path.chmod(0o755)
    variables = {"ACME_ADDRESS": f"127.0.0.1:{bench.acme.port}"}
    with running(*pair, short_path, bench.desired, variables) as edge:
        for vhost in ("web.local", "new.local", "raw.local", "dead.local"):
            answer = edge.get(vhost, "/.well-known/acme-challenge/token")
            assert answer.told["name"] == bench.acme.name
        assert edge.get("new.local").status == 404


def test_grpc_call_passes(pair: tuple[str, Path], short_path: Path) -> None:
    """HAProxy must know that servers without TLS speak HTTP/2; NGINX sees it in the call."""
    name, _ = pair
    instance = http2.GrpcInstance("grpc")
    short_path.chmod(0o755)
    settings = Settings(
        proxy_platform="nginx" if name.startswith("nginx") else "haproxy",
        haproxy_add_server_attributes_string="proto h2",
    )
    directory = short_path / "certificates"
    directory.mkdir()
    certificate(directory, "default", "grpc.local")
    variables = {"TLS_CERTIFICATES": str(directory), "PROXY_HTTPS_PORT": str(free_port())}
    desired = vhosts(grpc=(Host("127.0.0.1", instance.port, "http"),))
    call = {
        ":method": "POST",
        ":scheme": "https",
        ":path": "/greeter/hello",
        ":authority": "grpc.local",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    try:
        with (
            running(*pair, short_path, desired, variables, settings) as edge,
            edge.tls("grpc.local", alpn=("h2",)) as connection,
        ):
            fine, everything = http2.request(connection, call, b"\0\0\0\0\0")
    finally:
        instance.stop()
    assert fine
    assert b"\0\0\0\0\4grpc" in everything
