"""The proxy's own check of a configuration file."""

from pathlib import Path

from drove_gateway.config.declared_secrets import without_secrets_of
from drove_gateway.model.errors import CheckRefused, CommandFailed
from drove_gateway.proxies.installation.config_file import seen_from
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refused_line import (
    TemplateSource,
    errors_of,
    line_of,
    named_lines,
    refused_line,
)
from drove_gateway.proxies.installation.subprocess_runner import first_lines, last_lines, run


async def check(
    platform: Platform, file: Path, text: str, source: TemplateSource, *, timeout: float
) -> tuple[str, ...]:
    """Have the proxy check `file`, which contains `text` and will replace `platform.config`.

    Returns the command, which is empty if checks are disabled. Raises CheckRefused with the proxy's
    message and, if known, the line of the template; CommandFailed or CommandTimeout if the check
    has no result.
    """
    if platform.check is None:
        return ()
    with seen_from(file, platform.config) as path:
        command = platform.check(path)
        finished = await run(command, timeout=timeout)
    if finished.exit_code == 0:
        return command
    output = finished.output.replace(str(path), str(platform.config))
    if finished.exit_code < 0:
        raise CommandFailed(
            f"`{' '.join(command)}` was killed by signal {-finished.exit_code} without a "
            f"verdict on the configuration. {last_lines(output)}",
            output=output,
        )
    line = refused_line(output, platform.config)
    for number in named_lines(output, platform.config):
        output = without_secrets_of(line_of(text, number), output)
    raise CheckRefused(
        f"{platform.name} refuses the new configuration{source.origin(text, line)}, "
        f"{platform.config} stays as it is: {first_lines(errors_of(output, platform.config))}",
        output=output,
        line=line,
    )
