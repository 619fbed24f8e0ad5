"""Certificates come, change and go in a real HAProxy without a reload."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests import newer_debian
from tests.certificates import handshakes, served, write_certificate
from tests.proxies.haproxy.gateway import Gateway, app, topology
from tests.traffic import Instance
from tests.waiting import until

from drove_gateway.proxies.certificates.directory import CertificateFiles

Spawn = Callable[..., Awaitable[list[Instance]]]


@pytest.fixture(params=["installed", "newer"])
async def gateway(
    request: pytest.FixtureRequest, program: Path, short_path: Path, spawn: Spawn
) -> AsyncIterator[Gateway]:
    """A gateway whose HAProxy serves web.example by TLS, with the shipped template."""
    if request.param == "newer":
        found = newer_debian.haproxy()
        if isinstance(found, str):
            pytest.skip(f"no HAProxy 3.4 here: {found}")
        program = found.command
    directory = short_path / "certificates"
    directory.mkdir()
    write_certificate(directory / "default.pem", "default.example")
    write_certificate(directory / "web.pem", "web.example")
    made = Gateway(program, short_path, certificates=directory)
    (instance,) = await spawn(1)
    await made.start(topology(app("web.example", [instance]), app("new.example", [instance])))
    yield made
    await made.stop()


async def test_a_renewed_certificate_is_served_without_a_reload(gateway: Gateway) -> None:
    directory = gateway.certificates
    before = (await served(gateway.tls_port, "web.example"))[1]
    begun = len(gateway.reloads)
    async with handshakes(gateway.tls_port, "web.example") as seen:
        renewed = write_certificate(directory / "web.pem", "web.example")
        await until(lambda: seen.fingerprints[renewed] > 20)
        again = write_certificate(directory / "web.pem", "web.example")
        await until(lambda: seen.fingerprints[again] > 20)
    assert seen.failures == []
    assert seen.fingerprints.keys() <= {before, renewed, again}
    assert gateway.reloads[begun:] == []


async def test_a_new_certificate_is_served_and_a_deleted_one_is_not(gateway: Gateway) -> None:
    directory = gateway.certificates
    default = (await served(gateway.tls_port, "new.example"))[1]
    begun = len(gateway.reloads)

    async def serves(fingerprint: str) -> bool:
        return await served(gateway.tls_port, "new.example") == (200, fingerprint)

    new = write_certificate(directory / "new.pem", "new.example")
    await until(lambda: serves(new))
    (directory / "new.pem").unlink()
    await until(lambda: serves(default))
    assert gateway.reloads[begun:] == []


async def test_a_broken_file_changes_nothing_and_is_named(gateway: Gateway) -> None:
    directory = gateway.certificates
    before = await served(gateway.tls_port, "web.example")
    (directory / "web.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n")
    await until(lambda: "web.pem" in gateway.driver.health().certificates.message)
    renewed = write_certificate(directory / "default.pem", "default.example")

    async def others_follow() -> bool:
        return (await served(gateway.tls_port, "other.example"))[1] == renewed

    await until(others_follow)
    assert await served(gateway.tls_port, "web.example") == before
    assert not gateway.driver.health().certificates.healthy
    write_certificate(directory / "web.pem", "web.example")
    await until(lambda: gateway.driver.health().certificates.healthy)


async def test_another_chain_of_the_same_certificate_is_sent(gateway: Gateway) -> None:
    file = gateway.certificates / "web.pem"

    async def chain() -> str:
        shown = await gateway.haproxy.say(f"show ssl cert {file}")
        lines = [line for line in shown.splitlines() if line.startswith("Chain Subject")]
        return lines[0] if lines else ""

    assert "default.example" not in await chain()
    issuer = (gateway.certificates / "default.pem").read_text().partition("-----BEGIN PRIVATE")[0]
    whole = file.read_text() + "\n" + issuer
    fresh = file.with_suffix(".fresh")
    fresh.write_text(whole)
    fresh.replace(file)

    async def has_chain() -> bool:
        return "default.example" in await chain()

    await until(has_chain)


async def test_what_haproxy_refused_for_a_moment_is_sent_again(gateway: Gateway) -> None:
    """Another transaction, such as an operator's, has to end first."""
    directory = gateway.certificates
    before = (await served(gateway.tls_port, "web.example"))[1]
    pem = "\n".join(line for line in (directory / "web.pem").read_text().splitlines() if line)
    await gateway.haproxy.say(f"set ssl cert {directory / 'default.pem'} <<\n{pem}\n")
    renewed = write_certificate(directory / "web.pem", "web.example")
    await until(lambda: "web.pem" in gateway.driver.health().certificates.message)
    assert (await served(gateway.tls_port, "web.example"))[1] == before
    await gateway.haproxy.say(f"abort ssl cert {directory / 'default.pem'}")

    async def serves() -> bool:
        return (await served(gateway.tls_port, "web.example"))[1] == renewed

    await until(serves)
    await until(lambda: gateway.driver.health().certificates.healthy)


async def test_a_directory_that_became_empty_deletes_nothing(gateway: Gateway) -> None:
    """It is more likely a mount that is missing."""
    before = await served(gateway.tls_port, "web.example")
    await gateway.carrier.bring(gateway.certificates, CertificateFiles())
    assert await served(gateway.tls_port, "web.example") == before


async def test_a_certificate_of_an_earlier_run_is_followed_after_a_restart(
    gateway: Gateway,
) -> None:
    await gateway.end()
    renewed = write_certificate(gateway.certificates / "web.pem", "web.example")
    gateway.begin()

    async def serves() -> bool:
        return (await served(gateway.tls_port, "web.example"))[1] == renewed

    await until(serves)


async def test_a_chain_that_was_refused_is_sent_again(gateway: Gateway) -> None:
    """Its certificate has the fingerprint that HAProxy shows."""
    directory, say = gateway.certificates, gateway.haproxy.say
    default, web = directory / "default.pem", directory / "web.pem"
    pem = "\n".join(line for line in default.read_text().splitlines() if line)
    await until(lambda: gateway.driver.health().certificates.healthy)
    assert "created" in await say(f"set ssl cert {default} <<\n{pem}\n")
    issuer = default.read_text().partition("-----BEGIN PRIVATE")[0]
    fresh = web.with_suffix(".fresh")
    fresh.write_text(f"{web.read_text()}\n{issuer}")
    fresh.replace(web)
    await until(lambda: "web.pem" in gateway.driver.health().certificates.message)
    await say(f"abort ssl cert {default}")
    await until(lambda: gateway.driver.health().certificates.healthy)
    assert "Chain Subject: /CN=default.example" in await say(f"show ssl cert {web}")
