"""When certificates expire and which servers they name, read from PEM and DER."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.files.certificate import (
    UnreadableCertificate,
    expiries,
    expiry,
    server_names,
)

PEM = Path("tests/drove/tls/server.pem").read_text()
CA = Path("tests/drove/tls/ca.pem").read_text()
DER = ssl.PEM_cert_to_DER_cert(PEM)
END = datetime(2126, 10, 29, 20, 28, 57, tzinfo=UTC)


def test_the_end_of_a_certificate_is_read() -> None:
    assert expiry(DER) == END


def test_the_names_are_those_of_the_servers_and_the_common_name() -> None:
    assert server_names(DER) == ("localhost", "127.0.0.1")


def test_a_certificate_without_alternative_names_has_its_common_name() -> None:
    assert server_names(ssl.PEM_cert_to_DER_cert(CA)) == ("drove-gateway test ca",)


def test_each_certificate_of_a_chain_is_read_and_keys_are_passed_over() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"

    assert list(expiries(f"{key}{PEM}{CA}")) == [END, expiry(ssl.PEM_cert_to_DER_cert(CA))]
    assert list(expiries(key)) == []


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff\x00", DER[:100], b"\x00" * 500])
def test_what_is_not_a_certificate_is_an_error_that_says_so(der: bytes) -> None:
    with pytest.raises(UnreadableCertificate, match="not a certificate"):
        expiry(der)


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_certificate_with_a_wrong_byte_is_read_or_refused(position: int, byte: int) -> None:
    broken = bytearray(DER)
    broken[position] = byte

    assert all(isinstance(name, str) for name in server_names(bytes(broken)))
    try:
        expiry(bytes(broken))
    except UnreadableCertificate:
        return


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail_otherwise(data: bytes) -> None:
    assert server_names(data) == ()
    with pytest.raises(UnreadableCertificate):
        expiry(data)


def test_a_pem_that_is_not_base64_is_refused() -> None:
    with pytest.raises(UnreadableCertificate):
        list(expiries(PEM.replace("M", "!")))
