"""Commands that teach, and a group that starts fast.

Help ends with examples and exit codes; the reference and the man page show the same. A command's
module is imported when the command is called, so that `-v`, `--help` and completion are quick.
"""

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

FILE = click.Path(path_type=Path, dir_okay=False)

Examples = Sequence[tuple[str, str]]
"""Command lines, each with what it is for."""

ExitCodes = Mapping[int, str]

EXIT_CODES: ExitCodes = {
    0: "All is well.",
    1: "Something is not; stderr says what, and what to do.",
    2: "Wrong usage: an unknown command or option, or a value that it cannot have.",
}
"""All that there are. A command says what 0 and 1 mean for it; 2 is the same for each."""


class Command(click.Command):
    """A command with examples, and with what its exit codes 0 and 1 mean."""

    def __init__(
        self, *args: Any, examples: Examples = (), exit_codes: ExitCodes = EXIT_CODES, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.exit_codes = {**EXIT_CODES, **exit_codes}

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples and exit codes, below the options."""
        _teach(self, formatter)
        super().format_epilog(ctx, formatter)


class Commands(click.Group):
    """The program: its commands by name, each with its purpose in one line.

    A command NAME is the function NAME of the module NAME of this package.
    """

    def __init__(
        self, *args: Any, purposes: Mapping[str, str], examples: Examples = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.purposes = purposes
        self.examples = examples
        self.exit_codes = EXIT_CODES

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in alphabetical order."""
        del ctx
        return sorted(self.purposes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of this name."""
        del ctx
        if cmd_name not in self.purposes:
            return None
        module = import_module(f"{__package__}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` name. An unknown one is told with the nearest that there is."""
        name = args[0]
        if name not in self.purposes and not ctx.resilient_parsing and not name.startswith("-"):
            near = get_close_matches(name, self.purposes, n=1)
            there_are = f"There are {', '.join(self.purposes)}."
            hint = f"Did you mean {near[0]!r}?" if near else there_are
            ctx.fail(f"No such command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.purposes[name]) for name in sorted(self.purposes)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples and exit codes, below the commands."""
        _teach(self, formatter)
        super().format_epilog(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands that begin so, then options; without importing the commands."""
        named = [
            CompletionItem(name, help=purpose)
            for name, purpose in self.purposes.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


def file_option(function: click.decorators.FC) -> click.decorators.FC:
    """`-f FILE` of a sub-command; it may also stand before the command."""
    return click.option("-f", "file", type=FILE, help="Configuration file.  [default: nixy.toml]")(
        function
    )


def colours(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Whether there are colours: on terminals only (None), and never with NO_COLOR set to
    anything (no-color.org)."""
    return False if environ.get("NO_COLOR") else None


def _teach(command: Command | Commands, formatter: click.HelpFormatter) -> None:
    if command.examples:
        with formatter.section("Examples"):
            for line, meaning in command.examples:
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")
                formatter.indent()
                formatter.write_text(meaning)
                formatter.dedent()
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code), text) for code, text in command.exit_codes.items()])
