"""The effects that drive a proxy of any kind, as they are on this machine."""

import socket
import time
from collections.abc import Mapping

from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.installation.proof import ask, prove
from drove_gateway.proxies.outside import Outside, ProxyMetrics
from drove_gateway.proxies.runtime.resolver import system_lookup


def this_machine(environ: Mapping[str, str], metrics: ProxyMetrics, log: EventLog) -> Outside:
    """Return this machine's clock, resolver, host name, and connections to the proxy."""
    return Outside(
        environ=environ,
        host_name=socket.gethostname(),
        clock=time.monotonic,
        lookup=system_lookup,
        ask=ask,
        prove=prove,
        log=log,
        metrics=metrics,
    )
