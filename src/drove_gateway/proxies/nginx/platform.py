"""How the configuration of NGINX and OpenResty is checked and loaded."""

from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.model.errors import CommandFailed
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok
from drove_gateway.proxies.nginx.reload_failure import reload_failure


def nginx_platform(settings: Settings) -> Platform:
    """Check with `nginx_cmd -c FILE -t`; reload with `nginx_cmd -c nginx_config -s reload`.

    The file tells NGINX which process to signal, by its `pid`. Without it, NGINX reads the file
    that it was built with, and reloads the system's NGINX. An own `-c` in the command is kept.
    """
    command, config = settings.nginx_argv, Path(settings.nginx_config).absolute()
    named = () if "-c" in command else ("-c", str(config))

    async def reload() -> None:
        try:
            await run_ok((*command, *named, "-s", "reload"), timeout=settings.command_timeout_sec)
        except CommandFailed as error:
            if why := await reload_failure(error.output, config):
                raise CommandFailed(f"{why}. {error}", output=error.output) from error
            raise

    return Platform(
        name="nginx",
        config=config,
        check=(
            None if settings.nginx_ignore_check else lambda file: (*command, "-c", str(file), "-t")
        ),
        reload=None if settings.nginx_reload_disabled else reload,
        in_place=settings.write_in_place,
    )
