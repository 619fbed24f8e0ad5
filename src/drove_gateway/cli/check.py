"""`drove-gateway check`: the configuration, the template, and what the proxy says of both."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from drove_gateway.cli.answers import live
from drove_gateway.cli.files import configuration_path, fail, file_option, read_configuration
from drove_gateway.cli.render import rendered
from drove_gateway.config import Settings
from drove_gateway.drivers import platform
from drove_gateway.errors import DroveError, GatewayError, ProxyError
from drove_gateway.model import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.proxies.commands import run
from drove_gateway.proxies.config_file import discard, write_candidate


@click.command()
@file_option
@click.pass_obj
def check(outer_file: Path | None, file: Path | None) -> None:
    """Check the configuration, the template and, with the proxy's own check, what it renders.

    Exit code 0 when all is well, else 1. Nothing is changed.
    """
    path = configuration_path(file or outer_file)
    settings = read_configuration(path).settings
    _say("configuration", f"{path or 'from the environment'}")
    try:
        asyncio.run(_check(settings))
    except GatewayError as error:
        fail(error)


async def _check(settings: Settings) -> None:
    topology, source = await _topology(settings)
    text = (await rendered(settings, topology)).text
    vhosts, servers = len(topology.apps), sum(len(app.hosts) for app in topology.apps.values())
    _say("template", f"rendered {vhosts} vhosts with {servers} servers {source}")
    proxy = platform(settings)
    if proxy.check is None:
        _say("proxy's check", "disabled in the configuration")
        return
    with _written(proxy.config, text) as file:
        command = proxy.check(file)
        finished = await run(command, timeout=settings.command_timeout_sec)
    if finished.exit_code != 0:
        click.echo(finished.output.replace(str(file), str(proxy.config)), err=True)
        click.secho(f"error: {proxy.name} refuses the rendered configuration", fg="red", err=True)
        sys.exit(1)
    _say("proxy's check", " ".join(command).replace(str(file), str(proxy.config)))


@contextmanager
def _written(config: Path, text: str) -> Iterator[Path]:
    """`text` in a file beside `config`, so that relative includes are found; where this user
    cannot write there, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="drove-gateway-check-") as directory:
        try:
            file = write_candidate(config, text)
        except ProxyError:
            file = write_candidate(Path(directory) / config.name, text)
        try:
            yield file
        finally:
            discard(file)


async def _topology(settings: Settings) -> tuple[Topology, str]:
    """What the controllers tell, or, where none answers, an app made up to try the template."""
    try:
        return (await live(settings)).topology, "as the controllers tell them"
    except DroveError as error:
        click.secho(f"warning: {error}", fg="yellow", err=True)
        return _made_up(settings), "(made up: no controller answers)"


def _made_up(settings: Settings) -> Topology:
    """A vhost of the documentation's names and addresses, in one group."""
    hosts = (Host("192.0.2.10", 31000, "http"), Host("2001:db8::10", 31001, "http"))
    vhost = "app.example.com"
    tag = settings.namespaces[0].routing_tag if settings.namespaces else ""
    return Topology(
        apps={vhost: App(vhost, vhost, hosts, {}, {vhost: HostGroup(hosts, {})}, tag)},
        namespaces={
            one.name: Namespace(
                one.leader_vhost,
                Leader("http://192.0.2.1:10000", "192.0.2.1", 10000),
                one.routing_tag,
            )
            for one in settings.namespaces
        },
    )


def _say(what: str, detail: str) -> None:
    click.echo(f"{click.style('ok', fg='green')}  {what:<14} {detail}")
