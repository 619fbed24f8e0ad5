"""`drove-gateway check`: check the configuration, and show what the gateway would do."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.endpoint_responses import (
    EndpointResponses,
    endpoints_option,
    fetch_from_leaders,
    read_saved,
)
from drove_gateway.cli.file_diff import file_diff
from drove_gateway.cli.forecast import Forecast, forecast
from drove_gateway.cli.gateway_client import GatewayUnreachable, request_async, url
from drove_gateway.cli.messages import (
    fail,
    print_problems,
    say,
    warn,
    warn_of_rejected,
    warnings_so_far,
)
from drove_gateway.cli.plan_json import plan_json
from drove_gateway.cli.plan_text import lines, with_disagreement
from drove_gateway.cli.render import rendered
from drove_gateway.cli.sample_topology import sample_topology
from drove_gateway.cli.status.text import one_line
from drove_gateway.cli.template_choice import template_option, with_template
from drove_gateway.cli.template_values import doubtful_values
from drove_gateway.cli.terminal import fitted, terminal_width
from drove_gateway.config import Settings
from drove_gateway.daemon import assembly
from drove_gateway.daemon.applied_state import stored_state
from drove_gateway.daemon.configuration_texts import configuration_texts
from drove_gateway.daemon.outside import this_machine
from drove_gateway.log.lines import logger
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import (
    AccessDenied,
    ConfigError,
    GatewayError,
    ProxyError,
    StateError,
)
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.wording import count_of, printable
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.installation.preview import Preview
from drove_gateway.proxies.installation.render import Rendered, interpreted
from drove_gateway.proxies.installation.template_data import template_variables
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.registry import kind_of
from drove_gateway.state.document import StoredNamespace
from drove_gateway.status.document import StatusDocument

_DENIED = 3
_WARNED = 4


class _Options(msgspec.Struct, frozen=True):
    """The options of the command line."""

    endpoints: dict[str, Path]
    template: Path | None
    diff: bool
    everything: bool
    as_json: bool

    @property
    def as_the_gateway(self) -> bool:
        """Whether template and data are those that a running gateway has."""
        return not self.endpoints and self.template is None

    def say(self, line: str) -> None:
        """Print a line for people: to stderr if programs read stdout."""
        click.echo(line, err=self.as_json)

    def ok(self, subject: str, detail: str) -> None:
        """Print that a check succeeded."""
        line = fitted(f"ok  {subject:<14} {detail}", terminal_width(stderr=self.as_json))
        self.say(click.style("ok", fg="green") + line.removeprefix("ok"))


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway check -f /etc/drove-gateway/nixy.toml", "Before a start or a SIGHUP."),
        (
            "drove-gateway check --diff",
            "Also show how the proxy's file would change.",
        ),
        ("drove-gateway check --json | jq .reload", "Why the proxy would be reloaded."),
        ("drove-gateway check --template new.tmpl", "Try a template before it is live."),
        (
            "drove-gateway check --endpoints stage=answer.json",
            "With a saved response of /apis/v1/endpoints instead of the controllers.",
        ),
    ),
    exit_codes={
        0: "Configuration and template are valid, and the proxy's own check accepts the result.",
        1: "One of these checks failed. It is only a warning if no controller leads, or if it is "
        "not known what the proxy runs.",
        3: "The controllers of a namespace refuse the credentials.",
        4: "With --strict: there was a warning.",
    },
)
@file_option
@endpoints_option
@template_option
@click.option("--diff", is_flag=True, help="Show how the proxy's file would change, line by line.")
@click.option("--strict", is_flag=True, help="Fail if there is a warning, with exit code 4.")
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
    template: Path | None,
    diff: bool,
    strict: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Check the configuration, and show what the gateway would do with it.

    The command fetches the endpoints from the controllers, applies the guard's rules, renders the
    template, runs the proxy's own check on the result, and warns of what passes that check and
    loses requests. Then it reads what the proxy runs, with
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
    settings = read_configuration(file, contacts_proxy=True).settings
    options = _Options(endpoints, template, diff, everything, as_json)
    options.ok("configuration", f"{file or 'from the environment'}")
    try:
        denied = asyncio.run(_check(settings, options))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)
    if denied:
        raise SystemExit(_DENIED)
    if strict and warnings_so_far():
        raise SystemExit(_WARNED)


async def _check(settings: Settings, options: _Options) -> bool:
    """Check and print everything; return whether controllers refuse the credentials."""
    responses = await _responses(settings, options)
    await _check_with(responses, settings, options)
    return any(isinstance(error, AccessDenied) for error in responses.errors.values())


async def _check_with(responses: EndpointResponses, settings: Settings, options: _Options) -> None:
    kind = kind_of(settings)
    file = with_template(kind.file, options.template)
    expected = _forecast(responses, settings, options)
    topology = expected.built.topology if expected else sample_topology(settings)
    text: Rendered | None = None
    if file is not None:
        text = await _check_file(file, topology, _source(expected, options), options)
    running = await _print_gateway(settings, options)
    if expected is None:
        options.say("no plan: nothing is known of the cluster")
        return
    outside = this_machine(os.environ, Metrics(version=""), logger("warn", sys.stderr))
    preview = await kind.preview(topology, expected.applied, text, outside)
    if running is not None and options.as_the_gateway:
        preview = with_disagreement(preview, running)
    _print_plan(kind.name, preview, expected, options)
    if options.diff and file is not None and text is not None:
        _print_diff(file, text, options)


async def _check_file(
    file: ConfiguredFile, topology: Topology, source: str, options: _Options
) -> Rendered:
    """Render the file and have the proxy check it. Raises RenderError or ProxyError."""
    text = await rendered(file, topology)
    vhosts = count_of(len(topology.apps), "vhost")
    servers = count_of(sum(len(app.hosts) for app in topology.apps.values()), "server")
    options.ok("template", f"rendered {vhosts} with {servers} {source}")
    if text.interpreted_because:
        warn(f"the template is {interpreted(text.interpreted_because)}")
    table, source_text = file.settings.template, file.template_path.read_text(errors="replace")
    for doubt in doubtful_values(table, template_variables(table, os.environ), source_text):
        warn(doubt)
    options.ok("proxy's check", await file.check(text.text))
    for loss in await file.warnings(text.text):
        warn(loss)
    return text


def _forecast(
    responses: EndpointResponses, settings: Settings, options: _Options
) -> Forecast | None:
    """What a gateway would serve, with warnings printed; None if nothing is known."""
    stored = _stored(settings)
    if not responses.snapshots and not stored:
        for error in responses.errors.values():
            warn(str(error))
        return None
    expected = forecast(
        responses.snapshots,
        stored,
        {namespace.name: namespace.drove for namespace in settings.namespaces},
        namespace_rules(settings),
        assembly.guard_limits(settings),
    )
    _warn_of(responses, expected)
    rejected = expected.built.rejected
    warn_of_rejected(rejected, *((len(rejected),) if options.everything else ()))
    return expected


async def _responses(settings: Settings, options: _Options) -> EndpointResponses:
    if options.endpoints:
        return read_saved(settings, options.endpoints)
    return await fetch_from_leaders(settings)


def _stored(settings: Settings) -> Mapping[str, StoredNamespace]:
    try:
        return stored_state(settings)
    except StateError as error:
        warn(f"ignoring the stored state in {settings.state_persistence_dir}: {error}")
        return {}


def _warn_of(responses: EndpointResponses, expected: Forecast) -> None:
    for name, error in responses.errors.items():
        stored = name in expected.restored
        instead = "from the stored state" if stored else "without apps, because none are stored"
        warn(f"{error}; a start would serve namespace {name} {instead}")
    for held in expected.held:
        servers = count_of(held.servers, "server")
        warn(
            f"the guard would hold {servers} of {', '.join(held.vhosts)} as long as "
            f"they accept connections: {held.reason}; they stay in traffic for "
            f"{held.remaining:.0f} s, or until `drove-gateway accept`"
        )


def _source(expected: Forecast | None, options: _Options) -> str:
    """Where the rendered topology comes from."""
    if expected is None:
        return "(sample data: no controller responds)"
    responses = "from saved responses" if options.endpoints else "from the controllers"
    stored = f"from the stored state of {', '.join(expected.restored)}"
    if not expected.restored:
        return responses
    fetched = expected.built.parts.keys() - expected.restored.keys()
    return f"{responses} and {stored}" if fetched else stored


async def _print_gateway(settings: Settings, options: _Options) -> StatusDocument | None:
    """Print whether a gateway with this configuration runs; return its status."""
    try:
        document = await request_async(settings, "GET", "/v1/status", StatusDocument)
    except GatewayUnreachable as error:
        options.say(f"--  gateway        {error.brief}")
        return None
    mark = click.style("ok", fg="green") if document.healthy else click.style("!!", fg="red")
    summary = printable(one_line(document, datetime.now(UTC)))
    options.say(f"{mark}  gateway        runs at {url(settings)}: {summary}")
    return document


def _print_plan(proxy: str, preview: Preview, expected: Forecast, options: _Options) -> None:
    if options.as_json:
        click.echo(plan_json(preview, expected))
        return
    for line in lines(preview, proxy, everything=options.everything):
        say(line)


def _print_diff(file: ConfiguredFile, text: Rendered, options: _Options) -> None:
    if not file.installed:
        options.say("no diff: reloads are disabled, so no file is written")
        return
    config = file.platform.config
    try:
        before = config_file.read(config)
    except ProxyError as error:
        warn(f"{error}; the diff cannot be shown")
        return
    hide = configuration_texts(file.settings, os.environ).hide
    for line in file_diff(before, text.text, str(config), hide):
        options.say(line)
