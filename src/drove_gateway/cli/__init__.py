"""The commands. Only here errors become exit codes: 0 well, 1 not, 2 wrong usage."""

from pathlib import Path

import click

from drove_gateway.about import about
from drove_gateway.cli.accept import accept
from drove_gateway.cli.check import check
from drove_gateway.cli.demo import demo
from drove_gateway.cli.explain import explain
from drove_gateway.cli.files import FILE
from drove_gateway.cli.render import render
from drove_gateway.cli.run import run_daemon
from drove_gateway.cli.simulate import simulate
from drove_gateway.cli.template import template


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-f", "file", type=FILE, help="Configuration file.  [default: nixy.toml]")
@click.option("-v", "version", is_flag=True, help="Print version, commit and date.")
@click.pass_context
def main(context: click.Context, file: Path | None, version: bool) -> None:
    """Keep NGINX or HAProxy true to what runs on a Drove cluster.

    Without a command the daemon runs in the foreground until SIGTERM or SIGINT. SIGHUP reads the
    configuration and the template again; between SIGUSR1 and SIGUSR2 nothing is begun on a proxy
    that is being restarted.
    """
    if version:
        click.echo(about().lines(), nl=False)
    elif context.invoked_subcommand is None:
        run_daemon(file)
    else:
        context.obj = file


for command in (accept, check, demo, explain, render, simulate, template):
    main.add_command(command)
