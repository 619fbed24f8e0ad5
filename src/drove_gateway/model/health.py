"""Health of a proxy, in the sections of `/v1/health`."""

import msgspec


class HealthSection(
    msgspec.Struct, frozen=True, rename={"healthy": "Healthy", "message": "Message"}
):
    """A section of `/v1/health`, as the original shows it."""

    healthy: bool = True
    message: str = "OK"


PENDING = HealthSection(healthy=False, message="pending first check")
NO_RUNTIME_API = HealthSection(message="OK: Not in use, full reloads are enabled")
RELOAD_DISABLED = HealthSection(message="Config Reload disabled")
TEMPLATING_DISABLED = HealthSection(message="Templating disabled")


class CertificateHealth(msgspec.Struct, frozen=True):
    """A file with a certificate: its end in Unix seconds, if known, and what is wrong with it.

    `names` are those that the proxy presents it for: `*.example.com` stands for one label,
    `.example.com` for one or more, and `*` for every name without a certificate of its own.
    """

    file: str
    expires: float | None = None
    problem: str = ""
    names: tuple[str, ...] = ()


class ProxyHealth(msgspec.Struct, frozen=True):
    """Health that a proxy's driver reports, in the sections of `/v1/health`.

    `contested` says which changes another program keeps undoing, empty where none. `draining`
    counts the removed servers that still finish their requests; `overdue` are those, as
    `backend/server`, that the proxy still has past their deadline. `notes` are worth knowing, and
    not a problem. `certificates` says in one section what `certificate_files` lists.
    """

    config: HealthSection = PENDING
    template: HealthSection = PENDING
    upstream_updates: HealthSection = NO_RUNTIME_API
    resolver: HealthSection = HealthSection()
    draining: int = 0
    overdue: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contested: str = ""
    certificates: HealthSection = HealthSection(message="OK: no directory of certificates")
    certificate_files: tuple[CertificateHealth, ...] = ()
