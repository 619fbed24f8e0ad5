"""When certificates expire, read from PEM text without a library. Pure.

A certificate is DER (X.690); its validity is the fifth or sixth element of what is signed
(RFC 5280, 4.1).
"""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\s*", re.DOTALL)
_CONSTRUCTED = 0x30
_VERSION = 0xA0
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
        certificate = next(_elements(der))[1]
        signed = next(_elements(certificate))[1]
        elements = [element for element in _elements(signed) if element[0] != _VERSION]
        # The serial number, the algorithm, the issuer, the validity.
        tag, validity = elements[3]
        if tag != _CONSTRUCTED:
            raise UnreadableCertificate("a certificate has no validity")
        _, (kind, end) = _elements(validity)
        return datetime.strptime(end.decode("ascii"), _TIMES[kind]).replace(tzinfo=UTC)
    except (IndexError, KeyError, StopIteration, ValueError) as error:
        raise UnreadableCertificate("the bytes are not a certificate") from error


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
