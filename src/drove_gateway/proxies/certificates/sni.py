"""The names that each proxy presents a file's certificate for. Pure.

As in `CertificateHealth.names`: `*.example.com` stands for one label, `.example.com` for one or
more, and `*` for every name without a certificate of its own.
"""

from collections.abc import Callable
from pathlib import Path

from drove_gateway.proxies.certificates.pem import Certificate

PresentedNames = Callable[[str, Certificate | None], tuple[str, ...]]
"""Returns the names of a file, whose certificate is None if it cannot be read."""


def names_of_certificate(_: str, certificate: Certificate | None) -> tuple[str, ...]:
    """Return the names in the certificate, by which HAProxy chooses."""
    return certificate.names if certificate else ()


def names_of_file(file: str, _: Certificate | None) -> tuple[str, ...]:
    """Return what the file is named after, by which the templates of NGINX choose."""
    name = Path(file).stem.lower()
    return (name.removeprefix("_"),) if name.startswith("_.") else (name,)
