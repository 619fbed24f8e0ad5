"""When certificates expire and which servers they name, read without a library. Pure.

A certificate is DER (X.690); its validity and its subject are among the first elements of what is
signed, its extensions the last (RFC 5280, 4.1).
"""

import re
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\s*", re.DOTALL)
_CONSTRUCTED = 0x30
_VERSION = 0xA0
_EXTENSIONS = 0xA3
_DNS_NAME = 0x82
# The object identifiers 2.5.4.3 and 2.5.29.17.
_COMMON_NAME = b"\x55\x04\x03"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"
_TIMES = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}


class UnreadableCertificate(ValueError):
    """The bytes are not a certificate."""


def expiries(pem: str) -> Iterator[datetime]:
    """Yield when each certificate of `pem` expires, in order. Raises UnreadableCertificate."""
    for match in _PEM.finditer(pem):
        try:
            der = ssl.PEM_cert_to_DER_cert(match[0].strip())
        except ValueError as error:
            raise UnreadableCertificate("a certificate of the file is not base64") from error
        yield expiry(der)


def expiry(der: bytes) -> datetime:
    """Return when the certificate `der` expires. Raises UnreadableCertificate."""
    try:
        # The serial number, the algorithm, the issuer, the validity.
        tag, validity = _signed(der)[3]
        if tag != _CONSTRUCTED:
            raise UnreadableCertificate("a certificate has no validity")
        _, (kind, end) = _elements(validity)
        return datetime.strptime(end.decode("ascii"), _TIMES[kind]).replace(tzinfo=UTC)
    except (IndexError, KeyError, ValueError) as error:
        raise UnreadableCertificate("the bytes are not a certificate") from error


def server_names(der: bytes) -> tuple[str, ...]:
    """Return the DNS names and the common name of the certificate `der`, in lower case; none if
    they cannot be read."""
    try:
        signed = _signed(der)
        names = [*_alternative_names(signed), *_common_names(signed[4][1])]
    except (IndexError, ValueError):
        return ()
    return tuple(dict.fromkeys(name.decode("ascii", "replace").lower() for name in names))


def _signed(der: bytes) -> list[tuple[int, bytes]]:
    """The elements of what is signed, without the version."""
    signed = _content(_content(der))
    return [element for element in _elements(signed) if element[0] != _VERSION]


def _alternative_names(signed: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
    for tag, extensions in signed:
        for _, extension in _elements(_content(extensions)) if tag == _EXTENSIONS else ():
            kind, *_, (_, value) = _elements(extension)
            if kind[1] == _ALTERNATIVE_NAMES:
                names = _elements(_content(value))
                yield from (name for name_tag, name in names if name_tag == _DNS_NAME)


def _common_names(subject: bytes) -> Iterator[bytes]:
    for _, attributes in _elements(subject):
        for _, attribute in _elements(attributes):
            (_, kind), (_, value) = _elements(attribute)
            if kind == _COMMON_NAME:
                yield value


def _content(data: bytes) -> bytes:
    """The content of the first element of `data`."""
    for _, content in _elements(data):
        return content
    raise IndexError(0)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element that follows another in `data`."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        begin = position + 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[begin : begin + count], "big")
            begin += count
        if begin + length > len(data):
            raise IndexError(position)
        yield tag, data[begin : begin + length]
        position = begin + length
