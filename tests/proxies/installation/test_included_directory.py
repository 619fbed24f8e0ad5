"""The configuration file in a directory that the proxy loads as a whole: no copy is loaded."""

import subprocess
from pathlib import Path

import pytest

from drove_gateway.proxies.installation.before import copy_of, keep
from drove_gateway.proxies.installation.config_file import write_candidate

BROKEN = "nonsense\n"


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    directory = tmp_path / "sites-enabled"
    directory.mkdir()
    return directory


def beside(config: Path) -> None:
    """Leave beside `config` what a gateway may leave there, each with text that no proxy takes."""
    keep(config, BROKEN)
    write_candidate(config, BROKEN)
    assert len(list(config.parent.iterdir())) == 3
    assert BROKEN in copy_of(config).read_text()


@pytest.mark.parametrize("included", ["*", "*.conf", "*conf*"])
def test_nginx_does_not_include_the_copy(
    nginx: Path, tmp_path: Path, sites: Path, included: str
) -> None:
    (sites / "drove.conf").write_text("server { listen 127.0.0.1:8; }\n")
    beside(sites / "drove.conf")
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid; events {{}} http {{ include {sites}/{included}; }}\n")
    command = (str(nginx), "-t", "-p", str(tmp_path), "-c", str(main), "-e", "stderr")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_haproxy_does_not_load_the_copy_with_the_directory(haproxy: Path, sites: Path) -> None:
    (sites / "drove.cfg").write_text(
        "frontend f\n  bind 127.0.0.1:8\n  mode http\n  timeout client 1s\n"
    )
    beside(sites / "drove.cfg")
    command = (str(haproxy), "-c", "-f", str(sites))
    checked = subprocess.run(command, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
