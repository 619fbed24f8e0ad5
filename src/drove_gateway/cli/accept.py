"""`drove-gateway accept`: apply held withdrawals."""

import getpass
from pathlib import Path
from urllib.parse import urlencode

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import settings_of_running_gateway
from drove_gateway.cli.gateway_client import GatewayUnreachable, request
from drove_gateway.cli.messages import fail, say
from drove_gateway.cli.vhost_completion import complete_vhost
from drove_gateway.model.wording import count_of
from drove_gateway.status.document import AcceptedWithdrawals


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway accept --dry-run", "See what is held, and what would be applied."),
        ("drove-gateway accept web.example.com", "Apply the withdrawal of a vhost."),
        ("drove-gateway accept stage1", "Apply every withdrawal of a namespace."),
        ("drove-gateway accept -f /etc/drove-gateway/nixy.toml", "Apply everything."),
    ),
    exit_codes={
        0: "The withdrawals are applied, or none was held.",
        1: "No gateway responds, or it refuses the token; nothing is held of a NAME; or the "
        "configuration is not valid.",
    },
)
@file_option
@click.option("--dry-run", is_flag=True, help="Only print what would be applied.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_vhost)
def accept(file: Path | None, dry_run: bool, names: tuple[str, ...]) -> None:
    """Apply the withdrawals that the running gateway's guard holds, immediately.

    Each NAME is a namespace or a vhost; without a NAME, everything that is held is applied.

    The guard holds servers that are missing from a response without a reason, as long as they
    accept connections, for `guard_hold_sec`. Use this command if the withdrawal was intended. It
    connects to the gateway that runs with the same configuration, and prints what was held. The
    gateway's history shows who accepted it.
    """
    settings = settings_of_running_gateway(file)
    query = urlencode([("name", name) for name in names] + [("dry_run", "true")] * dry_run)
    path = f"/v1/accept?{query}" if query else "/v1/accept"
    try:
        response = request(settings, "POST", path, AcceptedWithdrawals, {"X-Caller": _user()})
    except GatewayUnreachable as error:
        fail(error)
    for held in response.accepted:
        servers = count_of(held.servers, "server")
        outcome = "would remove" if dry_run else "accepted    "
        say(
            f"{outcome}  namespace {held.namespace}: {servers} of {', '.join(held.vhosts)}\n"
            f"              held until now because {held.reason}"
        )
    if not response.accepted:
        say(f"nothing is held of {', '.join(names)}" if names else "nothing is held")
        raise SystemExit(1 if names else 0)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
