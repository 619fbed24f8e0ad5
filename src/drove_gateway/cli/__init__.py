"""The commands. Only here errors become exit codes: 0 well, 1 not, 2 wrong usage."""

from pathlib import Path

import click

from drove_gateway.cli.command import FILE, Commands, colours

PURPOSES = {
    "accept": "Have the running gateway take at once what its guard holds back.",
    "check": "Check the configuration, and tell what the gateway would do with it.",
    "container": "Run a proxy and the gateway together, as the entry point of a container.",
    "demo": "Play a simulated Drove cluster, a real proxy and the gateway, on this machine.",
    "explain": "Tell which apps, instances, tags and rules make VHOST what it is.",
    "render": "Print the configuration that would be written.",
    "simulate": "Run a simulated Drove cluster, for work on templates and for tests.",
    "status": "Show what a running gateway knows, did, and holds back.",
    "template": "Print a template that is ready for production use, to start from.",
}


@click.group(
    cls=Commands,
    purposes=PURPOSES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=(
        ("drove-gateway -f /etc/drove-gateway/nixy.toml", "Run the gateway."),
        ("drove-gateway check -f nixy.toml --diff", "See beforehand what it would change."),
        ("drove-gateway status -f nixy.toml --watch", "See what it does."),
        (
            'eval "$(_DROVE_GATEWAY_COMPLETE=bash_source drove-gateway)"',
            "Complete commands and options in this bash; zsh_source and fish_source do it there.",
        ),
    ),
)
@click.option("-f", "file", type=FILE, help="Configuration file.  [default: nixy.toml]")
@click.option("-v", "version", is_flag=True, help="Print version, commit and date.")
@click.pass_context
def main(context: click.Context, file: Path | None, version: bool) -> None:
    """Keep NGINX or HAProxy true to what runs on a Drove cluster.

    Without a command the daemon runs in the foreground until SIGTERM or SIGINT. SIGHUP reads the
    configuration and the template again; between SIGUSR1 and SIGUSR2 nothing is begun on a proxy
    that is being restarted.
    """
    context.color = colours()
    if version:
        from drove_gateway.model.about import about  # noqa: PLC0415 - as below

        click.echo(about().lines(), nl=False)
    elif context.invoked_subcommand is None:
        # All that the daemon needs takes half a second to import: not for `--help`.
        from drove_gateway.cli.run import run_daemon  # noqa: PLC0415

        run_daemon(file)
    else:
        context.obj = file
