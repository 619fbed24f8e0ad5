"""Makes docs/reference/commands.md from the commands themselves, and writes the man page."""

from pathlib import Path

import click

from drove_gateway.cli.command import EXIT_CODES, Command, Commands, ExitCodes
from tools.reference.described import (
    every_command,
    own_codes,
    prose,
    records,
    usage,
)
from tools.reference.manual import manual
from tools.reference.pages import keep, write_or_check

PAGE = Path("docs/reference/commands.md")
MANUAL = Path("docs/reference/drove-gateway.8")

_HEAD = """# Commands

<!-- Made from the commands by `python -m tools.reference.commands --write`. -->

`drove-gateway` and `nixy` are the same program. `-f FILE` may stand before the command or after
it. What a command is asked for goes to stdout; warnings and errors go to stderr, each with what to
do. Colours appear on terminals only, and never with `NO_COLOR` set.

Exit codes:

{exit_codes}
Completion for bash, zsh or fish comes from the program itself; put one of these into `~/.bashrc`,
`~/.zshrc` or `~/.config/fish/completions/drove-gateway.fish`:

```text
eval "$(_DROVE_GATEWAY_COMPLETE=bash_source drove-gateway)"
eval "$(_DROVE_GATEWAY_COMPLETE=zsh_source drove-gateway)"
_DROVE_GATEWAY_COMPLETE=fish_source drove-gateway | source
```
"""


def page() -> str:
    """The reference in Markdown."""
    return _HEAD.replace("{exit_codes}", _exit_codes(EXIT_CODES)) + "".join(
        f"\n## {' '.join(path)}\n\n{_usage(path, command)}\n\n{_prose(command)}\n"
        f"{_options(command)}{_examples(command)}{_meanings(command)}"
        for path, command in every_command()
    )


def _usage(path: tuple[str, ...], command: click.Command) -> str:
    return f"```text\n{usage(path, command)}\n```"


def _prose(command: click.Command) -> str:
    return "\n\n".join(prose(command))


def _options(command: click.Command) -> str:
    rows = "".join(
        f"| `{_cell(names)}` | {_cell(meaning)} |\n" for names, meaning in records(command)
    )
    return f"\n| Option | Meaning |\n|---|---|\n{rows}" if rows else ""


def _examples(command: Command | Commands) -> str:
    lines = "".join(f"# {meaning}\n{line}\n" for line, meaning in command.examples)
    return f"\nExamples:\n\n```sh\n{lines}```\n" if lines else ""


def _meanings(command: Command | Commands) -> str:
    """What the exit codes mean for this command, where that is more than what they always mean."""
    if command.exit_codes == EXIT_CODES:
        return ""
    return f"\n{_exit_codes(own_codes(command))}"


def _exit_codes(codes: ExitCodes) -> str:
    rows = "".join(f"| {code} | {_cell(meaning)} |\n" for code, meaning in codes.items())
    return f"| Exit code | Meaning |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


@click.command()
@write_or_check
def main(write: bool) -> None:
    """Writes or checks the reference of the commands and the man page."""
    keep({PAGE: page(), MANUAL: manual()}, write=write)


if __name__ == "__main__":
    main()
