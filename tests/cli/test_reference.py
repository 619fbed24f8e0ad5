"""The commands' reference and the man page say what the commands say."""

import click

from drove_gateway.cli import main, reference


def test_the_committed_pages_are_what_the_commands_give() -> None:
    hint = "run: python -m drove_gateway.cli.reference --write"
    assert reference.PAGE.read_text() == reference.page(), hint
    assert reference.MANUAL.read_text() == reference.manual(), hint


def test_every_command_and_option_has_help_that_teaches() -> None:
    for name, command in main.commands.items():
        assert command.help, f"{name} has no help"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name} has no help"
