"""The HAProxy programs to test with, and a gateway's half around one of them."""

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests import newer_debian
from tests.proxies.haproxy.gateway import VHOSTS_TEMPLATE, Gateway
from tests.traffic import Instance

# Further programs than the installed one, separated by colons.
_PROGRAMS = [path for path in os.environ.get("HAPROXY_BINARIES", "").split(":") if path]


@pytest.fixture(params=["", *_PROGRAMS], ids=lambda path: Path(path).name or "installed")
def program(request: pytest.FixtureRequest, haproxy: Path) -> Path:
    """Each HAProxy under test: the installed one, and those of HAPROXY_BINARIES."""
    return Path(request.param) if request.param else haproxy


@contextlib.asynccontextmanager
async def made_with(
    program: Path, directory: Path, **usual: Any
) -> AsyncIterator[Callable[..., Gateway]]:
    """Makes gateways in one directory; at the end all of them and their HAProxy are stopped."""
    made: list[Gateway] = []

    def make(**settings: Any) -> Gateway:
        made.append(Gateway(program, directory, **usual | settings))
        return made[-1]

    yield make
    for gateway in made:
        await gateway.stop()


@pytest.fixture
async def make_gateway(program: Path, short_path: Path) -> AsyncIterator[Callable[..., Gateway]]:
    """Makes gateways around each HAProxy under test."""
    async with made_with(program, short_path) as make:
        yield make


@pytest.fixture
async def make_newer(
    newer_haproxy: Path, short_path: Path
) -> AsyncIterator[Callable[..., Gateway]]:
    """Makes gateways around HAProxy 3.4, with a template that allows runtime backends."""
    usual = {"template": str(VHOSTS_TEMPLATE), "drain_timeout_sec": 1.0}
    async with made_with(newer_haproxy, short_path, **usual) as make:
        yield make


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
