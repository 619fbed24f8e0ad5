"""How HAProxy's configuration is checked and loaded."""

from collections.abc import Sequence
from pathlib import Path

from drove_gateway.proxies.haproxy.api import master
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok


def haproxy_platform(
    *,
    command: Sequence[str],
    reload_command: Sequence[str],
    master_socket: str,
    config: Path,
    ignore_check: bool,
    reload_disabled: bool,
    timeout: float,
) -> Platform:
    """HAProxy by `haproxy_cmd -f FILE -c`, and the master socket or `haproxy_reload_cmd`."""

    async def reload() -> None:
        if master_socket:
            await master.reload(master_socket, timeout=timeout)
        else:
            await run_ok(reload_command, timeout=timeout)

    return Platform(
        name="HAProxy",
        config=config,
        check=None if ignore_check else lambda file: (*command, "-f", str(file), "-c"),
        reload=None if reload_disabled else reload,
    )
