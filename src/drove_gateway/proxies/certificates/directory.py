"""The certificates of a directory: NAME.pem files with certificate, chain and private key."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec

from drove_gateway.files.regular import read_regular
from drove_gateway.files.stamp import Stamp, stamp
from drove_gateway.proxies.certificates.pem import Certificate, CertificateError, certificate

_MOST_BYTES = 1 << 20
_MOST_FILES = 20_000


class CertificateFiles(msgspec.Struct, frozen=True):
    """The files of a directory by path: those with a certificate, and what is wrong with others."""

    certificates: Mapping[str, Certificate] = {}
    problems: Mapping[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.certificates) | frozenset(self.problems)


class CertificateDirectory:
    """Reads a directory again and again, each file only when it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, tuple[Stamp, Certificate | str]] = {}

    def read(self) -> CertificateFiles:
        """Return the present files. Raises OSError where the directory cannot be listed."""
        files = sorted(filter(_is_certificate, self.path.iterdir()))[:_MOST_FILES]
        now = {}
        for file in files:
            known, seen = self._known.get(str(file)), stamp(file)
            now[str(file)] = known if known and known[0] == seen else (seen, _read(file))
        self._known = now
        found = {name: result for name, (_, result) in now.items()}
        return CertificateFiles(
            {name: each for name, each in found.items() if isinstance(each, Certificate)},
            {name: each for name, each in found.items() if isinstance(each, str)},
        )


def _is_certificate(file: Path) -> bool:
    """Whether the name is that of a certificate. HAProxy passes over hidden files, too."""
    return file.name.endswith(".pem") and not file.name.startswith(".")


def _read(file: Path) -> Certificate | str:
    """Return the certificate, or what is wrong with the file."""
    try:
        text = read_regular(file, _MOST_BYTES).decode("ascii", errors="replace")
        found = certificate(text)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password=_no_password)
    except CertificateError as error:
        return str(error)
    except ssl.SSLError as error:
        reason = (error.reason or "it cannot be loaded").replace("_", " ").lower()
        return f"certificate and private key cannot be used: {reason}"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except ValueError:
        return "its private key is encrypted"
    return found


def _no_password() -> str:
    """A daemon has nobody to ask."""
    raise ValueError("encrypted")
