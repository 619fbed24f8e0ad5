"""The gateway's functions, bound to this process's environment, clock and machine.

Only this module of the package and `machine_facts` read the machine's state.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.functions.machine_facts import files, has_ipv6
from drove_gateway.gotemplate.go.time import GoTime


@cache
def default_functions() -> Mapping[str, Callable[..., object]]:
    """What every template may call beside Go's own functions."""
    started = time.monotonic_ns()

    def now() -> GoTime:
        local = datetime.now().astimezone().tzinfo or UTC
        return GoTime(time.time_ns(), local, monotonic=time.monotonic_ns() - started)

    return {**gateway_functions(os.environ, now), "files": files, "hasIPv6": has_ipv6}
