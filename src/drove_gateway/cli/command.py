"""Commands whose help has examples and exit codes, and a group that starts fast.

The reference and the manual page show the same help. A command's module is imported only when the
command is called, so that `-v`, `--help` and completion are quick.
"""

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from drove_gateway.cli.go_flags import is_ignored, split_flags, with_file_flags

DEFAULT_FILE = Path("nixy.toml")
SYSTEM_FILES = (Path("/etc/drove-gateway/nixy.toml"), Path("/etc/nixy/nixy.toml"))
"""Read without -f where there is no nixy.toml: that of the packages, and that of the original."""

IGNORED_WORDS = f"{__package__}.ignored_words"
"""The key of a context's `meta` for the words that have no meaning."""

Examples = Sequence[tuple[str, str]]
"""Command lines, each with its purpose."""

ExitCodes = Mapping[int, str]

EXIT_CODES: ExitCodes = {
    0: "Success.",
    1: "Failure; stderr says what failed and what to do.",
    2: "Wrong usage: an unknown command or option, or an invalid value.",
}
"""Every exit code. A command says what 0 and 1 mean for it; 2 means the same for all."""


class Command(click.Command):
    """A command with examples and the meaning of its exit codes."""

    def __init__(
        self, *args: Any, examples: Examples = (), exit_codes: ExitCodes = EXIT_CODES, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.exit_codes = {**EXIT_CODES, **exit_codes}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; `-f` may be spelled as for the original."""
        try:
            arguments = with_file_flags(args)
        except ValueError as error:
            ctx.fail(str(error))
        return super().parse_args(ctx, arguments)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples and exit codes below the options."""
        _format_examples(self, formatter)
        super().format_epilog(ctx, formatter)


class Commands(click.Group):
    """The program: its commands by name, each with its purpose in a line.

    The command NAME is the function NAME in the module NAME of this package.
    """

    def __init__(
        self, *args: Any, purposes: Mapping[str, str], examples: Examples = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.purposes = purposes
        self.examples = examples
        self.exit_codes = EXIT_CODES

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the flags in every spelling that the original takes.

        Words after them that the original ignores are left in the context, under `IGNORED_WORDS`.
        """
        try:
            flags, words = split_flags(args)
        except ValueError as error:
            ctx.fail(str(error))
        if words and words[0] not in self.purposes and not ctx.resilient_parsing:
            program = ctx.info_name or ""
            if is_ignored(words[0], self.purposes, flags=flags, program=program):
                ctx.meta[IGNORED_WORDS] = tuple(words)
                words = []
        return super().parse_args(ctx, [*flags, *words])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in alphabetical order."""
        del ctx
        return sorted(self.purposes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None if there is no command of this name."""
        del ctx
        if cmd_name not in self.purposes:
            return None
        module = import_module(f"{__package__}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` name. The error for an unknown name suggests the nearest."""
        name = args[0]
        if name not in self.purposes and not ctx.resilient_parsing and not name.startswith("-"):
            near = get_close_matches(name, self.purposes, n=1)
            commands = f"Commands: {', '.join(self.purposes)}."
            hint = f"Did you mean {near[0]!r}?" if near else commands
            ctx.fail(f"No such command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.purposes[name]) for name in sorted(self.purposes)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples and exit codes below the commands."""
        _format_examples(self, formatter)
        super().format_epilog(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The matching commands, then options, without importing the commands."""
        named = [
            CompletionItem(name, help=purpose)
            for name, purpose in self.purposes.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


def file_option(function: click.decorators.FC) -> click.decorators.FC:
    """`-f FILE`, before or after the name of a command; the function receives the file to read.

    It is None if the environment alone is the configuration.
    """
    return click.option(
        "-f",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=_file_to_read,
        help=f"Configuration file.  [default: the first that exists of {DEFAULT_FILE}, "
        f"{', '.join(map(str, SYSTEM_FILES))}]",
    )(function)


def _file_to_read(context: click.Context, _: click.Parameter, file: Path | None) -> Path | None:
    if file is not None:
        return file
    if context.parent is not None:
        before: Path | None = context.parent.params.get("file")
        return before
    return default_file(os.environ)


def default_file(environ: Mapping[str, str], system: Sequence[Path] = SYSTEM_FILES) -> Path | None:
    """Return the file to read where no -f names it; None if the environment is the configuration.

    A nixy.toml in the current directory comes first, then the environment, then the system's files.
    """
    if DEFAULT_FILE.exists():
        return DEFAULT_FILE
    if "DROVE_CONTROLLERS" in environ:
        return None
    return next((file for file in system if _is_there(file)), DEFAULT_FILE)


def _is_there(file: Path) -> bool:
    """Whether a file exists. A file that this user may not look at does: reading it says why."""
    try:
        return file.exists()
    except PermissionError:
        return True


def colours(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Whether output is coloured: on terminals only (None), never if NO_COLOR is set
    (no-color.org)."""
    return False if environ.get("NO_COLOR") else None


def _format_examples(command: Command | Commands, formatter: click.HelpFormatter) -> None:
    if command.examples:
        with formatter.section("Examples"):
            for line, meaning in command.examples:
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")
                formatter.indent()
                formatter.write_text(meaning)
                formatter.dedent()
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code), text) for code, text in command.exit_codes.items()])
