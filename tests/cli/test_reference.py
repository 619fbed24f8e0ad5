"""The commands' reference and the man page say what the commands say."""

import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tools.reference import commands as reference
from tools.reference.manual import argument, manual

from drove_gateway.cli import PURPOSES, main
from drove_gateway.cli.command import EXIT_CODES, Command

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_committed_pages_are_up_to_date() -> None:
    for name, text in reference.files().items():
        hint = "run: python -m tools.reference.commands --write"
        assert (REFERENCE / name).read_text() == text, hint


@pytest.mark.parametrize("name", sorted(PURPOSES))
def test_every_command_has_help_examples_and_exit_codes(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, Command)
    purpose, _, explanation = (command.help or "").partition("\n\n")
    assert " ".join(purpose.split()) == PURPOSES[name]
    assert explanation.strip()
    assert command.examples
    assert all("drove-gateway" in line or "curl" in line for line, _ in command.examples)
    assert all(meaning for _, meaning in command.examples)
    assert command.exit_codes.keys() >= EXIT_CODES.keys()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name} has no help"


@pytest.mark.parametrize("name", sorted(PURPOSES))
def test_help_shows_examples_and_exit_codes(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).output
    for part in ("Examples:\n  ", "Exit codes:\n  0  ", "\n  1  ", "\n  2  "):
        assert part in shown


def test_every_example_names_a_command_and_options_that_exist() -> None:
    for name in PURPOSES:
        command = main.get_command(click.Context(main), name)
        assert isinstance(command, Command)
        for line, _ in command.examples:
            program, *words = shlex.split(line.partition("|")[0].partition(">")[0])
            if program != "drove-gateway":
                continue
            called = main.get_command(click.Context(main), words[0])
            assert called is not None, line
            known = {option for parameter in called.params for option in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= known, line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("drove-gateway", r"drove\-gateway"),
        ('eval "$(x)"', r"eval \(dq$(x)\(dq"),
        ("-d '{}'", r"\-d \(aq{}\(aq"),
        (".rc\\n", r"\&.rc\en"),
    ],
)
def test_the_man_page_shows_a_command_line_as_it_is_typed(text: str, shown: str) -> None:
    assert argument(text) == shown


def test_the_man_page_has_the_usual_sections() -> None:
    sections = [
        line.removeprefix(".SH ") for line in manual().splitlines() if line.startswith(".SH ")
    ]
    assert sections == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT",
        "SIGNALS", "FILES", "EXAMPLES", "SEE ALSO",
    ]  # fmt: skip
