"""`--template FILE`: try another template than the configured template."""

from pathlib import Path

import click
import msgspec

from drove_gateway.proxies.installation.configured_file import ConfiguredFile


def template_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--template FILE`; the function receives the path, or None."""
    return click.option(
        "--template",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Use this template, which is not live yet, instead of the configured template.",
    )(function)


def with_template(file: ConfiguredFile | None, template: Path | None) -> ConfiguredFile | None:
    """Return the proxy's file as it is rendered from `template`, if that is given."""
    if file is None or template is None:
        return file
    return msgspec.structs.replace(file, template_path=template)
