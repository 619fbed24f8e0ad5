"""Which certificates a client of Drove trusts, and what a failed connection reports."""

import ssl
from pathlib import Path

import pytest
from tests.drove.client_bench import APPS, NOBODY, PONG, TLS, answering, asking, endpoints, serving

from drove_gateway.drove.leader import Standing
from drove_gateway.drove.session import open_session
from drove_gateway.model.errors import ConfigError, ControllerDown


@pytest.fixture
def certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    return context


async def test_a_certificate_is_verified(certificate: ssl.SSLContext) -> None:
    async with serving(answering(APPS), certificate) as url, asking(url) as controller:
        with pytest.raises(ControllerDown, match="certificate is not trusted"):
            await endpoints(controller)
        assert (await controller.ping()).standing is Standing.UNWELL


async def test_a_certificate_of_the_configured_ca_is_trusted(certificate: ssl.SSLContext) -> None:
    ca = str(TLS / "ca.pem")
    async with (
        serving(answering(APPS), certificate) as url,
        asking(url, tls_ca_file=ca) as controller,
    ):
        assert len((await endpoints(controller)).apps) == 1


async def test_a_certificate_for_another_name_is_not_trusted(certificate: ssl.SSLContext) -> None:
    ca = str(TLS / "ca.pem")
    async with (
        serving(answering(APPS), certificate, host="127.0.0.2") as url,
        asking(url, tls_ca_file=ca) as controller,
    ):
        with pytest.raises(ControllerDown, match="certificate is not trusted"):
            await endpoints(controller)


async def test_verification_can_be_switched_off(certificate: ssl.SSLContext) -> None:
    async with (
        serving(answering(APPS), certificate) as url,
        asking(url, tls_skip_verify=True) as controller,
    ):
        assert len((await endpoints(controller)).apps) == 1


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    ca = tmp_path / "ca.pem"
    if content:
        ca.write_text(content)
    with pytest.raises(ConfigError, match=r"tls_ca_file: .*ca\.pem cannot be used"):
        open_session(NOBODY, tls_ca_file=str(ca))


async def test_a_refused_connection_says_what_to_check() -> None:
    async with serving(answering(PONG)) as url:
        gone = url
    async with asking(gone) as controller:
        with pytest.raises(ControllerDown, match="nothing listens there; check host and port"):
            await controller.events(0)


async def test_a_host_name_that_cannot_be_resolved_is_named() -> None:
    async with asking("http://nowhere.invalid:10000") as controller:
        with pytest.raises(ControllerDown, match=r"nowhere\.invalid cannot be resolved.*`drove`"):
            await controller.events(0)


async def test_a_certificate_that_is_not_trusted_names_the_keys_to_set(
    certificate: ssl.SSLContext,
) -> None:
    async with serving(answering(APPS), certificate) as url, asking(url) as controller:
        with pytest.raises(ControllerDown, match=r"`tls_ca_file`.*`tls_skip_verify = true`"):
            await controller.events(0)


async def test_tls_to_a_plain_port_is_said() -> None:
    async with (
        serving(answering(APPS)) as url,
        asking(url.replace("http:", "https:")) as controller,
    ):
        with pytest.raises(ControllerDown, match=r"does not speak TLS.*write http://"):
            await controller.events(0)
