"""The artefacts, each built once, and roots to use them in."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.packaging.machine import Root, bare_root, copied, made, need

from drove_gateway.simulator import Options, Simulator


@pytest.fixture(scope="session")
def binary() -> Path:
    """The one file."""
    need("objdump:binutils")
    return made("binary", "drove-gateway")


@pytest.fixture(scope="session")
def wheel(binary: Path) -> Path:
    """The wheel of the same build."""
    return next(binary.parent.glob("*.whl"))


@pytest.fixture(scope="session")
def deb(binary: Path) -> Path:
    """The Debian package."""
    del binary
    need("dh:debhelper", "dpkg-buildpackage:dpkg-dev", "fakeroot:fakeroot")
    return made("deb", "*.deb")


@pytest.fixture(scope="session")
def rpm(binary: Path) -> Path:
    """The RPM."""
    del binary
    need("rpmbuild:rpm")
    return made("rpm", "*.rpm")


@pytest.fixture(scope="session")
def bare() -> Root:
    """A bare root, to be copied and not to be changed."""
    return bare_root()


@pytest.fixture(scope="session")
def served(bare: Root) -> Iterator[Root]:
    """A bare root with HAProxy and systemd, to be copied and not to be changed."""
    with tempfile.TemporaryDirectory(prefix="dg-root-", dir="/tmp") as name:
        root = copied(bare, Path(name, "root"))
        root.inside("/usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        root.inside("/usr/sbin/policy-rc.d").chmod(0o755)
        root.done("apt-get", "update", "-q")
        root.install("haproxy", "systemd-sysv", "dbus", "polkitd", "procps")
        yield root


@pytest.fixture(scope="module")
def root(served: Root) -> Iterator[Root]:
    """A root with HAProxy and systemd for the tests of one file, in their order."""
    with tempfile.TemporaryDirectory(prefix="dg-root-", dir="/tmp") as name:
        yield copied(served, Path(name, "root"))


@pytest.fixture
async def cluster() -> AsyncIterator[Simulator]:
    """A simulated cluster with two vhosts, one.test and two.test."""
    async with Simulator(Options(vhost="{name}.test")) as simulator:
        await simulator.deploy("one", instances=2)
        await simulator.deploy("two", instances=1)
        yield simulator


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """An empty directory whose sockets' paths stay below the system's 108 bytes."""
    name = Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
    yield name
    shutil.rmtree(name)
