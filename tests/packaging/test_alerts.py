"""Prometheus's own tool takes the alert rules, and each fires when it should and not otherwise."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """From the PATH, or out of Debian's package, without installing that and its service."""
    if found := shutil.which("promtool"):
        return found
    directory = tmp_path_factory.mktemp("prometheus")
    unpacked = directory / "unpacked"
    fetch = (
        "apt-get update -q; apt-get download -q prometheus && dpkg -x ./prometheus_*.deb unpacked"
    )
    result = subprocess.run(
        ["sh", "-c", fetch], cwd=directory, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        pytest.skip(f"promtool is not installed and cannot be installed: {result.stderr}")
    return str(unpacked / "usr" / "bin" / "promtool")


def run(promtool: str, *arguments: str) -> str:
    result = subprocess.run(
        [promtool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_prometheus_takes_the_rules(promtool: str) -> None:
    rules = (ROOT / "examples" / "alerts.yml").read_text().count("- alert: ")
    assert f"{rules} rules found" in run(promtool, "check", "rules", "examples/alerts.yml")


def test_each_alert_fires_when_it_should_and_none_while_all_is_well(promtool: str) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", "tests/examples/alerts.test.yml")
