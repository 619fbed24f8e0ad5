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


class ProxyHealth(msgspec.Struct, frozen=True):
    """Health that a proxy's driver reports, in the sections of `/v1/health`.

    `draining` counts the removed servers that still finish their requests. `notes` are worth
    knowing, and not a problem.
    """

    config: HealthSection = PENDING
    template: HealthSection = PENDING
    upstream_updates: HealthSection = NO_RUNTIME_API
    resolver: HealthSection = HealthSection()
    draining: int = 0
    notes: tuple[str, ...] = ()
