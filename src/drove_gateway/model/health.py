"""Health of a proxy, in the sections of `/v1/health`."""

from collections.abc import Collection

import msgspec

from drove_gateway.model.vocabulary import App, Topology


class HealthSection(
    msgspec.Struct, frozen=True, rename={"healthy": "Healthy", "message": "Message"}
):
    """A section of `/v1/health`, as the original shows it."""

    healthy: bool = True
    message: str = "OK"

    @property
    def works(self) -> bool:
        """Whether the part works, possibly not for every vhost."""
        return self.healthy


class FaultOfSome(HealthSection, frozen=True):
    """A section that is unhealthy because of some vhosts, while others are served.

    It is reported, and it does not make `/v1/health` 500: a load balancer that checks it would take
    every vhost out of traffic for a single tenant's fault.
    """

    @property
    def works(self) -> bool:
        return True


def of_some(
    section: HealthSection, faulty: Collection[str], vhosts: Collection[str]
) -> HealthSection:
    """Return `section` as a fault of the `faulty` vhosts alone, unless it concerns all `vhosts`.

    A single vhost's fault is its own even where there is no other.
    """
    if section.healthy or len(faulty) >= max(len(vhosts), 2):
        return section
    return FaultOfSome(section.healthy, section.message)


def of_names(
    section: HealthSection, names: Collection[str], topology: Topology | None
) -> HealthSection:
    """Return `section` as a fault of the vhosts with a host of `names`, as `of_some` does."""
    if section.healthy or topology is None:
        return section
    faulty = [vhost for vhost, app in topology.apps.items() if _has_host(app, names)]
    return of_some(section, faulty, topology.apps)


def _has_host(app: App, names: Collection[str]) -> bool:
    return any(host.host in names for host in app.hosts)


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
