"""The functions that every template may call."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.proxies.installation.version import Version, at_least


def template_functions(
    environ: Mapping[str, str], version: Version | None
) -> Mapping[str, Callable[..., Any]]:
    """Return the gateway's functions, and `proxyAtLeast "1.27.4"` for the installed proxy."""

    def proxy_at_least(wanted: str) -> bool:
        return at_least(version, wanted)

    started = time.monotonic_ns()

    def now() -> GoTime:
        zone = datetime.now(UTC).astimezone().tzinfo or UTC
        return GoTime(time.time_ns(), zone, monotonic=time.monotonic_ns() - started)

    return {**gateway_functions(environ, now), "proxyAtLeast": proxy_at_least}
