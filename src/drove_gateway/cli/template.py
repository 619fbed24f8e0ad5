"""`drove-gateway template NAME` prints a template that ships with the package."""

from importlib import resources

import click

NAMES = ("haproxy", "haproxy-header-routing", "nginx", "nginx-header-routing", "nginx-plus")


def shipped(name: str) -> str:
    """The text of a shipped template."""
    return resources.files("drove_gateway").joinpath("templates", f"{name}.tmpl").read_text("utf-8")


@click.command()
@click.argument("name", type=click.Choice(NAMES))
def template(name: str) -> None:
    """Print a template that is ready for production use, to start from.

    The header-routing ones send a request to a host group by a header (see `routing_tag`).
    """
    click.echo(shipped(name), nl=False)
