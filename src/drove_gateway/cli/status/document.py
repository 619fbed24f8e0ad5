"""What `/v1/status` says, as types: the keys that are shown. A gateway of another version may have
more, or lack some."""

from datetime import datetime

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A section of health."""

    healthy: bool = True
    message: str = "OK"


class Proxy(msgspec.Struct, frozen=True):
    """What the proxy's driver says of itself."""

    config: Part = Part()
    template: Part = Part()
    upstream_updates: Part = Part()
    resolver: Part = Part()


class Work(msgspec.Struct, frozen=True):
    """Where the reconciler stands."""

    state: str = "unknown"
    error: str = ""
    attempts: int = 0
    next_try: datetime | None = None


class Counts(msgspec.Struct, frozen=True):
    """How the apps of a namespace were taken."""

    with_routing_tag: int = 0
    without_routing_tag: int = 0
    ignored_by_realm: int = 0


class Endpoint(msgspec.Struct, frozen=True):
    """A configured controller."""

    url: str
    healthy: bool = False
    message: str = ""


class Namespace(msgspec.Struct, frozen=True):
    """A namespace: who leads, and how true its apps are."""

    name: str
    healthy: bool = False
    message: str = ""
    leader: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    last_sync: datetime | None = None
    last_error: str = ""
    syncing: bool = False
    held: bool = False
    settling: bool = False
    apps: Counts | None = None


class Held(msgspec.Struct, frozen=True):
    """A withdrawal that the guard holds."""

    namespace: str
    reason: str
    servers: int
    vhosts: tuple[str, ...] = ()
    believed_in_seconds: float = 0.0


class Rejection(msgspec.Struct, frozen=True):
    """Something that Drove sent and the gateway left out."""

    namespace: str
    app_id: str
    subject: str
    value: str
    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """How much was left out, and the first of it."""

    count: int = 0
    first: tuple[Rejection, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """The state on disk, and which namespaces are served from it."""

    healthy: bool = True
    message: str = "OK"
    served_from_it: dict[str, datetime | None] = {}


class Step(msgspec.Struct, frozen=True):
    """One thing that was done to the proxy."""

    action: str
    subject: str = ""
    reason: str = ""


class Failure(msgspec.Struct, frozen=True):
    """A vhost that could not be brought up to date."""

    vhost: str
    reason: str = ""


class Apply(msgspec.Struct, frozen=True):
    """One time that the gateway went to the proxy. Times are in seconds."""

    at: datetime
    seconds: float = 0.0
    triggers: tuple[str, ...] = ()
    reload_reasons: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    failed: tuple[Failure, ...] = ()
    left_out: int = 0
    stages: dict[str, float] = {}
    error: str = ""


class Document(msgspec.Struct, frozen=True):
    """All of it."""

    version: str
    started: datetime
    healthy: bool
    vhosts: int = 0
    servers: int = 0
    draining: int | None = None
    reconciler: Work = Work()
    proxy: Proxy = Proxy()
    namespaces: tuple[Namespace, ...] = ()
    rejected: Rejected = Rejected()
    held: tuple[Held, ...] = ()
    stored_state: Stored = Stored()
    history: tuple[Apply, ...] = ()
