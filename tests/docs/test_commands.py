"""Every command line in the documentation is one: its command, options and targets exist."""

import importlib.util
import re
import subprocess
import sys
from functools import cache

import click
import pytest
from tests.docs.pages import PAGES, ROOT, Command, commands

from drove_gateway.cli import main

FOUND = {" ".join(command.words): command for page in PAGES for command in commands(page)}


def those_of(*programs: str) -> list[Command]:
    return [one for one in FOUND.values() if one.words[0] in programs]


def shown(command: Command) -> str:
    return f"{command.where} {' '.join(command.words)}"


@cache
def help_of(module: str) -> str:
    command = [sys.executable, "-m", module, "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.mark.parametrize("command", those_of("drove-gateway", "nixy"), ids=shown)
def test_a_command_of_the_gateway_parses(command: Command) -> None:
    arguments = [word for word in command.words[1:] if word not in {"-h", "--help"}]
    while arguments and arguments[0] in {"-f", "-v"}:
        del arguments[: 2 if arguments[0] == "-f" else 1]
    if not arguments:
        return
    name, *rest = arguments
    called = main.get_command(click.Context(main), name)
    assert called is not None, f"{command.where}: no command {name}"
    try:
        called.make_context(name, list(rest)).close()
    except click.BadParameter as error:
        # Files are the reader's, and so is what stands in capitals.
        placeholder = any(word.isupper() and repr(word) in error.message for word in rest)
        if not placeholder and "does not exist" not in error.message:
            raise AssertionError(f"{command.where}: {error.message}") from error


@pytest.mark.parametrize("command", those_of("make"), ids=shown)
def test_a_target_exists(command: Command) -> None:
    said = subprocess.run(
        ["make", "-n", *command.words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, f"{command.where}: {said.stderr}"


@pytest.mark.parametrize("command", those_of("python"), ids=shown)
def test_a_module_exists_and_has_these_options(command: Command) -> None:
    _, dash_m, module, *rest = command.words
    assert dash_m == "-m"
    if module == "bench":
        name, *rest = rest
        if name == "NAME":
            return
        module = f"bench.{name}"
    assert importlib.util.find_spec(module) is not None
    options = [word for word in rest if word.startswith("-")]
    text = help_of(module) if options else ""
    assert [one for one in options if not re.search(rf"(?<![\w-]){one}(?![\w-])", text)] == []
