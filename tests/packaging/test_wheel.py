"""Wheel and sdist, as pip and pipx install them."""

import asyncio
import os
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from tests.packaging.machine import REPOSITORY, done

from drove_gateway.simulator import Simulator
from drove_gateway.templates import shipped

CONSTRAINTS = ("-c", str(REPOSITORY / "constraints.txt"), "--disable-pip-version-check", "-q")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment's programs, with pipx and twine."""
    path = tmp_path_factory.mktemp("wheel") / "venv"
    venv.create(path, with_pip=True)
    done(path / "bin" / "pip", "install", *CONSTRAINTS, "pipx", "twine")
    return path / "bin"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment with the wheel."""
    path = tmp_path_factory.mktemp("wheel") / "venv"
    venv.create(path, with_pip=True)
    done(path / "bin" / "pip", "install", *CONSTRAINTS, wheel)
    return path / "bin"


def test_the_metadata_are_in_order(wheel: Path, programs: Path) -> None:
    output = done(programs / "twine", "check", "--strict", wheel, *wheel.parent.glob("*.tar.gz"))

    assert output.count("PASSED") == 2


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"drove_gateway"}
    assert "drove_gateway/build.json" in names
    assert "drove_gateway/templates/haproxy.tmpl" in names


def test_the_sdist_holds_what_building_and_testing_need(wheel: Path) -> None:
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert names >= {"Makefile", "constraints.txt", "pyproject.toml", "packaging/stamp.py"}
    assert names >= {"tests/conftest.py", "examples/nixy.toml", "src/drove_gateway/build.json"}


def test_what_is_installed_tells_its_commit(installed: Path) -> None:
    for program in ("drove-gateway", "nixy"):
        output = dict(line.split(": ") for line in done(installed / program, "-v").splitlines())
        assert "unknown" not in output.values()


async def test_what_is_installed_checks_a_configuration(
    installed: Path, cluster: Simulator, nginx: Path, tmp_path: Path
) -> None:
    template, config = tmp_path / "nginx.tmpl", tmp_path / "nixy.toml"
    template.write_text(done(installed / "drove-gateway", "template", "nginx"))
    config.write_text(
        f'nginx_cmd = "{nginx}"\nnginx_config = "{tmp_path}/nginx.conf"\n'
        f'nginx_template = "{template}"\n[[namespaces]]\nname = "n"\n'
        f'drove = ["{cluster.urls[0]}"]\n'
    )
    output = await asyncio.to_thread(
        done,
        installed / "drove-gateway",
        "check",
        "-f",
        config,
        env={
            "NGINX_PID": f"{tmp_path}/pid",
            "NGINX_ERROR_LOG": "stderr",
            "NGINX_ACCESS_LOG": "off",
        },
    )

    assert template.read_text() == shipped("nginx")
    assert "2 vhosts" in output


def test_pipx_installs_it_too(wheel: Path, programs: Path, tmp_path: Path) -> None:
    env = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIP_CONSTRAINT": str(REPOSITORY / "constraints.txt"),
    }
    done(programs / "pipx", "install", "--python", sys.executable, wheel, env=_with_network(env))

    assert "version: " in done(tmp_path / "bin" / "drove-gateway", "-v", env={})
    assert "version: " in done(tmp_path / "bin" / "nixy", "-v", env={})


def _with_network(env: dict[str, str]) -> dict[str, str]:
    """With what this machine's pip needs to reach packages."""
    kept = ("PIP_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "REQUESTS_", "HOME")
    return {name: os.environ[name] for name in os.environ if name.startswith(kept)} | env
