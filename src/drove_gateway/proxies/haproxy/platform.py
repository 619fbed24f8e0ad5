"""How HAProxy's configuration is checked and loaded."""

from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.proxies.haproxy.api import master
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok


def haproxy_platform(settings: Settings) -> Platform:
    """Check with `haproxy_cmd -f FILE -c`; reload by the master socket or `haproxy_reload_cmd`."""
    command = settings.haproxy_argv
    timeout = settings.command_timeout_sec

    async def reload() -> None:
        if settings.haproxy_master_socket:
            await master.reload(settings.haproxy_master_socket, timeout=timeout)
        else:
            await run_ok(settings.haproxy_reload_argv, timeout=timeout)

    return Platform(
        name="HAProxy",
        config=Path(settings.haproxy_config).absolute(),
        check=(
            None
            if settings.haproxy_ignore_check
            else lambda file: (*command, "-f", str(file), "-c")
        ),
        reload=None if settings.haproxy_reload_disabled else reload,
        in_place=settings.write_in_place,
    )
