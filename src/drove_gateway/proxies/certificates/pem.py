"""Read from a PEM file what the gateway needs of a certificate: its end, its fingerprint and its
names. Pure.

The proxy itself judges everything else.
"""

import hashlib
import re
import ssl

import msgspec

from drove_gateway.files.certificate import expiry, server_names

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", re.ASCII)


class CertificateError(ValueError):
    """A file that does not hold a certificate; the text says why."""


class Certificate(msgspec.Struct, frozen=True):
    """A file's certificate. `pem` is the whole file without blank lines and holds the private key.

    `fingerprint` is the SHA-1 of the certificate in capital hexadecimal digits, as HAProxy shows
    it; `expires` is its end in Unix seconds, `names` the servers it is for.
    """

    pem: str
    fingerprint: str
    expires: float
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint})"


def certificate(text: str) -> Certificate:
    """Return the first certificate of a PEM file. Raises CertificateError."""
    found = _CERTIFICATE.search(text)
    if found is None:
        raise CertificateError("it has no certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(found[0])
        expires, names = expiry(der).timestamp(), server_names(der)
    except ValueError as error:
        raise CertificateError("its certificate cannot be decoded") from error
    pem = "\n".join(line for line in text.splitlines() if line.strip())
    fingerprint = hashlib.sha1(der).hexdigest().upper()  # noqa: S324
    return Certificate(pem, fingerprint, expires, names)
