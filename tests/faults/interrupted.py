"""The daemon, killed at one step of an apply: `python interrupted.py ARMED -f nixy.toml`.

While the file ARMED holds `STEP before` or `STEP after`, the process kills itself at that step.
"""

import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from drove_gateway.cli import main
from drove_gateway.daemon import outside
from drove_gateway.proxies.haproxy.api import master
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.installation import check, config_file
from drove_gateway.proxies.nginx import platform as nginx
from drove_gateway.state import file as state_file

STEPS: dict[str, tuple[tuple[Any, str], ...]] = {
    "change servers": ((RuntimeApi, "run"),),
    "write": ((config_file, "write_candidate"),),
    "check": ((check, "run"),),
    "swap": ((config_file, "swap"),),
    "reload": ((nginx, "run_ok"), (master, "reload")),
    "prove": ((outside, "prove"),),
    "store": ((state_file, "write"),),
}


def interrupted(function: Callable[..., Any], step: str, armed: Path) -> Callable[..., Any]:
    """`function`, before or after which the process ends when that was armed."""

    def at(when: str) -> None:
        if armed.exists() and armed.read_text() == f"{step} {when}":
            os.kill(os.getpid(), signal.SIGKILL)

    @wraps(function)
    def blocking(*args: Any, **kwargs: Any) -> Any:
        at("before")
        result = function(*args, **kwargs)
        at("after")
        return result

    @wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        at("before")
        result = await function(*args, **kwargs)
        at("after")
        return result

    return awaited if inspect.iscoroutinefunction(function) else blocking


if __name__ == "__main__":
    where = Path(sys.argv.pop(1))
    for name, places in STEPS.items():
        for place, attribute in places:
            setattr(place, attribute, interrupted(getattr(place, attribute), name, where))
    main()
