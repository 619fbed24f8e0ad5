"""Reading a directory of certificates: what can be used, until when, and what is wrong."""

import contextlib
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.certificates import write_certificate

from drove_gateway.proxies.certificates.directory import CertificateDirectory
from drove_gateway.proxies.certificates.pem import CertificateError, certificate


def test_a_certificate_has_its_fingerprint_and_its_end(tmp_path: Path) -> None:
    file = tmp_path / "web.pem"
    fingerprint = write_certificate(file, "web.example", days=30)
    found = CertificateDirectory(tmp_path).read().certificates[str(file)]
    assert found.fingerprint == fingerprint
    assert found.expires == pytest.approx(time.time() + 30 * 86400, abs=120)


def test_an_end_after_2049_is_read(tmp_path: Path) -> None:
    """Such an end is written in another form."""
    write_certificate(tmp_path / "web.pem", "web.example", days=20_000)
    (found,) = CertificateDirectory(tmp_path).read().certificates.values()
    assert found.expires == pytest.approx(time.time() + 20_000 * 86400, abs=120)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "it has no certificate", id="empty"),
        pytest.param("rubbish", "it has no certificate", id="no PEM"),
        pytest.param(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "its certificate cannot be decoded",
            id="no certificate within",
        ),
    ],
)
def test_a_text_without_a_certificate_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CertificateError, match=problem):
        certificate(text)


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_read(der: bytes) -> None:
    with contextlib.suppress(CertificateError):
        certificate(ssl.DER_cert_to_PEM_cert(der))


def test_a_broken_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write_certificate(tmp_path / "good.pem", "good.example")
    good = (tmp_path / "good.pem").read_text()
    write_certificate(tmp_path / "other.pem", "other.example")
    (tmp_path / "keyless.pem").write_text(good.partition("-----BEGIN PRIVATE")[0])
    certificate_alone, key = good.partition("-----BEGIN PRIVATE")[0], "-----BEGIN PRIVATE"
    other_key = (tmp_path / "other.pem").read_text().partition(key)[2]
    (tmp_path / "mixed.pem").write_text(certificate_alone + key + other_key)
    files = CertificateDirectory(tmp_path).read()
    assert sorted(Path(name).name for name in files.certificates) == ["good.pem", "other.pem"]
    assert {Path(name).name for name in files.problems} == {"keyless.pem", "mixed.pem"}
    assert "key values mismatch" in files.problems[str(tmp_path / "mixed.pem")]


def test_an_encrypted_key_is_a_problem_and_asks_nobody(tmp_path: Path) -> None:
    write_certificate(tmp_path / "web.pem", "web.example")
    text = (tmp_path / "web.pem").read_text()
    key = subprocess.run(
        ["openssl", "pkey", "-aes128", "-passout", "pass:secret"],
        input=text,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    (tmp_path / "web.pem").write_text(text.partition("-----BEGIN PRIVATE")[0] + key)
    files = CertificateDirectory(tmp_path).read()
    assert list(files.problems.values()) == ["its private key is encrypted"]


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        CertificateDirectory(tmp_path / "none").read()
    assert raised.value.strerror == "No such file or directory"


def test_a_directory_that_cannot_be_listed_is_not_empty(tmp_path: Path) -> None:
    """Otherwise all its certificates would count as deleted. A link to itself cannot be listed,
    not even by root."""
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match="symbolic links"):
        CertificateDirectory(circle).read()


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """Programs write under such names what they rename when it is complete."""
    (tmp_path / ".web.pem").write_text("incomplete")
    files = CertificateDirectory(tmp_path).read()
    assert files.names == frozenset()


def test_a_private_key_is_not_shown(tmp_path: Path) -> None:
    write_certificate(tmp_path / "web.pem", "web.example")
    (found,) = CertificateDirectory(tmp_path).read().certificates.values()
    assert "PRIVATE" in found.pem
    assert "PRIVATE" not in repr(found)
