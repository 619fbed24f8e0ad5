"""Everything that is settled before the first process starts, so that errors show at once."""

import shutil
import sys
from collections.abc import Mapping

import msgspec

from drove_gateway.config import Settings, load
from drove_gateway.container.context import requested_setup
from drove_gateway.container.files import write
from drove_gateway.container.setup import ContainerSetup
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.local import ContainerPlace, SupervisedProxy
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.registry import KINDS, kind_of
from drove_gateway.topology.build import build


class Prepared(msgspec.Struct, frozen=True):
    """What to start: the proxy, and the gateway as a command."""

    setup: ContainerSetup
    settings: Settings
    proxy: SupervisedProxy
    gateway: tuple[str, ...]


async def prepare(environ: Mapping[str, str], place: ContainerPlace) -> Prepared:
    """Write the generated files, and read configuration and template as the gateway will.

    Raises ConfigError, RenderError or FilesError.
    """
    wanted = requested_setup(environ, place)
    for path, text in wanted.generated.items():
        write(path, text)
    settings = load(wanted.file, wanted.environ).settings
    file, empty = kind_of(settings).file, ""
    if file is not None:
        _find_program(file, settings, wanted.environ)
        empty = await _without_apps(file, settings, wanted.environ)
    return Prepared(
        setup=wanted,
        settings=settings,
        proxy=KINDS[settings.proxy_platform].in_container.supervised(
            settings, empty, place.directory
        ),
        gateway=(*_this_program(), "-f", str(wanted.file)),
    )


async def _without_apps(
    file: ConfiguredFile, settings: Settings, environ: Mapping[str, str]
) -> str:
    """Return the configuration for a cluster without apps."""
    topology = build({}, namespace_rules(settings)).topology
    return (await file.rendered(topology, environ, "")).text


def _find_program(file: ConfiguredFile, settings: Settings, environ: Mapping[str, str]) -> None:
    program = file.program.command[0]
    if shutil.which(program, path=environ.get("PATH")) is None:
        text = (
            f"{file.program.setting}: the program {program!r} is missing in this container; is it "
            f"the image for another proxy? proxy_platform is {settings.proxy_platform!r}"
        )
        raise ConfigError((text,))


def _this_program() -> tuple[str, ...]:
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "drove_gateway")
