"""The command line that the original takes: recorded in its units, and by running it."""

import asyncio
import shlex
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.cli.conftest import Call
from tests.waiting import until

from drove_gateway.cli import PURPOSES
from drove_gateway.cli.go_flags import is_ignored, split_flags
from drove_gateway.config import load
from drove_gateway.model.about import about

UNIT = "-f /etc/nixy/nixy.toml 2>&1 | logger -t nixy"
"""The arguments in the original's systemd unit, which no shell interprets."""


@pytest.mark.parametrize("line", ["-f a.toml", "--f a.toml", "-f=a.toml", "--f=a.toml"])
@pytest.mark.parametrize("command", ["", " check", " check --diff"])
def test_file_is_taken_in_every_form_of_go(line: str, command: str) -> None:
    flags, words = split_flags(shlex.split(line + command))
    assert flags == ["-f", "a.toml"]
    assert words == command.split()


@pytest.mark.parametrize(
    "flag", ["-v", "--v", "-v=true", "--v=1", "-v=T", "--version", "-version", "-f=x.toml -v"]
)
def test_version_is_printed_in_every_form_of_go(call: Call, flag: str) -> None:
    result = call(*flag.split())
    assert (result.exit_code, result.output) == (0, about().lines())


@pytest.mark.parametrize("flag", ["-h", "-help", "--help", "--h", "-help=true", "check -help"])
def test_help_is_printed_in_every_form_of_go(call: Call, flag: str) -> None:
    result = call(*flag.split())
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


def test_a_switch_that_is_false_is_as_if_it_were_not_there() -> None:
    assert split_flags(["-v=false", "-help=0", "--f", "a.toml"]) == (["-f", "a.toml"], [])


@pytest.mark.parametrize("flag", ["-x", "--xyz", "-v=perhaps", "-f"])
def test_a_flag_that_go_would_refuse_is_wrong_usage(call: Call, flag: str) -> None:
    assert call(flag).exit_code == 2


@pytest.mark.parametrize("form", ["-f={}", "--f={}", "--f {}"])
def test_commands_take_the_file_in_every_form_of_go(call: Call, nixy: Path, form: str) -> None:
    answer = nixy.with_name("answer.json")
    result = call("render", *form.format(nixy).split(), "--endpoints", f"stage={answer}")
    assert result.exit_code == 0, result.output


def test_words_of_the_originals_unit_are_ignored_and_named(call: Call, directory: Path) -> None:
    (directory / "nixy.toml").write_text("port = [")
    words = UNIT.replace("/etc/nixy/", "").split()
    result = call(*words)
    assert result.exit_code == 1
    assert "words without a meaning on the command line are ignored: 2>&1 | logger -t nixy\n" in (
        result.stderr
    )
    assert "nixy.toml:1: is not valid TOML" in result.stderr


@pytest.mark.parametrize(
    ("word", "flags", "program", "ignored"),
    [
        ("2>&1", [], "drove-gateway", True),
        ("extra", ["-f", "a.toml"], "drove-gateway", True),
        ("extra", [], "nixy", True),
        ("extra", [], "drove-gateway", False),
        ("chekc", ["-f", "a.toml"], "nixy", False),
    ],
)
def test_a_misspelt_command_never_starts_the_daemon(
    word: str, flags: list[str], program: str, ignored: bool
) -> None:
    assert is_ignored(word, PURPOSES, flags=flags, program=program) is ignored


@pytest.mark.parametrize("line", ["-v true", "-v false extra", "--version true", "-v -- x"])
def test_a_word_after_a_switch_is_ignored_as_by_go(call: Call, line: str) -> None:
    result = call(*line.split())
    assert (result.exit_code, result.stdout) == (0, about().lines())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-v=x", "-v=x: a switch is true or false, as in -v=true"),
        ("--sync-haproxy-state-config=", "a switch is true or false"),
        ("-help=maybe", "a switch is true or false"),
        ("-f=", "-f=: name a file, as in -f nixy.toml"),
        ("check --f=", "--f=: name a file"),
    ],
)
def test_a_value_that_a_flag_cannot_have_is_named(call: Call, line: str, message: str) -> None:
    result = call(*line.split())
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "-sync-haproxy-state-config",
        "-sync-haproxy-state-config true",
        "-f x.toml --sync-haproxy-state-config=true",
    ],
)
def test_state_file_sync_of_newer_versions_says_in_one_warning_that_nothing_is_needed(
    line: str,
) -> None:
    program = Path(sys.executable).with_name("nixy")
    run = subprocess.run((program, *line.split()), capture_output=True, text=True, check=True)
    (warning,) = run.stderr.splitlines()
    assert warning.startswith("warning: --sync-haproxy-state-config does nothing")
    assert run.stdout == ""


async def test_originals_unit_runs_also_with_a_namespace_without_controllers(nixy: Path) -> None:
    """The other namespaces are served, as by the original."""
    with nixy.open("a") as file:
        file.write('\n[[namespaces]]\nname = "empty"\n')
    port = load(nixy, {}).settings.port
    program = Path(sys.executable).with_name("nixy")
    arguments = UNIT.replace("/etc/nixy/nixy.toml", str(nixy)).split()
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stderr=asyncio.subprocess.PIPE, cwd=nixy.parent
    )
    try:
        async with aiohttp.ClientSession() as client:

            async def health() -> dict[str, str]:
                try:
                    async with client.get(f"http://127.0.0.1:{port}/v1/health") as answer:
                        document = await answer.json()
                except aiohttp.ClientError:
                    return {}
                spaces = document["NamespaceHealth"].values()
                return {each["Namespace"]: each["Message"] for each in spaces}

            async def looked() -> bool:
                return set((await health()).values()) == {"All endpoints are down"}

            await until(looked)
            assert set(await health()) == {"stage", "empty"}
    finally:
        process.terminate()
        _, log = await process.communicate()
    assert process.returncode == 0
    assert b"on the command line are ignored" in log
    assert b"Traceback" not in log
