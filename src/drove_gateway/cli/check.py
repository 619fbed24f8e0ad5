"""`drove-gateway check`: check the configuration, and show what the gateway would do."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import structlog

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.endpoint_responses import (
    EndpointResponses,
    endpoints_option,
    fetch_from_leaders,
    read_saved,
)
from drove_gateway.cli.file_diff import file_diff
from drove_gateway.cli.gateway_client import GatewayUnreachable, request_async, url
from drove_gateway.cli.messages import fail, print_problems, warn, warn_of_rejected
from drove_gateway.cli.outlook import Outlook, outlook
from drove_gateway.cli.plan_json import plan_json
from drove_gateway.cli.plan_text import lines
from drove_gateway.cli.render import rendered
from drove_gateway.cli.sample_topology import sample_topology
from drove_gateway.cli.status.text import one_line
from drove_gateway.config import Settings
from drove_gateway.daemon import assembly
from drove_gateway.daemon.applied_state import stored_state
from drove_gateway.daemon.outside import this_machine
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import ConfigError, GatewayError, ProxyError, StateError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.wording import printable
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.installation.preview import Preview
from drove_gateway.proxies.installation.render import Rendered, interpreted
from drove_gateway.proxies.registry import kind_of
from drove_gateway.status.document import StatusDocument


class _Wishes(msgspec.Struct, frozen=True):
    """The options of the command line."""

    endpoints: dict[str, Path]
    diff: bool
    everything: bool
    as_json: bool

    def say(self, line: str) -> None:
        """A line for people; where programs read stdout, it goes to stderr."""
        click.echo(line, err=self.as_json)

    def well(self, what: str, detail: str) -> None:
        """Something that is as it should be."""
        self.say(f"{click.style('ok', fg='green')}  {what:<14} {detail}")


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway check -f /etc/drove-gateway/nixy.toml", "Before a start or a SIGHUP."),
        (
            "drove-gateway check --diff",
            "Also show how the proxy's file would change.",
        ),
        ("drove-gateway check --json | jq .reload", "Why the proxy would be reloaded."),
        (
            "drove-gateway check --endpoints stage=answer.json",
            "With a saved response of /apis/v1/endpoints instead of the controllers.",
        ),
    ),
    exit_codes={
        0: "Configuration and template are valid, and the proxy's own check accepts the result.",
        1: "One of these checks failed. It is only a warning if no controller leads, or if it is "
        "not known what the proxy runs.",
    },
)
@file_option
@endpoints_option
@click.option("--diff", is_flag=True, help="Show how the proxy's file would change, line by line.")
@click.option("--all", "everything", is_flag=True, help="List everything, without a limit.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the plan as JSON, the rest to stderr.",
)
def check(
    file: Path | None,
    endpoints: dict[str, Path],
    diff: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Check the configuration, and show what the gateway would do with it.

    The command fetches the endpoints from the controllers, applies the guard's rules, renders the
    template, and runs the proxy's own check on the result. Then it reads what the proxy runs, with
    HAProxy's `show` commands, GET requests to the NGINX Plus API, and the URL that proves a reload,
    and prints the plan: which servers would be added or drained, whether the proxy would be
    reloaded, and why.

    Nothing is changed, and the gateway may run at the same time. If the template reads environment
    variables, set them as for the daemon.

    With --json, stdout is one object: `vhosts` and `servers` (numbers), `reload` (the reasons),
    `steps` (each with `action`, `subject` and `reason`), `notes`, `complete` (whether everything
    could be read), `held` and `rejected`. It is empty if nothing is known of the cluster, or if the
    exit code is 1.
    """
    settings = read_configuration(file).settings
    wishes = _Wishes(endpoints, diff, everything, as_json)
    wishes.well("configuration", f"{file or 'from the environment'}")
    try:
        asyncio.run(_check(settings, wishes))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)


async def _check(settings: Settings, wishes: _Wishes) -> None:
    kind = kind_of(settings)
    seen = await _look_at_the_cluster(settings, wishes)
    topology = seen.built.topology if seen else sample_topology(settings)
    text: Rendered | None = None
    if kind.file is not None:
        text = await _check_file(kind.file, topology, _source(seen, wishes), wishes)
    await _say_what_runs(settings, wishes)
    if seen is None:
        wishes.say("no plan: of the cluster nothing is known")
        return
    outside = this_machine(os.environ, Metrics(version=""), structlog.get_logger())
    preview = await kind.preview(topology, seen.applied, text, outside)
    _print_plan(kind.name, preview, seen, wishes)
    if wishes.diff and kind.file is not None and text is not None:
        _print_difference(kind.file, text, wishes)


async def _check_file(
    file: ConfiguredFile, topology: Topology, source: str, wishes: _Wishes
) -> Rendered:
    """Render the file and have the proxy check it. Raises RenderError or ProxyError."""
    text = await rendered(file, topology)
    vhosts, servers = len(topology.apps), sum(len(app.hosts) for app in topology.apps.values())
    wishes.well("template", f"rendered {vhosts} vhosts with {servers} servers {source}")
    if text.interpreted_because:
        warn(f"the template is {interpreted(text.interpreted_because)}")
    wishes.well("proxy's check", await file.check(text.text))
    return text


async def _look_at_the_cluster(settings: Settings, wishes: _Wishes) -> Outlook | None:
    """Return the data that the gateway would use, with warnings; None if there is no data."""
    files = wishes.endpoints
    responses = read_saved(settings, files) if files else await fetch_from_leaders(settings)
    try:
        stored = stored_state(settings)
    except StateError as error:
        where = settings.state_persistence_dir
        warn(f"the stored state in {where} is not weighed against the responses: {error}")
        stored = {}
    if not responses.snapshots and not stored:
        for silence in responses.errors.values():
            warn(str(silence))
        return None
    seen = outlook(
        responses.snapshots,
        stored,
        {namespace.name: namespace.drove for namespace in settings.namespaces},
        assembly.namespace_rules(settings),
        assembly.guard_limits(settings),
    )
    _warn_of(responses, seen)
    rejected = seen.built.rejected
    warn_of_rejected(rejected, *((len(rejected),) if wishes.everything else ()))
    return seen


def _warn_of(responses: EndpointResponses, seen: Outlook) -> None:
    for name, error in responses.errors.items():
        kept = name in seen.restored
        instead = "as it is stored" if kept else "without apps, since nothing is stored of it"
        warn(f"{error}; a start would serve namespace {name} {instead}")
    for held in seen.held:
        warn(
            f"the guard would hold {held.servers} servers of {', '.join(held.vhosts)}: "
            f"{held.reason}; they keep their traffic for {held.remaining:.0f} s, or until "
            "`drove-gateway accept`"
        )


def _source(seen: Outlook | None, wishes: _Wishes) -> str:
    """Return the source of the rendered data."""
    if seen is None:
        return "(made up: no controller responds)"
    source = "from saved responses" if wishes.endpoints else "from the controllers"
    stored = f"as stored of {', '.join(seen.restored)}"
    if not seen.restored:
        return source
    return f"{source}, and {stored}" if seen.built.parts.keys() - seen.restored.keys() else stored


async def _say_what_runs(settings: Settings, wishes: _Wishes) -> None:
    """Whether a gateway with this configuration runs, and what it did last."""
    try:
        document = await request_async(settings, "GET", "/v1/status", StatusDocument)
    except GatewayUnreachable as error:
        wishes.say(f"--  gateway        {error.brief}")
        return
    well = click.style("ok", fg="green") if document.healthy else click.style("!!", fg="red")
    gist = printable(one_line(document, datetime.now(UTC)))
    wishes.say(f"{well}  gateway        runs at {url(settings)}: {gist}")


def _print_plan(proxy: str, found: Preview, seen: Outlook, wishes: _Wishes) -> None:
    if wishes.as_json:
        click.echo(plan_json(found, seen))
        return
    for line in lines(found, proxy, everything=wishes.everything):
        click.echo(printable(line))


def _print_difference(file: ConfiguredFile, text: Rendered, wishes: _Wishes) -> None:
    if not file.installed:
        wishes.say("no difference: reloads are disabled, so no file is written")
        return
    config = file.platform.config
    try:
        before = config_file.read(config)
    except ProxyError as error:
        warn(f"{error}; the difference cannot be shown")
        return
    for line in file_diff(before, text.text, str(config)):
        wishes.say(line)
