"""The HAProxy programs to test with, and a gateway's half around one of them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests import newer_debian
from tests.proxies.haproxy.gateway import Gateway
from tests.traffic import Instance

# Further programs than the installed one, separated by colons.
_PROGRAMS = [path for path in os.environ.get("HAPROXY_BINARIES", "").split(":") if path]


@pytest.fixture(params=["", *_PROGRAMS], ids=lambda path: Path(path).name or "installed")
def program(request: pytest.FixtureRequest, haproxy: Path) -> Path:
    """Each HAProxy under test: the installed one, and those of HAPROXY_BINARIES."""
    return Path(request.param) if request.param else haproxy


@pytest.fixture
async def make_gateway(program: Path, short_path: Path) -> AsyncIterator[Callable[..., Gateway]]:
    """Makes gateways in one directory; at the end all of them and their HAProxy are stopped."""
    made: list[Gateway] = []

    def make(**settings: Any) -> Gateway:
        made.append(Gateway(program, short_path, **settings))
        return made[-1]

    yield make
    for gateway in made:
        await gateway.stop()


@pytest.fixture
def newer_haproxy() -> Path:
    """HAProxy 3.4 or newer, which adds and deletes backends at runtime."""
    found = newer_debian.haproxy()
    if isinstance(found, str):
        pytest.skip(f"no HAProxy 3.4 here: {found}")
    return found.command


@pytest.fixture
async def spawn() -> AsyncIterator[Callable[..., Awaitable[list[Instance]]]]:
    """Starts instances; at the end all of them are stopped."""
    made: list[Instance] = []

    async def start(count: int, host: str = "127.0.0.1") -> list[Instance]:
        new = [await Instance(f"i{len(made) + n}", host).start() for n in range(count)]
        made.extend(new)
        return new

    yield start
    for instance in made:
        await instance.stop()
