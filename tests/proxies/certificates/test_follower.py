"""Following a directory of certificates: what is sent, what is reported, and what is logged."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import structlog
from tests.certificates import write_certificate
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.certificates.directory import CertificateFiles
from drove_gateway.proxies.certificates.follower import Certificates


class Carrier:
    """A proxy that refuses the files in `refused`; it is down while `down` is set."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.down = False
        self.has: Mapping[str, str] = {}
        self.looks = 0

    async def bring(self, directory: Path, files: CertificateFiles) -> Mapping[str, str]:
        del directory
        self.looks += 1
        if self.down:
            raise RuntimeApiError("no process listens there")
        self.has = {Path(name).name: c.fingerprint for name, c in files.certificates.items()}
        return {name: why for name, why in self.refused.items() if name in files.certificates}

    async def looked(self) -> None:
        """Wait until a look that begins now has ended."""
        looks = self.looks
        await until(lambda: self.looks >= looks + 2)


class Run:
    """A follower of `directory`; `demands` are the reasons for a new configuration."""

    def __init__(self, directory: Path, carrier: Carrier | None) -> None:
        self.demands: list[str] = []
        self.certificates = Certificates(
            directory,
            carrier,
            clock=time.time,
            log=EventLog(structlog.get_logger()),
            default=directory / "web.pem",
            interval=0.01,
        )

    @property
    def message(self) -> str:
        return self.certificates.section().message

    async def become(self, part: str) -> None:
        await until(lambda: part in self.message)


@contextlib.asynccontextmanager
async def following(directory: Path, carrier: Carrier | None) -> AsyncIterator[Run]:
    run = Run(directory, carrier)
    task = asyncio.create_task(run.certificates.run(run.demands.append))
    try:
        yield run
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "certificates"
    directory.mkdir()
    write_certificate(directory / "web.pem", "web.example")
    return directory


async def test_a_directory_that_is_gone_for_a_while_changes_nothing(directory: Path) -> None:
    carrier = Carrier()
    async with following(directory, carrier) as run:
        await run.become("OK: 1 certificates")
        had = carrier.has
        directory.rename(directory.with_name("elsewhere"))
        await run.become("cannot be read: No such file or directory")
        assert not run.certificates.section().healthy
        assert carrier.has == had
        directory.with_name("elsewhere").rename(directory)
        await run.become("OK: 1 certificates")


async def test_without_a_carrier_a_directory_that_is_gone_demands_no_configuration(
    directory: Path,
) -> None:
    async with following(directory, None) as run:
        await run.become("OK: 1 certificates")
        directory.rename(directory.with_name("elsewhere"))
        await run.become("cannot be read")
        directory.with_name("elsewhere").rename(directory)
        await run.become("OK: 1 certificates")
        assert run.demands == []
        write_certificate(directory / "new.pem", "new.example")
        await until(lambda: len(run.demands) == 1)
        assert run.demands[0].endswith("came or went: new.pem")


async def test_each_file_has_the_names_that_it_is_presented_for(directory: Path) -> None:
    async with following(directory, None) as run:
        await run.become("OK: 1 certificates")
        (found,) = run.certificates.health()
        assert found.names == ("web.example", "*")


async def test_a_renewal_is_logged_when_the_proxy_has_accepted_it(directory: Path) -> None:
    carrier, web = Carrier(), directory / "web.pem"
    with structlog.testing.capture_logs() as lines:
        async with following(directory, carrier) as run:
            await run.become("OK: 1 certificates")
            carrier.refused = {str(web): "HAProxy is busy"}
            write_certificate(web, "web.example")
            await run.become("web.pem: HAProxy is busy")
            await carrier.looked()
            assert [line["event"] for line in lines] == ["certificate_refused"]
            carrier.refused = {}
            await run.become("OK: 1 certificates")
            await carrier.looked()
    assert [line["event"] for line in lines] == ["certificate_refused", "certificate_renewed"]


async def test_a_proxy_that_is_down_gets_its_certificates_when_it_is_back(directory: Path) -> None:
    carrier = Carrier()
    carrier.down = True
    with structlog.testing.capture_logs() as lines:
        async with following(directory, carrier) as run:
            await run.become("certificates cannot be sent yet: no process listens there")
            await carrier.looked()
            carrier.down = False
            await run.become("OK: 1 certificates")
    assert carrier.has.keys() == {"web.pem"}
    assert [line["event"] for line in lines] == ["certificates_not_followed"]


@pytest.mark.parametrize(
    ("carrier", "event", "consequence"),
    [
        pytest.param(Carrier(), "certificate_refused", False, id="brought by the gateway"),
        pytest.param(None, "certificate_broken", True, id="read by the proxy itself"),
    ],
)
async def test_health_says_what_a_broken_file_means(
    directory: Path, carrier: Carrier | None, event: str, consequence: bool
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with following(directory, carrier) as run:
            await run.become("OK: 1 certificates")
            (directory / "web.pem").write_text("broken")
            await run.become("web.pem: it has no certificate")
            assert not run.certificates.section().healthy
            assert ("handshakes for its names may fail" in run.message) == consequence
    assert [line["event"] for line in lines] == [event]
