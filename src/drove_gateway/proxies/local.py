"""What it takes to run a kind of proxy on this machine: in the container and in the demo."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import Signals
from typing import Any

import msgspec

from drove_gateway.config import Settings


class SupervisedProxy(msgspec.Struct, frozen=True):
    """A proxy to be supervised.

    `first` is the text that `config` has at the start, None where the file is the operator's own.
    `drain` lets running requests finish and ends it; `reopen` makes it open its log files again.
    `noise` matches lines of its output that say nothing, and that every reload repeats by the
    thousand; None where there are none.
    """

    name: str
    command: tuple[str, ...]
    config: Path
    first: str | None
    drain: Signals
    reopen: Signals | None
    noise: re.Pattern[bytes] | None = None


class ContainerPlace(msgspec.Struct, frozen=True):
    """What differs between containers. `directory` is for files of this run, `state` for those
    that should outlive it; `root` is whether we run as root, `stdout` whether it can be opened by
    name."""

    directory: Path
    state: Path
    root: bool
    stdout: bool


class InContainer(msgspec.Struct, frozen=True):
    """How a kind of proxy runs in the container.

    `settings` returns the keys of nixy.toml for a container without a file, given the path of the
    template. `variables` returns the defaults of what the shipped template reads. `supervised`
    returns the process for settings and for what their template renders without apps; it raises
    ConfigError when the gateway could not reload that process.
    """

    settings: Callable[[ContainerPlace, Path], Mapping[str, str]]
    variables: Callable[[ContainerPlace], Mapping[str, str]]
    supervised: Callable[[Settings, str, Path], SupervisedProxy]


class LocalProxy(msgspec.Struct, frozen=True):
    """A proxy on this machine, and what a gateway needs to know to drive it.

    `settings` are keys of nixy.toml, `environ` the variables that the shipped template reads.
    """

    kind: str
    program: Path
    port: int
    config: Path
    template: Path
    settings: Mapping[str, Any]
    environ: Mapping[str, str]
    pid: int = 0


class DemoPlace(msgspec.Struct, frozen=True):
    """Where a proxy of the demo keeps its files, and the ports for clients and for the proof."""

    program: Path
    directory: Path
    port: int
    proof: int

    def proxy(
        self,
        kind: str,
        config: Path,
        template: Path,
        *,
        settings: Mapping[str, Any],
        environ: Mapping[str, str],
    ) -> LocalProxy:
        """Return the proxy with these files, whose template listens on the ports of this place."""
        ports = {"PROXY_HTTP_PORT": str(self.port), "GENERATION_PORT": str(self.proof)}
        return LocalProxy(
            kind, self.program, self.port, config, template, settings, {**ports, **environ}
        )


class InDemo(msgspec.Struct, frozen=True):
    """How a proxy runs in the demo: the command that installs it, and how it is started.

    `find` returns the path of its program where that is not the one on the PATH; it raises
    ImportError or FileNotFoundError where it is not installed. `prepare` writes a configuration
    that serves nothing yet and returns the command.
    """

    install: str
    find: Callable[[], str]
    prepare: Callable[[DemoPlace], tuple[LocalProxy, tuple[str, ...]]]
