"""`drove-gateway explain VHOST`: why a vhost is served as it is."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration, settings_of_running_gateway
from drove_gateway.cli.endpoint_responses import endpoints_option, live_topology, saved_topology
from drove_gateway.cli.explanation_text import lines
from drove_gateway.cli.gateway_client import GatewayUnreachable, decoded, fetch, url
from drove_gateway.cli.messages import fail, say, warn, warn_of_rejected
from drove_gateway.cli.vhost_completion import complete_vhost
from drove_gateway.config import Settings
from drove_gateway.model.errors import GatewayError
from drove_gateway.status.explain_document import ExplainDocument
from drove_gateway.status.question import similar, subject_of
from drove_gateway.topology.explain import explain as explained


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway explain web.example.com", "Ask the running gateway."),
        ("drove-gateway explain http://web.example.com/cart", "By a URL that failed."),
        ("drove-gateway explain 10.0.0.7:31042", "By an instance, or by the name of an app."),
        (
            "drove-gateway explain web.example.com --endpoints stage=answer.json",
            "From a saved response of /apis/v1/endpoints, without a gateway.",
        ),
    ),
    exit_codes={
        0: "The vhost is served.",
        1: "It is not served; or no gateway responds and no controller leads, or the "
        "configuration is not valid.",
    },
)
@file_option
@endpoints_option
@click.option("--host", help="Connect to this machine, if FILE belongs to another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the response of /v1/explain as it is.")
@click.argument("vhost", shell_complete=complete_vhost)
def explain(
    file: Path | None, endpoints: dict[str, Path], host: str | None, as_json: bool, vhost: str
) -> None:
    """Explain why VHOST is as it is, and what to do if it is not served.

    VHOST may also be a URL, the name or id of an app, or the host:port of an instance.

    The command asks the running gateway: what Drove wants, what the proxy has, what is held and
    why. If no gateway responds, it says so, fetches the endpoints from the leading controllers, and
    explains which hosts would be served, what is rejected and by which rule, how host groups and
    namespaces are merged, and which tags a template sees.
    """
    if not vhost.strip():
        raise click.UsageError("VHOST is empty: name a vhost, a URL, an app, or a host:port")
    # A terminal may send bytes that are not text.
    vhost = vhost.encode(errors="replace").decode()
    if not endpoints:
        settings = settings_of_running_gateway(file)
        if host:
            settings = settings.model_copy(update={"address": host})
        try:
            raise SystemExit(_ask(settings, vhost, as_json=as_json))
        except GatewayUnreachable as error:
            if host or as_json:
                fail(error)
            warn(f"{error}; what follows is what the controllers list, not what is served")
    _from_controllers(file, endpoints, vhost)


def _ask(settings: Settings, question: str, *, as_json: bool) -> int:
    """Print what the running gateway says; return the exit code. Raises GatewayUnreachable."""
    body = asyncio.run(fetch(settings, "GET", f"/v1/explain?q={quote(question, safe='')}"))
    document = decoded(settings, body, ExplainDocument)
    if as_json:
        click.echo(body, nl=False)
    else:
        width = shutil.get_terminal_size(fallback=(100, 24)).columns
        click.echo("\n".join(lines(document, url(settings), datetime.now(UTC), width)))
    return 0 if document.vhosts and all(each.served for each in document.vhosts) else 1


def _from_controllers(file: Path | None, endpoints: dict[str, Path], question: str) -> None:
    settings = read_configuration(file).settings
    try:
        if endpoints:
            build = saved_topology(settings, endpoints)
        else:
            build = asyncio.run(live_topology(settings))
    except GatewayError as error:
        fail(error)
    subject = subject_of(build, question)
    vhosts = subject.vhosts
    if not vhosts:
        say(f"It is {subject.understood}.")
        raise SystemExit(1)
    say("\n\n".join("\n".join(explained(build, vhost)) for vhost in vhosts))
    if not {*build.topology.apps, *build.leader_vhosts}.issuperset(vhosts):
        # The vhost may be in an entry that could not be read.
        warn_of_rejected([entry for entry in build.rejected if entry.subject in {"answer", "app"}])
        if (near := similar(build, vhosts[0])) not in {"", vhosts[0]}:
            say(f"Did you mean {near}?")
        raise SystemExit(1)
