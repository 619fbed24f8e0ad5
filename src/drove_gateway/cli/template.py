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
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
def template(name: str) -> None:
    """Print a template that is ready for production, as a starting point.

    NAME is `haproxy`, `nginx`, `nginx-lua` or `nginx-plus`. To choose a host group by a request
    header (see `routing_tag`), add `-header-routing` to one of the first three.
    """
    click.echo(shipped(name), nl=False)
