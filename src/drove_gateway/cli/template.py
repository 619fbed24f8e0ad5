"""`drove-gateway template NAME`: print a template that ships with the package."""

import click

from drove_gateway.cli.command import Command
from drove_gateway.templates import NAMES, shipped


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway template haproxy > /etc/drove-gateway/haproxy.tmpl", "Start from it."),
    ),
    exit_codes={0: "The template was printed."},
)
@click.argument("name", type=click.Choice(NAMES))
def template(name: str) -> None:
    """Print a template that is ready for production, as a starting point.

    The header-routing templates choose a host group by a request header (see `routing_tag`).
    """
    click.echo(shipped(name), nl=False)
