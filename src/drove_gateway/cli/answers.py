"""A topology for commands that do not run for long: from live controllers, or from files."""

from collections.abc import Mapping
from pathlib import Path

import click

from drove_gateway.assembly import controllers, namespace_rules
from drove_gateway.config import Settings
from drove_gateway.drove.leader import Standing, leader_of
from drove_gateway.drove.wire import EndpointsDecoder
from drove_gateway.errors import ConfigError, NoLeader
from drove_gateway.model import Leader, Snapshot
from drove_gateway.topology import Built, build


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


def saved(settings: Settings, files: Mapping[str, Path]) -> Built:
    """The topology of saved answers of `/apis/v1/endpoints`, by namespace.

    Namespaces without a file have no apps. Raises ConfigError for a namespace that is not
    configured or a file that cannot be read, BadAnswer for one that holds no answer.
    """
    names = [namespace.name for namespace in settings.namespaces]
    for name in files:
        if name not in names:
            raise ConfigError((f"--endpoints: no namespace {name!r} in {', '.join(names)}",))
    snapshots = {}
    for name, path in files.items():
        try:
            body = path.read_bytes()
        except OSError as error:
            raise ConfigError((f"--endpoints: {path}: {error.strerror}",)) from error
        listing = EndpointsDecoder(name).decode(_answer(body))
        snapshots[name] = Snapshot(name, _first(settings, name), listing.apps, listing.rejected)
    return build(snapshots, namespace_rules(settings))


async def live(settings: Settings) -> Built:
    """The topology that the leaders tell now.

    Raises NoLeader, with what each controller said, or another DroveError.
    """
    snapshots = {}
    for namespace in settings.namespaces:
        async with controllers(settings, namespace) as asked:
            said = [(controller, await controller.ping()) for controller in asked]
            leading = [one for one, ping in said if ping.standing is Standing.LEADS]
            if not leading:
                why = "; ".join(f"{one.url}: {ping.message}" for one, ping in said)
                raise NoLeader(f"namespace {namespace.name}: no controller leads: {why}")
            listing = await leading[0].endpoints(EndpointsDecoder(namespace.name))
            snapshots[namespace.name] = Snapshot(
                namespace.name, leader_of(leading[0].url), listing.apps, listing.rejected
            )
    return build(snapshots, namespace_rules(settings))


def _answer(body: bytes) -> bytes:
    """A whole answer; some save only its `data`."""
    bare = body.lstrip().startswith(b"[")
    return b'{"status":"SUCCESS","data":' + body + b"}" if bare else body


def _first(settings: Settings, name: str) -> Leader:
    """The first configured controller stands for the leader where none is asked."""
    urls = next(one.drove for one in settings.namespaces if one.name == name)
    return leader_of(urls[0])
