"""Everything that is settled before the first process starts, so that errors show at once."""

import shutil
import sys
from collections.abc import Mapping

import msgspec

from drove_gateway.config import Settings, load
from drove_gateway.container.context import requested_setup
from drove_gateway.container.files import write
from drove_gateway.container.setup import ContainerContext, ContainerSetup
from drove_gateway.container.supervised_proxy import SupervisedProxy, supervised_proxy
from drove_gateway.daemon import drivers
from drove_gateway.daemon.assembly import namespace_rules
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.installation.render import context, render
from drove_gateway.topology.build import build


class Prepared(msgspec.Struct, frozen=True):
    """What to start: the proxy, and the gateway as a command."""

    setup: ContainerSetup
    settings: Settings
    proxy: SupervisedProxy
    gateway: tuple[str, ...]


async def prepare(environ: Mapping[str, str], place: ContainerContext) -> Prepared:
    """Write the generated files, and read configuration and template as the gateway will.

    Raises ConfigError, RenderError or FilesError.
    """
    wanted = requested_setup(environ, place)
    for path, text in wanted.generated.items():
        write(path, text)
    settings = load(wanted.file, wanted.environ).settings
    _find_program(settings, wanted.environ)
    empty = await _without_apps(settings, wanted.environ)
    return Prepared(
        setup=wanted,
        settings=settings,
        proxy=supervised_proxy(settings, empty, place.directory),
        gateway=(*_this_program(), "-f", str(wanted.file)),
    )


async def _without_apps(settings: Settings, environ: Mapping[str, str]) -> str:
    """What the template makes of a cluster without apps."""
    template = (await drivers.template(settings, environ)).newest()
    topology = build({}, namespace_rules(settings)).topology
    return render(template, context(topology, settings, settings.xproxy)).text


def _find_program(settings: Settings, environ: Mapping[str, str]) -> None:
    haproxy = settings.proxy_platform == "haproxy"
    key = "haproxy_cmd" if haproxy else "nginx_cmd"
    program = (settings.haproxy_argv if haproxy else settings.nginx_argv)[0]
    if shutil.which(program, path=environ.get("PATH")) is None:
        text = (
            f"{key}: the program {program!r} is missing in this container; is it the image for the "
            f"other proxy? proxy_platform is {settings.proxy_platform!r}"
        )
        raise ConfigError((text,))


def _this_program() -> tuple[str, ...]:
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "drove_gateway")
