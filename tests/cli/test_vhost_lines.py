"""`render --vhost`: only the lines that a vhost makes."""

from pathlib import Path

import pytest
from tests.cli.conftest import Call

from drove_gateway.cli.vhost_lines import added_lines


@pytest.mark.usefixtures("nixy")
def test_lines_of_a_vhost_are_its_upstream_and_its_server(call: Call, directory: Path) -> None:
    saved = ("--endpoints", f"stage={directory}/answer.json")

    result = call("render", *saved, "--vhost", "WEB.example.com")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.lstrip().startswith("upstream web.example.com {")
    assert result.stdout.count("server_name") == 1
    assert "default_server" not in result.stdout
    assert set(result.stdout.splitlines()) - {""} < set(call("render", *saved).stdout.splitlines())


@pytest.mark.usefixtures("nixy")
def test_a_vhost_that_is_not_served_is_an_error(call: Call, directory: Path) -> None:
    saved = ("--endpoints", f"stage={directory}/answer.json")

    result = call("render", *saved, "--vhost", "other.example.com")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no app is served as other.example.com" in result.stderr
    assert "drove-gateway explain other.example.com" in result.stderr


def test_places_are_separated_by_an_empty_line() -> None:
    before, after = "a\nb\nc\n", "a\nmap x\nb\nserver x\nc\n"
    assert list(added_lines(before, after)) == ["map x", "", "server x"]
