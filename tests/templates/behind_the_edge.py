"""The instances behind the proxies of the behaviour table, and what the proxies need."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.templates.edge import (
    certificate,
    hosts,
    pairs,
    programs,
    refused,
    vhosts,
)
from tests.templates.instances import Instance

from drove_gateway.model.vocabulary import Host

PAIRS = pairs()


class Bench:
    """The instances behind all proxies."""

    def __init__(self) -> None:
        self.one, self.two = Instance("one"), Instance("two")
        self.fragile = [Instance(f"fragile{number}") for number in range(6)]
        self.acme = Instance("acme")
        self.desired = vhosts(
            web=hosts(self.one, self.two),
            fragile=hosts(*self.fragile),
            dead=refused(3),
            lonely=refused(1),
            shrunk=(*refused(19), *hosts(self.one), *refused(38)[19:], *hosts(self.two)),
            raw=(Host("127.0.0.1", 9, "tcp"),),
        )


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        certificate(directory, "default", "default.local")
        certificate(directory, "web.local", "web.local")
        certificate(directory, "_.wild.local", "*.wild.local")
        yield directory


@pytest.fixture(scope="module", params=PAIRS, ids="+".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """A shipped template, and the program of a proxy."""
    name, proxy = request.param
    program = programs().get(proxy)
    if program is None:
        pytest.skip(f"{proxy} cannot be installed on this machine")
    return name, program
