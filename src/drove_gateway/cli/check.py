"""`drove-gateway check`: is all well, and what would happen?"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from drove_gateway.cli.answers import Told, ask_leaders, endpoints_option, read_saved
from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.difference import difference
from drove_gateway.cli.files import (
    configuration_path,
    fail,
    print_problems,
    read_configuration,
    warn,
    warn_of_rejected,
)
from drove_gateway.cli.gateway_api import GatewayUnreachable, ask_now, url
from drove_gateway.cli.outlook import Outlook, outlook
from drove_gateway.cli.plan_json import plan_json
from drove_gateway.cli.plan_text import lines
from drove_gateway.cli.printable import printable
from drove_gateway.cli.proxy_check import made_up, proxy_check
from drove_gateway.cli.render import rendered
from drove_gateway.cli.status.text import one_line
from drove_gateway.config import Settings
from drove_gateway.daemon import assembly
from drove_gateway.daemon.drivers import platform, preview, runtime_only
from drove_gateway.model.errors import ConfigError, GatewayError, ProxyError, StateError
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.preview import Preview
from drove_gateway.proxies.installation.render import Rendered, interpreted
from drove_gateway.status.document import StatusDocument


class _Wishes(msgspec.Struct, frozen=True):
    """What is asked for on the command line."""

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
        ("drove-gateway check -f /etc/drove-gateway/nixy.toml", "Before a start, or a SIGHUP."),
        ("drove-gateway check --diff", "With each line that would change in the proxy's file."),
        ("drove-gateway check --json | jq .reload", "Why the proxy would be reloaded."),
        (
            "drove-gateway check --endpoints stage=answer.json",
            "With a saved answer of /apis/v1/endpoints instead of live controllers.",
        ),
    ),
    exit_codes={
        0: "Configuration and template can be used, and the proxy's own check takes the result.",
        1: "One of them is not well. That no controller leads, or that the proxy cannot be asked "
        "what it runs, is only a warning.",
    },
)
@file_option
@endpoints_option
@click.option("--diff", is_flag=True, help="Show how the proxy's file would change, line by line.")
@click.option("--all", "everything", is_flag=True, help="Name everything, however much it is.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON; all else goes to stderr.")
@click.pass_obj
def check(
    outer_file: Path | None,
    file: Path | None,
    endpoints: dict[str, Path],
    diff: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Check the configuration, and tell what the gateway would do with it.

    It asks the controllers, weighs their answers as the guard does, renders the template, and has
    the proxy's own check judge the result. Then it reads what the proxy runs, by HAProxy's `show`
    commands, GET requests to NGINX Plus's API, and the generation's URL, and prints the plan: which
    servers would be added or drained, whether the proxy would be reloaded, and why.

    Nothing is changed. It may run beside the gateway. Where the template asks for environment
    variables, give it those of the daemon.

    With --json, stdout has one object: `vhosts` and `servers` (how many), `reload` (the reasons),
    `steps` (each with `action`, `subject` and `reason`), `notes`, `complete` (whether all could be
    read), `held` and `rejected`. Where nothing is known of the cluster, or the exit code is 1, it
    has nothing.
    """
    path = configuration_path(file or outer_file)
    settings = read_configuration(path).settings
    wishes = _Wishes(endpoints, diff, everything, as_json)
    wishes.well("configuration", f"{path or 'from the environment'}")
    try:
        asyncio.run(_check(settings, wishes))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)


async def _check(settings: Settings, wishes: _Wishes) -> None:
    seen = await _look_at_the_cluster(settings, wishes)
    topology = seen.built.topology if seen else made_up(settings)
    source = _source(seen, wishes)
    text = await rendered(settings, topology)
    vhosts, servers = len(topology.apps), sum(len(app.hosts) for app in topology.apps.values())
    wishes.well("template", f"rendered {vhosts} vhosts with {servers} servers {source}")
    if text.interpreted_because:
        warn(f"the template is {interpreted(text.interpreted_because)}")
    wishes.well("proxy's check", await proxy_check(settings, text))
    await _say_what_runs(settings, wishes)
    if seen is None:
        wishes.say("no plan: of the cluster nothing is known")
        return
    _print_plan(settings, await preview(settings, topology, text, seen.applied), seen, wishes)
    if wishes.diff:
        _print_difference(settings, text, wishes)


async def _look_at_the_cluster(settings: Settings, wishes: _Wishes) -> Outlook | None:
    """What the gateway would work with, its doubts told; None where nothing is known at all."""
    files = wishes.endpoints
    told = read_saved(settings, files) if files else await ask_leaders(settings)
    try:
        stored = assembly.stored_state(settings)
    except StateError as error:
        where = settings.state_persistence_dir
        warn(f"the stored state in {where} is not weighed against the answers: {error}")
        stored = {}
    if not told.snapshots and not stored:
        for silence in told.silent.values():
            warn(str(silence))
        return None
    seen = outlook(
        told.snapshots,
        stored,
        {one.name: one.drove for one in settings.namespaces},
        assembly.namespace_rules(settings),
        assembly.limits(settings),
    )
    _warn_of(told, seen)
    rejected = seen.built.rejected
    warn_of_rejected(rejected, *((len(rejected),) if wishes.everything else ()))
    return seen


def _warn_of(told: Told, seen: Outlook) -> None:
    for name, error in told.silent.items():
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
    """Whose word is rendered."""
    if seen is None:
        return "(made up: no controller answers)"
    told = "of the saved answers" if wishes.endpoints else "as the controllers tell them"
    stored = f"as stored of {', '.join(seen.restored)}"
    if not seen.restored:
        return told
    return f"{told}, and {stored}" if seen.built.parts.keys() - seen.restored.keys() else stored


async def _say_what_runs(settings: Settings, wishes: _Wishes) -> None:
    """Whether a gateway with this configuration runs, and what it did last."""
    try:
        document = await ask_now(settings, "GET", "/v1/status", StatusDocument)
    except GatewayUnreachable as error:
        wishes.say(f"--  gateway        {error.brief}")
        return
    well = click.style("ok", fg="green") if document.healthy else click.style("!!", fg="red")
    gist = printable(one_line(document, datetime.now(UTC)))
    wishes.say(f"{well}  gateway        runs at {url(settings)}: {gist}")


def _print_plan(settings: Settings, found: Preview, seen: Outlook, wishes: _Wishes) -> None:
    if wishes.as_json:
        click.echo(plan_json(found, seen))
        return
    for line in lines(found, platform(settings).name, everything=wishes.everything):
        click.echo(printable(line))


def _print_difference(settings: Settings, text: Rendered, wishes: _Wishes) -> None:
    if runtime_only(settings):
        wishes.say("no difference: reloads are disabled, so no file is written")
        return
    config = platform(settings).config
    try:
        before = config_file.read(config)
    except ProxyError as error:
        warn(f"{error}; the difference cannot be shown")
        return
    for line in difference(before, text.text, str(config)):
        wishes.say(line)
