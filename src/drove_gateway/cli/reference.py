"""Makes docs/reference/commands.md and the man page from the commands themselves."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from drove_gateway.about import about
from drove_gateway.cli import main as program
from drove_gateway.cli.command import EXIT_CODES, Command, Commands, ExitCodes

PAGE = Path("docs/reference/commands.md")
MANUAL = Path("docs/reference/drove-gateway.8")

_HEAD = """# Commands

<!-- Made from the commands by `python -m drove_gateway.cli.reference --write`. -->

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
        for path, command in _commands()
    )


def manual() -> str:
    """The man page, in roff."""
    lines = [
        f'.TH DROVE-GATEWAY 8 "" "drove-gateway {about().version}" "System administration"',
        ".SH NAME",
        "drove-gateway \\- keeps NGINX and HAProxy true to what runs on a Drove cluster",
    ]
    for path, command in _commands():
        lines += [f".SH {_roff(' '.join(path)).upper()}"]
        lines += [f".B {_roff(_plain_usage(path, command))}", ".PP"]
        lines += [_roff(line) or ".PP" for line in _prose(command).splitlines()]
        for names, meaning in _records(command):
            lines += [".TP", f".B {_roff(names)}", _roff(meaning)]
        lines += [".PP", "Examples:"]
        for line, meaning in command.examples:
            lines += [".TP", f".B {_roff(line)}", _roff(meaning)]
        lines += _roff_meanings(command)
    lines += [
        ".SH EXIT STATUS",
        *_roff_codes(EXIT_CODES),
        ".SH SIGNALS",
        "SIGTERM and SIGINT end the daemon after the step under way; SIGHUP reads configuration",
        "and template again. After SIGUSR1 nothing is begun on the proxy, for five minutes at",
        "most, so that it can be restarted; SIGUSR2 brings it up to date.",
    ]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[tuple[tuple[str, ...], Command | Commands]]:
    yield ("drove-gateway",), program
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if isinstance(command, Command):
            yield ("drove-gateway", name), command


def _context(path: tuple[str, ...], command: click.Command) -> click.Context:
    parent = click.Context(program, info_name=path[0]) if len(path) > 1 else None
    return click.Context(command, info_name=path[-1], parent=parent)


def _plain_usage(path: tuple[str, ...], command: click.Command) -> str:
    pieces = " ".join(command.collect_usage_pieces(_context(path, command)))
    return f"{' '.join(path)} {pieces}"


def _usage(path: tuple[str, ...], command: click.Command) -> str:
    return f"```text\n{_plain_usage(path, command)}\n```"


def _prose(command: click.Command) -> str:
    paragraphs = (command.help or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _records(command: click.Command) -> Iterator[tuple[str, str]]:
    context = click.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            yield record


def _options(command: click.Command) -> str:
    rows = "".join(
        f"| `{_cell(names)}` | {_cell(meaning)} |\n" for names, meaning in _records(command)
    )
    return f"\n| Option | Meaning |\n|---|---|\n{rows}" if rows else ""


def _examples(command: Command | Commands) -> str:
    lines = "".join(f"# {meaning}\n{line}\n" for line, meaning in command.examples)
    return f"\nExamples:\n\n```sh\n{lines}```\n" if lines else ""


def _meanings(command: Command | Commands) -> str:
    """What the exit codes mean for this command, where that is more than what they always mean."""
    if command.exit_codes == EXIT_CODES:
        return ""
    return f"\n{_exit_codes(_own(command))}"


def _exit_codes(codes: ExitCodes) -> str:
    rows = "".join(f"| {code} | {_cell(meaning)} |\n" for code, meaning in codes.items())
    return f"| Exit code | Meaning |\n|---|---|\n{rows}"


def _own(command: Command | Commands) -> ExitCodes:
    """The codes that mean something of their own here."""
    return {code: text for code, text in command.exit_codes.items() if text != EXIT_CODES[code]}


def _roff_meanings(command: Command | Commands) -> list[str]:
    own = _own(command)
    return [".PP", "Exit codes:", *_roff_codes(own)] if own else []


def _roff_codes(codes: ExitCodes) -> list[str]:
    return [line for code, text in codes.items() for line in (".TP", f".B {code}", _roff(text))]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


@click.command()
@click.option("--write/--check", "write", required=True, help="Write the files, or compare them.")
def main(write: bool) -> None:
    """Writes or checks the reference of the commands and the man page."""
    for path, text in ((PAGE, page()), (MANUAL, manual())):
        if write:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            click.echo(f"{path} is out of date; run this command with --write")
            sys.exit(1)


if __name__ == "__main__":
    main()
