"""This container: who it runs as, where its files go, and what its environment configures."""

import os
from collections.abc import Mapping
from pathlib import Path

from drove_gateway.container.setup import Choice, ContainerSetup, container_setup
from drove_gateway.proxies.local import ContainerPlace
from drove_gateway.proxies.registry import CONTAINERS
from drove_gateway.templates import shipped

_STDOUT = "/dev/stdout"


def this_container(directory: Path, state: Path) -> ContainerPlace:
    """This container, with these two directories."""
    return ContainerPlace(
        directory=directory, state=state, root=os.geteuid() == 0, stdout=_opens(_STDOUT)
    )


def requested_setup(environ: Mapping[str, str], place: ContainerPlace) -> ContainerSetup:
    """Return the setup that the environment configures. Raises ConfigError."""
    choices = {name: Choice(runs, shipped(name)) for name, runs in CONTAINERS.items()}
    return container_setup(environ, place, choices)


def _opens(name: str) -> bool:
    """Whether a log can be opened there: a terminal of another user's or a socket cannot."""
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_APPEND))
    except OSError:
        return False
    return True
