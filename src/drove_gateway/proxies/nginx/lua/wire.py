"""What the Lua balancer says beside NGINX Plus's API, as types. Unknown fields are ignored."""

import msgspec

from drove_gateway.proxies.nginx.plus.wire import ErrorDetail, Server


class Memory(msgspec.Struct, frozen=True):
    """The dictionary: its size and what is free of it, in bytes. A dictionary that was made anew
    has another `id`."""

    id: str = ""
    capacity: int = 0
    free: int = 0


class Handshake(msgspec.Struct, frozen=True):
    """Which code runs with which configuration.

    `version` is that of the calls, `hash` identifies the code, `generation` the configuration.
    `only_in_file` counts upstreams that did not fit into the dictionary.
    """

    version: str = ""
    hash: str = ""
    generation: str = ""
    dictionary: Memory = Memory()
    only_in_file: int = 0


class BulkResult(msgspec.Struct, frozen=True):
    """An upstream after a change: its servers, or why it is as it was.

    A server in service that has the parameters that the request states for new servers, and no
    others, is `ID ADDRESS`.
    """

    servers: tuple[Server | str, ...] = ()
    error: ErrorDetail | None = None


class BulkReply(msgspec.Struct, frozen=True):
    """The results by upstream; None for an upstream that was removed."""

    upstreams: dict[str, BulkResult | None]
