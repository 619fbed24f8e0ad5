"""Every shipped template with every proxy of this machine, for the behaviour table."""

import asyncio
import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from tests import newer_debian
from tests.proxies.nginx.lua.rig import MODULES, PROGRAM
from tests.templates.instances import Instance
from tests.templates.serving import Shipped, app, topology
from tests.traffic import free_port

from drove_gateway.config import Settings
from drove_gateway.demo.proxy import find_program
from drove_gateway.model.vocabulary import Host, Topology
from drove_gateway.templates import NAMES

_SECONDS = 20.0


class Answer(msgspec.Struct, frozen=True):
    """A response: its status, its headers in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def told(self) -> Mapping[str, str]:
        """What an instance says that it received."""
        received: Mapping[str, str] = json.loads(self.body)
        return received


def programs() -> Mapping[str, Path]:
    """Each proxy that can run here: the wheels', Debian's own, and those of newer releases."""
    found = {f"{kind}-wheel": find_program(kind, None) for kind in ("haproxy", "nginx")}
    for kind in ("haproxy", "nginx"):
        if system := shutil.which(kind, path="/usr/sbin"):
            found[f"{kind}-system"] = Path(system)
    if (MODULES / "ngx_http_lua_module.so").exists():
        found["nginx-with-lua"] = PROGRAM
    for kind, unpacked in (("haproxy", newer_debian.haproxy), ("nginx", newer_debian.nginx)):
        if not isinstance(newer := unpacked(), str):
            found[f"{kind}-newer"] = newer.command
    return found


def pairs() -> list[tuple[str, str]]:
    """Return each template with each proxy that it is for, by their names."""
    kinds = ("wheel", "system", "newer")
    names = [name for name in NAMES if not name.startswith("nginx-lua")]
    found = [(name, f"{name.partition('-')[0]}-{kind}") for name in names for kind in kinds]
    return found + [(name, "nginx-with-lua") for name in NAMES if name not in names]


def certificate(directory: Path, name: str, *names: str) -> Path:
    """Write a self-signed certificate with its key, for `names`, as NAME.pem."""
    file, key = directory / f"{name}.pem", directory / f"{name}.key.tmp"
    alternatives = ",".join(f"DNS:{each}" for each in names)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={names[0]}", "-keyout", key, "-out", file),
            *("-addext", f"subjectAltName={alternatives}"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    file.write_text(file.read_text() + key.read_text())
    key.unlink()
    return file


class Edge:
    """A running proxy, and requests to it."""

    def __init__(self, shipped: Shipped, https_port: int = 0) -> None:
        self.shipped = shipped
        self.https_port = https_port

    def get(
        self,
        vhost: str,
        path: str = "/told",
        *,
        method: str = "GET",
        body: str | None = None,
        tls: bool = False,
        source: str = "127.0.0.1",
        preamble: bytes = b"",
        address: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        """Send a request on a connection of its own."""
        connection = self._connect(vhost if tls else None, address, source, preamble)
        client = http.client.HTTPConnection("127.0.0.1", timeout=_SECONDS)
        client.sock = connection
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(client):
            client.request(method, path, body, {"Host": vhost, **named})
            response = client.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())

    def tls(
        self,
        name: str | None,
        *,
        newest: ssl.TLSVersion | None = None,
        ciphers: str = "",
        alpn: tuple[str, ...] = (),
        address: str = "127.0.0.1",
    ) -> ssl.SSLSocket:
        """Return a TLS connection that names `name`. Raises ssl.SSLError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if newest:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = newest
        if ciphers:
            context.set_ciphers(ciphers)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        plain = socket.create_connection((address, self.https_port), timeout=_SECONDS)
        try:
            return context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def certificate(self, name: str | None) -> bytes:
        """Return the certificate that a client gets that names `name`."""
        with self.tls(name) as connection:
            return connection.getpeercert(binary_form=True) or b""

    def _connect(
        self, name: str | None, address: str, source: str, preamble: bytes
    ) -> socket.socket:
        if name:
            return self.tls(name, address=address)
        plain = socket.create_connection(
            (address, self.shipped.port),
            timeout=_SECONDS,
            source_address=None if ":" in address else (source, 0),
        )
        plain.sendall(preamble)
        return plain


@contextlib.contextmanager
def running(
    name: str,
    program: Path,
    directory: Path,
    desired: Topology,
    variables: Mapping[str, str],
    settings: Settings | None = None,
) -> Iterator[Edge]:
    """Run a proxy with a shipped template until the block ends."""
    variables = {"NGINX_API_PORT": str(free_port()), **variables}
    shipped = Shipped(name, program, directory, free_port(), free_port(), variables)
    text = asyncio.run(shipped.write(desired, settings))
    if name == "nginx-plus":
        shipped.config.write_text(_without_plus(text, desired))
    with (directory / "proxy.log").open("wb") as log:
        process = subprocess.Popen(shipped.run, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(shipped, process)
        yield Edge(shipped, int(variables.get("PROXY_HTTPS_PORT", 0)))
    finally:
        process.terminate()
        process.wait(_SECONDS)


def has_ipv6() -> bool:
    """Whether this machine has IPv6 on its loopback interface."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def hosts(*instances: Instance) -> tuple[Host, ...]:
    """Return where instances listen."""
    return tuple(Host("127.0.0.1", each.port, "http") for each in instances)


def refused(number: int) -> tuple[Host, ...]:
    """Return hosts at which nothing listens."""
    return tuple(Host(f"127.0.9.{count + 1}", 9, "http") for count in range(number))


def vhosts(**by_name: tuple[Host, ...]) -> Topology:
    """Return a topology of vhosts `NAME.local`."""
    return topology(*(app(f"{name}.local", *found) for name, found in by_name.items()))


def _without_plus(text: str, desired: Topology) -> str:
    """Write the servers that NGINX Plus takes from its API into the file, for an NGINX without."""

    def servers(match: re.Match[str]) -> str:
        found = desired.apps[match[1]].hosts
        return " ".join(f"server {each.host}:{each.port} max_fails=0;" for each in found)

    text = re.sub(r"state \S*/([^/]+)\.conf;", servers, text)
    return text.replace("api write=on;", "return 200;")


def _wait_for(shipped: Shipped, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        log = (shipped.directory / "proxy.log").read_text()
        assert process.poll() is None, f"the proxy ended:\n{log}\n{shipped.config.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", shipped.proof), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log
            time.sleep(0.01)
        else:
            return
