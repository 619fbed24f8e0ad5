"""Every command line in the documentation is one: its command, options and targets exist."""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from tests.docs.pages import PAGES, ROOT, Command, blocks, commands

from drove_gateway.cli import main

# What a block may be. Who adds a shell block decides: `sh` can be run as it is, `console` shows
# what one types and sees.
INFOS = {
    *("sh", "console", "text", "toml", "yaml", "json", "python", "nginx", "haproxy", "ini"),
    *("gotemplate", "error", "dockerfile"),
}

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert [one.where for one in blocks(page) if one.info not in INFOS] == []


@pytest.mark.parametrize("command", those_of("drove-gateway", "nixy"), ids=shown)
def test_a_command_of_the_gateway_parses(command: Command) -> None:
    arguments = list(command.words[1:])
    while arguments and arguments[0] in {"-f", "-v"}:
        del arguments[: 2 if arguments[0] == "-f" else 1]
    if not arguments:
        return
    name, *rest = arguments
    called = main.get_command(click.Context(main), name)
    assert called is not None, f"{command.where}: no command {name}"
    try:
        called.make_context(name, rest).close()
    except click.BadParameter as error:
        # The files that it names are the reader's.
        if "does not exist" not in error.message:
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
