"""The worker processes of a proxy. Old workers finish their connections after a reload."""

import msgspec


class Workers(msgspec.Struct, frozen=True):
    """How many workers take new connections, and how many old workers are left.

    `old_memory` is what the old workers hold, in bytes, 0 where it cannot be read;
    `machine_memory` is what the machine or the container has.
    """

    current: int = 0
    old: int = 0
    old_memory: int = 0
    machine_memory: int = 0


class ReloadPressure(msgspec.Struct, frozen=True):
    """The workers that the proxy has, and how far apart its reloads are therefore, in seconds.

    `delays` says that the old workers make reloads wait noticeably longer than configured.
    """

    workers: Workers = Workers()
    interval: float = 0.0
    delays: bool = False
