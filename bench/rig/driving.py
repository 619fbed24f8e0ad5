"""Drives a proxy as the reconciler does, and measures it."""

import time

from drove_gateway.model.proxy import Proxy
from drove_gateway.model.vocabulary import Topology


class NoMetrics:
    """Counts nothing."""

    def call(self, operation: str, ok: bool) -> None: ...
    def duration(self, ok: bool, seconds: float) -> None: ...
    def read_duration(self, ok: bool, seconds: float) -> None: ...


async def seconds_to_apply(proxy: Proxy, desired: Topology) -> float:
    """Plan and apply; return the seconds until it was read back."""
    begin = time.perf_counter()
    outcome = await proxy.apply(proxy.plan(desired))
    seconds = time.perf_counter() - begin
    if outcome.failed:
        raise SystemExit(f"not applied: {outcome.failed[:3]}")
    return seconds
