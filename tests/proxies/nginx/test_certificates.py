"""Certificates of a real NGINX: renewed by its own cache, new names by a reload."""

import asyncio
import contextlib
import getpass
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from tests.certificates import handshakes, served, write_certificate
from tests.proxies.installation.names import no_names
from tests.proxies.nginx_rig import TEMPLATE, Rig, rigged, topology
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.certificates.follower import Certificates
from drove_gateway.proxies.installation.reloading import ReloadingProxy

# As the shipped templates have it, with a shorter time.
_TLS = """\
    ssl_certificate_cache max=100 valid=1s;
    map $ssl_server_name $certificate {
        {{- range files "DIRECTORY/certificates" ".pem"}}
        "\\\\{{.}}" "DIRECTORY/certificates/{{.}}.pem";
        {{- end}}
        default "DIRECTORY/certificates/default.pem";
    }
    server {
        listen 127.0.0.1:TLS ssl;
        ssl_certificate $certificate;
        ssl_certificate_key $certificate;
        return 200;
    }
    {{- range .Apps}}
"""


class Driven:
    """A driver that applies what it is woken for."""

    def __init__(self, rig: Rig, port: int) -> None:
        self.port = port
        self.directory = rig.directory / "certificates"
        self.rig = rig
        certificates = Certificates(
            self.directory,
            None,
            clock=time.time,
            log=EventLog(structlog.get_logger()),
            interval=0.05,
        )
        self._proxy = ReloadingProxy(
            rig.installation(), no_names(), audit_interval=60, certificates=certificates
        )
        self._due = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._proxy.run(lambda _: self._due.set()))
            while True:
                await self._proxy.apply(self._proxy.plan(topology(web=1)))
                await self._due.wait()
                self._due.clear()


@pytest.fixture
async def driven(nginx: Path, short_path: Path) -> AsyncIterator[Driven]:
    async with rigged(nginx, short_path) as rig:
        port = free_port()
        tls = _TLS.replace("TLS", str(port))
        # The workers read the certificates.
        readable = TEMPLATE.replace("events {}", f"user {getpass.getuser()};\nevents {{}}")
        rig.write_template(readable.replace("    {{- range .Apps}}\n", tls))
        made = Driven(rig, port)
        made.directory.mkdir()
        write_certificate(made.directory / "default.pem", "default.example")
        write_certificate(made.directory / "web.example.pem", "web.example")
        task = asyncio.create_task(made.run())
        await rig.serves(web=1)
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_renewed_certificate_is_served_without_a_reload(driven: Driven) -> None:
    before = (await served(driven.port, "web.example"))[1]
    reloads = driven.rig.reloads
    async with handshakes(driven.port, "web.example") as seen:
        renewed = write_certificate(driven.directory / "web.example.pem", "web.example")
        await until(lambda: seen.fingerprints[renewed] > 20)
    assert seen.failures == []
    assert seen.fingerprints.keys() == {before, renewed}
    assert driven.rig.reloads == reloads


async def test_a_new_and_a_deleted_certificate_are_followed_by_reloads(driven: Driven) -> None:
    default = (await served(driven.port, "new.example"))[1]

    async def serves(fingerprint: str) -> bool:
        # Until the reload, NGINX refuses the name of a file that is gone.
        with contextlib.suppress(OSError):
            return await served(driven.port, "new.example") == (200, fingerprint)
        return False

    async with handshakes(driven.port, "web.example") as seen:
        new = write_certificate(driven.directory / "new.example.pem", "new.example")
        await until(lambda: serves(new))
        (driven.directory / "new.example.pem").unlink()
        await until(lambda: serves(default))
    assert seen.failures == []
