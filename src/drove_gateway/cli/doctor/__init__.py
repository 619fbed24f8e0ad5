"""`drove-gateway doctor`: report what will hurt, changing nothing."""

import asyncio
from pathlib import Path

import click
import msgspec

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.doctor.examination import examine
from drove_gateway.cli.doctor.text import lines
from drove_gateway.cli.messages import print_problems, say
from drove_gateway.model.errors import ConfigError

_FOUND = 4


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway doctor", "Before a migration, and once in a while."),
        ("drove-gateway doctor --all", "With every app, without a limit."),
        (
            "drove-gateway doctor --json | jq -r '.findings[].check'",
            "For programs: the names of what was found.",
        ),
    ),
    exit_codes={
        0: "Nothing was found that will hurt, and everything was examined.",
        1: "The configuration is not valid; or nothing was found, but not everything could be "
        "examined.",
        4: "Something was found that will hurt.",
    },
)
@file_option
@click.option("--all", "everything", is_flag=True, help="List everything, without a limit.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print an object with `findings` and `not_examined`."
)
def doctor(file: Path | None, everything: bool, as_json: bool) -> None:
    """Report what will hurt: settings of apps, proxy and machines that lose requests.

    The command asks the controllers for the apps and their specifications, the running gateway for
    its last applies, reads the proxy's configuration and the certificates, and changes nothing.
    It finds:

    apps whose waitBeforeKill is shorter than the time that a change takes to reach traffic;
    apps with exposureSpec.mode ONE, which Drove does not honour;
    a host and port that is listed under two apps;
    tags that neither a setting nor the template reads;
    vhosts outside of every realm;
    clocks that differ;
    settings of HAProxy and NGINX that lose requests or memory at reloads;
    certificates that expire.

    With --json, each of `findings` has `check`, `severity` (`error`, `warning` or `note`), `what`,
    `subjects` and `advice`.
    """
    settings = read_configuration(file).settings
    try:
        diagnosis = asyncio.run(examine(settings))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    if as_json:
        click.echo(msgspec.json.encode(diagnosis))
    else:
        say("\n".join(lines(diagnosis, everything=everything)))
    if diagnosis.hurts:
        raise SystemExit(_FOUND)
    raise SystemExit(1 if diagnosis.not_examined else 0)
