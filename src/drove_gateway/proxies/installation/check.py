"""The proxy's own check of a configuration file."""

from pathlib import Path

from drove_gateway.model.errors import CheckRefused, CommandFailed
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refused_line import TemplateSource, refused_line
from drove_gateway.proxies.installation.subprocess_runner import last_lines, run


async def check(
    platform: Platform, file: Path, text: str, source: TemplateSource, *, timeout: float
) -> tuple[str, ...]:
    """Have the proxy check `file`, which holds `text` and is meant to become `platform.config`.

    Returns the command; it is empty where checks are disabled. Raises CheckRefused with the proxy's
    own words and, where it can be told, the line of the template; CommandFailed or CommandTimeout
    where the check did not come to a result.
    """
    if platform.check is None:
        return ()
    command = platform.check(file)
    finished = await run(command, timeout=timeout)
    if finished.exit_code == 0:
        return command
    output = finished.output.replace(str(file), str(platform.config))
    if finished.exit_code < 0:
        raise CommandFailed(
            f"`{' '.join(command)}` was ended by signal {-finished.exit_code} and says nothing "
            f"about the configuration. {last_lines(output)}",
            output=output,
        )
    line = refused_line(output, platform.config)
    raise CheckRefused(
        f"{platform.name} refuses the new configuration{source.origin(text, line)}, "
        f"{platform.config} stays as it is: {last_lines(output)}",
        output=output,
        line=line,
    )
