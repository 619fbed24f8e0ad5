"""How the configuration of NGINX and OpenResty is checked and loaded."""

from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok


def nginx_platform(settings: Settings) -> Platform:
    """Check with `nginx_cmd -c FILE -t`; reload with `nginx_cmd -c nginx_config -s reload`.

    The file tells NGINX which process to signal, by its `pid`. Without it, NGINX reads the file
    that it was built with, and reloads the system's NGINX. An own `-c` in the command is kept.
    """
    command = settings.nginx_argv
    named = () if "-c" in command else ("-c", str(Path(settings.nginx_config).absolute()))

    async def reload() -> None:
        await run_ok((*command, *named, "-s", "reload"), timeout=settings.command_timeout_sec)

    return Platform(
        name="nginx",
        config=Path(settings.nginx_config).absolute(),
        check=(
            None if settings.nginx_ignore_check else lambda file: (*command, "-c", str(file), "-t")
        ),
        reload=None if settings.nginx_reload_disabled else reload,
        in_place=settings.write_in_place,
    )
