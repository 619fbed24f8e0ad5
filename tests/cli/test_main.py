"""The command itself: version, files, environment, and what goes wrong at the start."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from drove_gateway.model.about import about
from drove_gateway.templates import NAMES, shipped


def test_version_is_printed_in_the_originals_three_lines(call: Call) -> None:
    result = call("-v")
    assert result.exit_code == 0
    names = [line.partition(": ")[0] for line in result.output.splitlines()]
    assert names == ["version", "commit", "date"]
    assert f"version: {about().version}\n" in result.output


@pytest.mark.parametrize("program", ["drove-gateway", "nixy"])
def test_both_names_are_the_same_program(program: str) -> None:
    path = Path(sys.executable).with_name(program)
    printed = subprocess.run((path, "-v"), capture_output=True, text=True, check=True)
    assert printed.stdout == about().lines()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command(call: Call, option: str) -> None:
    result = call(option)
    assert result.exit_code == 0
    for name in ("check", "demo", "render", "simulate", "template"):
        assert f"\n  {name} " in result.output


def test_an_unknown_command_is_wrong_usage(call: Call) -> None:
    result = call("chekc")
    assert result.exit_code == 2
    assert "No such command 'chekc'" in result.output


@pytest.mark.parametrize("command", [(), ("check",), ("render",)])
def test_a_missing_file_is_named(call: Call, command: tuple[str, ...]) -> None:
    result = call("-f", "nowhere.toml", *command)
    assert result.exit_code == 1
    assert "nowhere.toml" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [(), ("check",)])
def test_nixy_toml_is_read_by_default(call: Call, command: tuple[str, ...]) -> None:
    result = call(*command)
    assert result.exit_code == 1
    assert "nixy.toml" in result.stderr
    assert "/etc/drove-gateway/nixy.toml" in result.stderr
    assert "drove-gateway init haproxy" in result.stderr


@pytest.mark.parametrize("command", [(), ("check",), ("render",)])
def test_every_mistake_is_reported_at_once(
    call: Call, directory: Path, command: tuple[str, ...]
) -> None:
    (directory / "nixy.toml").write_text(
        'proxy_platform = "apache"\nport = "many"\n[[namespaces]]\nname = "stage"\ndrove = ["c"]\n'
    )
    result = call(*command)
    assert result.exit_code == 1
    for key in ("proxy_platform", "port", "drove"):
        assert [line for line in result.stderr.splitlines() if key in line], key


def test_an_unknown_key_is_a_warning_that_names_the_nearest(
    call: Call, nixy: Path, directory: Path
) -> None:
    nixy.write_text('nginx_temlpate = "x"\n' + nixy.read_text())
    result = call("render", "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 0
    assert "nginx_temlpate" in result.stderr
    assert "nginx_template" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_template_is_printed_as_it_is(call: Call, name: str) -> None:
    assert call("template", name).output == shipped(name)


def test_help_of_template_has_what_every_name_is_made_of(call: Call) -> None:
    text = call("template", "--help").stdout
    assert "Usage: main template [OPTIONS] NAME\n" in text
    for name in NAMES:
        assert f"`{name.removesuffix('-header-routing')}`" in text
    assert "-header-routing" in text


def test_error_for_an_unknown_template_lists_the_known_templates(call: Call) -> None:
    result = call("template", "apache")
    assert result.exit_code == 2
    assert all(name in result.output for name in NAMES)
