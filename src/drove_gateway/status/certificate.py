"""The certificate that a client of a vhost gets over TLS. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from drove_gateway.model.health import CertificateHealth

_ANY = "*"


class PresentedCertificate(msgspec.Struct, frozen=True):
    """The file whose certificate the proxy presents, its end in Unix seconds, if known, and what is
    wrong with the file. `is_default` says that no other file is for the vhost."""

    file: str
    expires: float | None = None
    problem: str = ""
    is_default: bool = False

    @property
    def text(self) -> str:
        """Say everything in a line."""
        name = f"the default, {self.file}, because no other is for this name"
        end = f"expires on {_day(self.expires)}" if self.expires is not None else ""
        return ", ".join(filter(None, (name if self.is_default else self.file, end, self.problem)))


def presented_certificate(
    vhost: str, files: Sequence[CertificateHealth]
) -> PresentedCertificate | None:
    """Return what the proxy presents for `vhost`, as by its SNI; None if it is not known."""
    by_name: Mapping[str, CertificateHealth] = {
        name: each for each in reversed(files) for name in each.names
    }
    chosen = next((name for name in _candidates(vhost) if name in by_name), None)
    if chosen is None:
        return None
    file = by_name[chosen]
    return PresentedCertificate(file.file, file.expires, file.problem, chosen == _ANY)


def _candidates(vhost: str) -> Iterator[str]:
    """The names that stand for `vhost`, the closest first."""
    yield vhost
    _, *parents = vhost.split(".")
    if parents:
        yield f"*.{'.'.join(parents)}"
    for depth in range(len(parents)):
        yield f".{'.'.join(parents[depth:])}"
    yield _ANY


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
