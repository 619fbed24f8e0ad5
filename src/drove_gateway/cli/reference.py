"""Makes docs/reference/commands.md and the man page from the commands themselves."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from drove_gateway.about import about
from drove_gateway.cli import main as program

PAGE = Path("docs/reference/commands.md")
MANUAL = Path("docs/reference/drove-gateway.8")

_HEAD = """# Commands

<!-- Made from the commands by `python -m drove_gateway.cli.reference --write`. -->

`drove-gateway` and `nixy` are the same program. Exit codes: 0 all is well; 1 something is not, and
stderr says what and what to do; 2 wrong usage. Colours appear on terminals only, and never with
`NO_COLOR` set.

Completion for bash, zsh or fish comes from the program itself; for bash, put this into `~/.bashrc`:

```text
eval "$(_DROVE_GATEWAY_COMPLETE=bash_source drove-gateway)"
```
"""


def page() -> str:
    """The reference in Markdown."""
    return _HEAD + "".join(
        f"\n## {' '.join(path)}\n\n{_usage(path, command)}\n\n{_prose(command)}\n"
        f"{_options(command)}"
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
    lines += [
        ".SH EXIT STATUS",
        "0 all is well, 1 something is not, 2 wrong usage.",
        ".SH SIGNALS",
        "SIGTERM and SIGINT end the daemon after the step under way; SIGHUP reads configuration",
        "and template again. After SIGUSR1 nothing is begun on the proxy, for five minutes at",
        "most, so that it can be restarted; SIGUSR2 brings it up to date.",
    ]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield ("drove-gateway",), program
    for name, command in sorted(program.commands.items()):
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
