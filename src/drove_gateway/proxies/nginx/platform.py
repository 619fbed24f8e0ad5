"""NGINX and OpenResty: how a configuration is checked and loaded."""

from collections.abc import Sequence
from pathlib import Path

from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok


def nginx_platform(
    *,
    command: Sequence[str],
    config: Path,
    ignore_check: bool,
    reload_disabled: bool,
    timeout: float,
) -> Platform:
    """NGINX by `nginx_cmd -c FILE -t` and `nginx_cmd -s reload`, as the original calls it."""

    async def reload() -> None:
        await run_ok((*command, "-s", "reload"), timeout=timeout)

    return Platform(
        name="nginx",
        config=config,
        check=None if ignore_check else lambda file: (*command, "-c", str(file), "-t"),
        reload=None if reload_disabled else reload,
    )
