"""Controllers that speak HTTPS."""

import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    path = tmp_path / "controller.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=drove", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(
            [*command.split(), *names, "-keyout", path, "-out", tmp_path / "cert"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_text(path.read_text() + (tmp_path / "cert").read_text())
    return path


async def test_controllers_speak_https(client: Client, certificate: Path) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with Simulator(Options(tls=server, real=False)) as sim:
        assert all(url.startswith("https://127.0.0.1:") for url in sim.urls)
        assert (await client.ask(sim, "ping", ssl=trusting)).data == "pong"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.ask(sim, "ping")
        await sim.stop_controller(0)
        assert (await client.ask(sim, "ping", ssl=trusting)).data == "pong"
