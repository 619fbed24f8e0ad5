"""The effects that a kind of proxy uses."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.installation.proof import Ask, Prove
from drove_gateway.proxies.installation.rendering import RenderMetrics
from drove_gateway.proxies.runtime.metrics import ApiMetrics
from drove_gateway.proxies.runtime.resolver import Lookup


class ProxyMetrics(RenderMetrics, Protocol):
    """The metrics that drivers need."""

    def runtime_api(self, api: str) -> ApiMetrics:
        """Return the metrics of the runtime API of this name."""
        ...


def _unseen(before: str, after: str) -> None:
    """Nobody compares the configurations."""


def _never() -> int:
    return 0


class Outside(msgspec.Struct, frozen=True):
    """The machine, the log, the metrics, and the proxy itself.

    `clock` counts monotonic seconds. `lookup` returns the addresses of a host name. `ask` and
    `prove` read the generation that a proxy serves. `replaced` gets the text of the configuration
    file before and after each change of it. `template_release` returns how often an operator has
    released changed templates that wait for it.
    """

    environ: Mapping[str, str]
    host_name: str
    clock: Callable[[], float]
    lookup: Lookup
    ask: Ask
    prove: Prove
    log: EventLog
    metrics: ProxyMetrics
    replaced: Callable[[str, str], None] = _unseen
    template_release: Callable[[], int] = _never
