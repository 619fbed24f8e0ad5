"""The endpoints for commands that do not keep running: from the controllers, or from files."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.daemon.controllers import controllers
from drove_gateway.drove.client import DENIED
from drove_gateway.drove.leader import Standing, leader_of
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.model.errors import (
    AccessDenied,
    BadResponse,
    ConfigError,
    ControllerRefused,
    DroveError,
    NoLeader,
)
from drove_gateway.model.vocabulary import Leader, Snapshot
from drove_gateway.model.wording import by_message
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.topology.build import TopologyBuild, build


def _files(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Path]:
    files = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"{pair!r} is not NAMESPACE=FILE")
        files[name] = Path(path)
    return files


def endpoints_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--endpoints NAMESPACE=FILE`, repeatable: saved responses instead of the controllers'."""
    return click.option(
        "--endpoints",
        multiple=True,
        callback=_files,
        metavar="NAMESPACE=FILE",
        help="Use a saved response of /apis/v1/endpoints instead of the controllers. Repeatable.",
    )(function)


class EndpointResponses(msgspec.Struct, frozen=True):
    """The endpoints of each namespace; `errors` has the namespaces without a response."""

    snapshots: Mapping[str, Snapshot]
    errors: Mapping[str, DroveError]


def saved_topology(settings: Settings, files: Mapping[str, Path]) -> TopologyBuild:
    """Build the topology of saved responses. Raises as `read_saved` does."""
    return build(read_saved(settings, files).snapshots, namespace_rules(settings))


def read_saved(settings: Settings, files: Mapping[str, Path]) -> EndpointResponses:
    """Read saved responses of `/apis/v1/endpoints`. A namespace without a file has no apps.

    Raises ConfigError for a namespace that is not configured or a file that cannot be read,
    BadResponse for a file that does not contain a response.
    """
    names = [namespace.name for namespace in settings.namespaces]
    for name in files:
        if name not in names:
            raise ConfigError((f"--endpoints: no namespace {name!r} in {', '.join(names)}",))
    return EndpointResponses(
        {name: _read(settings, name, path) for name, path in files.items()}, {}
    )


def _read(settings: Settings, name: str, path: Path) -> Snapshot:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ConfigError((f"--endpoints: {path}: {error.strerror}",)) from error
    try:
        listing = EndpointsDecoder(name).decode(_complete(body))
    except BadResponse as error:
        raise BadResponse(f"--endpoints: {path}: {error}") from error
    return Snapshot(name, _first_controller(settings, name), listing.apps, listing.rejected)


async def live_topology(settings: Settings) -> TopologyBuild:
    """Build the topology of the leaders' current responses.

    Raises NoLeader, with the message of each controller, or another DroveError.
    """
    responses = await fetch_from_leaders(settings)
    for error in responses.errors.values():
        raise error
    return build(responses.snapshots, namespace_rules(settings))


async def fetch_from_leaders(settings: Settings) -> EndpointResponses:
    """Fetch the endpoints of all namespaces at once. Raises ConfigError for a bad CA file."""
    fetched = await asyncio.gather(*(_fetch(settings, each) for each in settings.namespaces))
    results = {each.name: result for each, result in zip(settings.namespaces, fetched, strict=True)}
    return EndpointResponses(
        {name: each for name, each in results.items() if isinstance(each, Snapshot)},
        {name: each for name, each in results.items() if isinstance(each, DroveError)},
    )


async def _fetch(settings: Settings, namespace: NamespaceSettings) -> Snapshot | DroveError:
    name = namespace.name
    async with controllers(settings, namespace) as configured:
        pings = await asyncio.gather(*(controller.ping() for controller in configured))
        pinged = tuple(zip(configured, pings, strict=True))
        leading = [controller for controller, ping in pinged if ping.standing is Standing.LEADS]
        if not leading:
            messages = by_message((controller.url, ping.message) for controller, ping in pinged)
            if any(ping.denied for ping in pings):
                return AccessDenied(
                    f"namespace {name}: the controllers refuse the credentials; check user and "
                    f"pass, or access_token: {messages}"
                )
            messages = messages or "none is configured"
            return NoLeader(f"namespace {name}: no controller leads: {messages}")
        try:
            listing = await leading[0].endpoints(EndpointsDecoder(name))
        except ControllerRefused as error:
            return AccessDenied(str(error)) if error.status in DENIED else error
        except DroveError as error:
            return error
    return Snapshot(name, leader_of(leading[0].url), listing.apps, listing.rejected)


def _complete(body: bytes) -> bytes:
    """A complete response, also if only its `data` was saved."""
    bare = body.lstrip().startswith(b"[")
    return b'{"status":"SUCCESS","data":' + body + b"}" if bare else body


def _first_controller(settings: Settings, name: str) -> Leader:
    """The first configured controller, if any, which is shown as a saved response's leader."""
    urls = next(namespace.drove for namespace in settings.namespaces if namespace.name == name)
    return leader_of(urls[0]) if urls else Leader()
