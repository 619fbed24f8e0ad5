"""`drove-gateway template NAME` prints a template that ships with the package."""

import click

from drove_gateway.cli.command import Command
from drove_gateway.templates import NAMES, shipped


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway template haproxy > /etc/drove-gateway/haproxy.tmpl", "Start from it."),
    ),
    exit_codes={0: "It was printed."},
)
@click.argument("name", type=click.Choice(NAMES))
def template(name: str) -> None:
    """Print a template that is ready for production use, to start from.

    The header-routing ones send a request to a host group by a header (see `routing_tag`).
    """
    click.echo(shipped(name), nl=False)
