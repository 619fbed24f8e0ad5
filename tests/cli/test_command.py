"""The program starts fast, knows what was meant, and completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from drove_gateway.cli import PURPOSES
from drove_gateway.cli.command import colours, default_file

HEAVY = {"aiohttp", "asyncio", "pydantic", "structlog", "drove_gateway.config"}


def completed(words: str, index: int, shell: str = "bash") -> list[str]:
    """What the shell's completion offers for the word at `index`."""
    printed = subprocess.run(
        (Path(sys.executable).with_name("drove-gateway"),),
        env={
            **os.environ,
            "_DROVE_GATEWAY_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(index),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition(",")[2] for line in printed.stdout.splitlines()]


def test_help_and_version_import_nothing_heavy() -> None:
    code = "import sys; import drove_gateway.cli; print(*sys.modules)"
    printed = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True
    )
    assert set(printed.stdout.split()) & HEAVY == set()


@pytest.mark.parametrize(
    ("typed", "meant"), [("chekc", "check"), ("rendr", "render"), ("stat", "status")]
)
def test_error_for_an_unknown_command_suggests_the_nearest(
    call: Call, typed: str, meant: str
) -> None:
    result = call(typed)
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in result.stderr


def test_error_for_an_unlike_command_lists_all_commands(call: Call) -> None:
    result = call("xyzzy")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in PURPOSES)


def test_an_unknown_option_is_wrong_usage(call: Call) -> None:
    result = call("check", "--dif")
    assert result.exit_code == 2
    assert "--diff" in result.stderr


def test_commands_and_options_are_completed() -> None:
    assert completed("drove-gateway s", 1) == ["simulate", "status"]
    assert set(completed("drove-gateway ", 1)) >= set(PURPOSES)
    assert "--watch" in completed("drove-gateway status --w", 2)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_of_each_shell_is_printed(shell: str) -> None:
    printed = subprocess.run(
        (Path(sys.executable).with_name("drove-gateway"),),
        env={**os.environ, "_DROVE_GATEWAY_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "drove-gateway" in printed.stdout


def test_fish_shows_whole_descriptions() -> None:
    """Of a line such as `plain,check<tab>Check the configuration, and show what` every part."""
    printed = subprocess.run(
        (Path(sys.executable).with_name("nixy"),),
        env={**os.environ, "_NIXY_COMPLETE": "fish_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'string split --max 1 "," $completion' in printed.stdout
    assert "complete --no-files --command nixy" in printed.stdout


@pytest.mark.parametrize(
    ("environ", "expected"), [({}, None), ({"NO_COLOR": ""}, None), ({"NO_COLOR": "1"}, False)]
)
def test_colours_depend_on_the_terminal_unless_disabled(
    environ: dict[str, str], expected: bool | None
) -> None:
    assert colours(environ) is expected


def test_without_a_file_the_packages_file_comes_before_the_originals(
    directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    system = tmp_path_factory.mktemp("etc")
    packaged, original = files = (system / "drove-gateway.toml", system / "nixy.toml")
    controllers = {"DROVE_CONTROLLERS": "http://c:1"}

    assert default_file({}, files) == Path("nixy.toml")
    original.write_text("")
    assert default_file({}, files) == original
    packaged.write_text("")
    assert default_file({}, files) == packaged
    assert default_file(controllers, files) is None
    (directory / "nixy.toml").write_text("")
    assert default_file(controllers, files) == Path("nixy.toml")
