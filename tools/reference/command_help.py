"""The help of every command, for the reference page and the manual page."""

from collections.abc import Iterator

import click

from drove_gateway.cli import main as program
from drove_gateway.cli.command import EXIT_CODES, Command, Commands, ExitCodes


def every_command() -> Iterator[tuple[tuple[str, ...], Command | Commands]]:
    """The program, then its commands in alphabetical order, each with the words that call it."""
    yield ("drove-gateway",), program
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if isinstance(command, Command):
            yield ("drove-gateway", name), command


def usage(path: tuple[str, ...], command: click.Command) -> str:
    """The usage of a command, on one line."""
    parent = click.Context(program, info_name=path[0]) if len(path) > 1 else None
    context = click.Context(command, info_name=path[-1], parent=parent)
    return f"{' '.join(path)} {' '.join(command.collect_usage_pieces(context))}"


def paragraphs(command: click.Command) -> list[str]:
    """The paragraphs of the help text, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in (command.help or "").strip().split("\n\n")]


def options(command: click.Command) -> Iterator[tuple[str, str]]:
    """Each option with its meaning."""
    context = click.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield record


def own_exit_codes(command: Command | Commands) -> ExitCodes:
    """The exit codes whose meaning differs from that of the program as a whole."""
    return {code: text for code, text in command.exit_codes.items() if text != EXIT_CODES.get(code)}
