"""A topology for commands that do not run for long: from live controllers, or from files."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.daemon.assembly import controllers, namespace_rules
from drove_gateway.drove.leader import Standing, leader_of
from drove_gateway.drove.wire import EndpointsDecoder
from drove_gateway.model.errors import BadResponse, ConfigError, DroveError, NoLeader
from drove_gateway.model.vocabulary import Leader, Snapshot
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
    """`--endpoints NAMESPACE=FILE`, repeatable: saved answers instead of live ones."""
    return click.option(
        "--endpoints",
        multiple=True,
        callback=_files,
        metavar="NAMESPACE=FILE",
        help="Use a saved answer of /apis/v1/endpoints instead of asking the controllers.",
    )(function)


class Told(msgspec.Struct, frozen=True):
    """What the namespaces' leaders listed; `silent` says why others told nothing."""

    snapshots: Mapping[str, Snapshot]
    silent: Mapping[str, DroveError]


def saved(settings: Settings, files: Mapping[str, Path]) -> TopologyBuild:
    """The topology of saved answers; raises as `read_saved` does."""
    return build(read_saved(settings, files).snapshots, namespace_rules(settings))


def read_saved(settings: Settings, files: Mapping[str, Path]) -> Told:
    """Saved answers of `/apis/v1/endpoints`, by namespace. One without a file has no apps.

    Raises ConfigError for a namespace that is not configured or a file that cannot be read,
    BadAnswer for one that holds no answer.
    """
    names = _names(settings)
    for name in files:
        if name not in names:
            raise ConfigError((f"--endpoints: no namespace {name!r} in {', '.join(names)}",))
    return Told({name: _read(settings, name, path) for name, path in files.items()}, {})


def _read(settings: Settings, name: str, path: Path) -> Snapshot:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ConfigError((f"--endpoints: {path}: {error.strerror}",)) from error
    try:
        listing = EndpointsDecoder(name).decode(_answer(body))
    except BadResponse as error:
        raise BadResponse(f"--endpoints: {path}: {error}") from error
    return Snapshot(name, _first(settings, name), listing.apps, listing.rejected)


async def live(settings: Settings) -> TopologyBuild:
    """The topology that the leaders tell now.

    Raises NoLeader, with what each controller said, or another DroveError.
    """
    told = await ask_leaders(settings)
    for error in told.silent.values():
        raise error
    return build(told.snapshots, namespace_rules(settings))


async def ask_leaders(settings: Settings) -> Told:
    """Ask the leader of every namespace at once. Raises ConfigError for a bad CA file."""
    asked = [_ask_leader(settings, namespace) for namespace in settings.namespaces]
    told = dict(zip(_names(settings), await asyncio.gather(*asked), strict=True))
    return Told(
        {name: one for name, one in told.items() if isinstance(one, Snapshot)},
        {name: one for name, one in told.items() if isinstance(one, DroveError)},
    )


async def _ask_leader(settings: Settings, namespace: NamespaceSettings) -> Snapshot | DroveError:
    name = namespace.name
    async with controllers(settings, namespace) as asked:
        pings = await asyncio.gather(*(controller.ping() for controller in asked))
        said = tuple(zip(asked, pings, strict=True))
        leading = [one for one, ping in said if ping.standing is Standing.LEADS]
        if not leading:
            why = "; ".join(f"{one.url}: {ping.message}" for one, ping in said)
            return NoLeader(f"namespace {name}: no controller leads: {why}")
        try:
            listing = await leading[0].endpoints(EndpointsDecoder(name))
        except DroveError as error:
            return error
    return Snapshot(name, leader_of(leading[0].url), listing.apps, listing.rejected)


def _names(settings: Settings) -> list[str]:
    return [namespace.name for namespace in settings.namespaces]


def _answer(body: bytes) -> bytes:
    """A whole answer; some save only its `data`."""
    bare = body.lstrip().startswith(b"[")
    return b'{"status":"SUCCESS","data":' + body + b"}" if bare else body


def _first(settings: Settings, name: str) -> Leader:
    """The first configured controller stands for the leader where none is asked."""
    urls = next(one.drove for one in settings.namespaces if one.name == name)
    return leader_of(urls[0])
