"""Every command line in the documentation is valid: its command, options and targets exist."""

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


def commands_of(*programs: str) -> list[Command]:
    return [command for command in FOUND.values() if command.words[0] in programs]


def shown(command: Command) -> str:
    return f"{command.where} {' '.join(command.words)}"


@cache
def help_of(module: str) -> str:
    command = [sys.executable, "-m", module, "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("command", commands_of("drove-gateway", "nixy"), ids=shown)
def test_gateway_command_parses(command: Command) -> None:
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
        # Files and words in capitals are placeholders for the reader's own.
        placeholder = any(word.isupper() and repr(word) in error.message for word in rest)
        if not placeholder and "does not exist" not in error.message:
            raise AssertionError(f"{command.where}: {error.message}") from error


@pytest.mark.parametrize("command", commands_of("make"), ids=shown)
def test_make_target_exists(command: Command) -> None:
    result = subprocess.run(
        ["make", "-n", *command.words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{command.where}: {result.stderr}"


@pytest.mark.parametrize("command", commands_of("python"), ids=shown)
def test_module_exists_and_accepts_the_options(command: Command) -> None:
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
    unknown = [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", text)]
    assert unknown == []
