"""Health of a proxy, in the sections of `/v1/health`."""

import msgspec


class Section(msgspec.Struct, frozen=True, rename={"healthy": "Healthy", "message": "Message"}):
    """One section of `/v1/health`, as the original shows it."""

    healthy: bool = True
    message: str = "OK"


PENDING = Section(healthy=False, message="pending first check")
NO_RUNTIME_API = Section(message="OK: Not in use, full reloads are enabled")


class ProxyHealth(msgspec.Struct, frozen=True):
    """What a proxy driver says of itself, in the sections of `/v1/health`.

    `draining` counts the removed servers that still finish their requests.
    """

    config: Section = PENDING
    template: Section = PENDING
    upstream_updates: Section = NO_RUNTIME_API
    resolver: Section = Section()
    draining: int = 0
