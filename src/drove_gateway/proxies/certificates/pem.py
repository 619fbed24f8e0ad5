"""Read from a PEM file what the gateway needs of a certificate: its end, and its fingerprint. Pure.

Only the validity is decoded (RFC 5280, 4.1): the proxy itself judges everything else.
"""

import hashlib
import re
import ssl
from datetime import UTC, datetime

import msgspec

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", re.ASCII)
_SEQUENCE, _VERSION = 0x30, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18


class CertificateError(ValueError):
    """A file that does not hold a certificate; the text says why."""


class Certificate(msgspec.Struct, frozen=True):
    """A file's certificate. `pem` is the whole file without blank lines and holds the private key.

    `fingerprint` is the SHA-1 of the certificate in capital hexadecimal digits, as HAProxy shows
    it; `expires` is its end in Unix seconds.
    """

    pem: str
    fingerprint: str
    expires: float

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint})"


def certificate(text: str) -> Certificate:
    """Return the first certificate of a PEM file. Raises CertificateError."""
    found = _CERTIFICATE.search(text)
    if found is None:
        raise CertificateError("it has no certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(found[0])
        expires = _not_after(der)
    except (ValueError, IndexError) as error:
        raise CertificateError("its certificate cannot be decoded") from error
    pem = "\n".join(line for line in text.splitlines() if line.strip())
    return Certificate(pem, hashlib.sha1(der).hexdigest().upper(), expires)  # noqa: S324


def _not_after(der: bytes) -> float:
    """Return when a certificate ends. Raises ValueError or IndexError."""
    _, body = _elements(der)[0]
    _, signed = _elements(body)[0]
    fields = [(tag, value) for tag, value in _elements(signed) if tag != _VERSION]
    # Serial number, signature algorithm, issuer, validity.
    tag, validity = fields[3]
    if tag != _SEQUENCE:
        raise ValueError("no validity")
    tag, value = _elements(validity)[1]
    text = value.decode("ascii")
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(tag)
    if form is None:
        raise ValueError("no time")
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Return tag and value of each DER element. Raises ValueError or IndexError."""
    elements: list[tuple[int, bytes]] = []
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(der[at : at + octets])
            at += octets
        if at + length > len(der):
            raise ValueError("an element is longer than its place")
        elements.append((tag, der[at : at + length]))
        at += length
    return elements
