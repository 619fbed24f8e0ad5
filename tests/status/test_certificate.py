"""Which certificate a client of a vhost gets."""

import pytest

from drove_gateway.model.health import CertificateHealth
from drove_gateway.proxies.certificates.pem import Certificate
from drove_gateway.proxies.certificates.sni import names_of_certificate, names_of_file
from drove_gateway.status.certificate import PresentedCertificate, presented_certificate


def file(name: str, *names: str) -> CertificateHealth:
    return CertificateHealth(name, expires=1_800_000_000.0, names=names)


FILES = (
    file("default.pem", "default", "*"),
    file("deep.pem", ".deep.example.com"),
    file("web.pem", "web.example.com"),
    file("wild.pem", "*.example.com"),
)


@pytest.mark.parametrize(
    ("vhost", "chosen"),
    [
        pytest.param("web.example.com", "web.pem", id="its own before a wildcard"),
        pytest.param("api.example.com", "wild.pem", id="a wildcard for one label"),
        pytest.param("a.b.example.com", "default.pem", id="and for no more"),
        pytest.param("a.deep.example.com", "deep.pem", id="a wildcard for any depth"),
        pytest.param("a.b.deep.example.com", "deep.pem", id="at any depth"),
        pytest.param("other.org", "default.pem", id="the default for all others"),
        pytest.param("localhost", "default.pem", id="a name of one label"),
    ],
)
def test_the_closest_name_is_chosen(vhost: str, chosen: str) -> None:
    found = presented_certificate(vhost, FILES)

    assert found is not None
    assert found.file == chosen
    assert found.is_default == (chosen == "default.pem")


def test_without_a_file_for_the_name_nothing_is_known() -> None:
    assert presented_certificate("other.org", FILES[1:]) is None
    assert presented_certificate("other.org", ()) is None


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (PresentedCertificate("web.pem", 1_800_000_000.0), "web.pem, expires on 2027-01-15"),
        (PresentedCertificate("web.pem", None, "it is empty"), "web.pem, it is empty"),
        (
            PresentedCertificate("d.pem", 1_800_000_000.0, is_default=True),
            "the default, d.pem, because no other is for this name, expires on 2027-01-15",
        ),
    ],
)
def test_a_line_says_which_file_until_when_and_what_is_wrong(
    found: PresentedCertificate, text: str
) -> None:
    assert found.text == text


def test_haproxy_chooses_by_the_names_in_the_certificate() -> None:
    names = ("web.example.com", "*.example.com")

    assert names_of_certificate("any.pem", Certificate("", "", 0.0, names)) == names
    assert names_of_certificate("any.pem", None) == ()


def test_the_templates_of_nginx_choose_by_the_names_of_files() -> None:
    other = Certificate("", "", 0.0, ("other.example.com",))

    assert names_of_file("/etc/tls/Web.example.com.pem", other) == ("web.example.com",)
    assert names_of_file("/etc/tls/_.example.com.pem", None) == (".example.com",)
