"""The commands. Only this package turns errors into exit codes."""

from pathlib import Path

import click

from drove_gateway.cli import completion
from drove_gateway.cli.command import IGNORED_WORDS, Commands, colours, file_option
from drove_gateway.cli.go_flags import SYNC_STATE

completion.install()

PURPOSES = {
    "accept": "Apply the withdrawals that the running gateway's guard holds, immediately.",
    "check": "Check the configuration, and show what the gateway would do with it.",
    "container": "Run a proxy and the gateway together, as the entry point of a container.",
    "demo": "Run a simulated Drove cluster, a real proxy and the gateway on this machine.",
    "doctor": "Report what will hurt: settings of apps, proxy and machines that lose requests.",
    "explain": "Explain why VHOST is as it is, and what to do if it is not served.",
    "init": "Write a commented nixy.toml and a template into DIRECTORY.",
    "reload": "Fetch the apps again and load the configuration into the proxy again.",
    "render": "Print the configuration that would be written.",
    "simulate": "Run a simulated Drove cluster, to work on templates and for tests.",
    "status": "Show the state of a running gateway: health, namespaces, held servers, changes.",
    "template": "Print a template that is ready for production, as a starting point.",
}

_NOTHING_TO_SYNC = (
    f"{SYNC_STATE} does nothing: the gateway keeps the newest servers in HAProxy's configuration "
    "on disk, so a restart of HAProxy loads them without a server state file"
)


@click.group(
    cls=Commands,
    purposes=PURPOSES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=(
        ("drove-gateway -f /etc/drove-gateway/nixy.toml", "Run the gateway."),
        ("drove-gateway check -f nixy.toml --diff", "Show in advance what it would change."),
        ("drove-gateway status -f nixy.toml --watch", "Watch what it does."),
        (
            'eval "$(_DROVE_GATEWAY_COMPLETE=bash_source drove-gateway)"',
            "Enable completion in this bash; for zsh and fish use zsh_source and fish_source.",
        ),
    ),
)
@file_option
@click.option("-v", "--version", is_flag=True, help="Print version, commit and date.")
@click.option(
    SYNC_STATE,
    "sync_state",
    is_flag=True,
    help="Only print that this option of the original is not needed: the configuration on disk "
    "always lists the newest servers.",
)
@click.pass_context
def main(context: click.Context, file: Path | None, version: bool, sync_state: bool) -> None:
    """Keep NGINX or HAProxy in sync with the apps of a Drove cluster.

    Without a command, the daemon runs in the foreground until SIGTERM or SIGINT. SIGHUP reads the
    configuration and the template again. Between SIGUSR1 and SIGUSR2 the daemon leaves the proxy
    alone, so that it can be restarted.
    """
    context.color = colours()
    if version:
        from drove_gateway.model.about import about  # noqa: PLC0415 - as below

        click.echo(about().lines(), nl=False)
    elif sync_state:
        from drove_gateway.cli.messages import warn  # noqa: PLC0415 - as below

        warn(_NOTHING_TO_SYNC)
    elif context.invoked_subcommand is None:
        # The daemon's imports take half a second, which `--help` must not.
        from drove_gateway.cli.run import run_daemon  # noqa: PLC0415

        run_daemon(file, context.meta.get(IGNORED_WORDS, ()))
