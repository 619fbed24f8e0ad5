"""Build the reference of the commands, in Markdown and as the manual page."""

from collections.abc import Mapping

from drove_gateway.cli.command import EXIT_CODES, Command, Commands, ExitCodes
from tools.reference.command_help import every_command, options, own_exit_codes, paragraphs, usage
from tools.reference.generated_files import reference_command
from tools.reference.manual import manual
from tools.reference.markdown import table

_HEAD = """# Commands

<!-- Generated from the commands by `python -m tools.reference.commands --write`. -->

`drove-gateway` and `nixy` are the same program. `-f FILE` may be given before or after the command.
Results go to stdout; warnings and errors go to stderr, each with what to do. Output is coloured on
terminals only, and never with `NO_COLOR` set.

Exit codes:

{exit_codes}
The program prints its own completion for bash, zsh and fish. Put one of these lines into
`~/.bashrc`, `~/.zshrc` or `~/.config/fish/completions/drove-gateway.fish`:

```text
eval "$(_DROVE_GATEWAY_COMPLETE=bash_source drove-gateway)"
eval "$(_DROVE_GATEWAY_COMPLETE=zsh_source drove-gateway)"
_DROVE_GATEWAY_COMPLETE=fish_source drove-gateway | source
```
"""


def page() -> str:
    """The reference in Markdown."""
    return _HEAD.replace("{exit_codes}", _exit_codes(EXIT_CODES)) + "".join(
        _section(path, command) for path, command in every_command()
    )


def _section(path: tuple[str, ...], command: Command | Commands) -> str:
    parts = [
        f"\n## {' '.join(path)}\n",
        f"```text\n{usage(path, command)}\n```\n",
        "\n\n".join(paragraphs(command)) + "\n",
    ]
    if rows := [(f"`{names}`", meaning) for names, meaning in options(command)]:
        parts.append(table(("Option", "Meaning"), rows))
    if command.examples:
        lines = "".join(f"# {meaning}\n{line}\n" for line, meaning in command.examples)
        parts.append(f"Examples:\n\n```sh\n{lines}```\n")
    if command.exit_codes != EXIT_CODES:
        parts.append(_exit_codes(own_exit_codes(command)))
    return "\n".join(parts)


def _exit_codes(codes: ExitCodes) -> str:
    return table(("Exit code", "Meaning"), [(str(code), text) for code, text in codes.items()])


def files() -> Mapping[str, str]:
    """The generated files, by name."""
    return {"commands.md": page(), "drove-gateway.8": manual()}


main = reference_command(files)


if __name__ == "__main__":
    main()
