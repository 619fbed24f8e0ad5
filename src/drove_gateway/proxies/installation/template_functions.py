"""The functions that every template may call."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.functions.machine_facts import files, has_ipv6
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.proxies.installation.version import Version, at_least


def template_functions(
    environ: Mapping[str, str], version: Version | None
) -> Mapping[str, Callable[..., Any]]:
    """Return the gateway's functions, and those that describe the machine.

    `proxyAtLeast "1.27.4"` is about the installed proxy, `hasIPv6` about the system, and
    `files "/etc/certificates" ".pem"` lists a directory.
    """

    def proxy_at_least(wanted: str) -> bool:
        return at_least(version, wanted)

    started = time.monotonic_ns()

    def now() -> GoTime:
        zone = datetime.now(UTC).astimezone().tzinfo or UTC
        return GoTime(time.time_ns(), zone, monotonic=time.monotonic_ns() - started)

    return {
        **gateway_functions(environ, now),
        "proxyAtLeast": proxy_at_least,
        "hasIPv6": has_ipv6,
        "files": files,
    }


def no_facts() -> int:
    """What functions have learned that the file should show: nothing, and never more."""
    return 0
