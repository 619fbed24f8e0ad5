"""Build the manual page, in roff, from the commands."""

import re
from collections.abc import Iterable, Iterator

from drove_gateway.cli.command import EXIT_CODES, Command, Commands
from drove_gateway.model.about import about
from tools.reference.command_help import every_command, options, own_exit_codes, paragraphs, usage

_CODE = re.compile(r"`([^`]+)`")
_FILES = (
    ("/etc/drove-gateway/nixy.toml", "The configuration of an installed package."),
    ("/etc/nixy/nixy.toml", "The configuration of an installation of the original."),
    ("/var/lib/drove-gateway", "The stored state."),
    ("/usr/share/doc/drove-gateway", "Documentation, examples, alert rules and a dashboard."),
)
_ENVIRONMENT = (
    ("NO_COLOR", "Output is not coloured if this is set to any value."),
    ("DROVE_CONTROLLERS", "Configures the gateway without a file, if there is no nixy.toml."),
    (
        "_DROVE_GATEWAY_COMPLETE",
        "With bash_source, zsh_source or fish_source the program prints its completion script.",
    ),
)
_SIGNALS = (
    ("SIGTERM, SIGINT", "Finish the current step and end the daemon."),
    ("SIGHUP", "Read the configuration and the template again."),
    (
        "SIGUSR1",
        "Leave the proxy alone for at most five minutes, so that it can be restarted.",
    ),
    ("SIGUSR2", "Bring the restarted proxy up to date."),
)


def manual() -> str:
    """The whole page, in roff."""
    (path, program), *commands = every_command()
    first, *description = paragraphs(program)
    lines = [
        f'.TH DROVE-GATEWAY 8 "" "drove-gateway {about().version}" "System administration"',
        ".SH NAME",
        "drove-gateway \\- keeps NGINX and HAProxy in step with a Drove cluster",
        ".SH SYNOPSIS",
        f".B {argument(usage(path, program))}",
        ".SH DESCRIPTION",
        *_paragraphs((first, *description)),
        ".SH OPTIONS",
        *terms(options(program)),
        ".SH COMMANDS",
        *(line for called, command in commands for line in _command(called, command)),
        ".SH EXIT STATUS",
        *terms((str(code), text) for code, text in EXIT_CODES.items()),
        ".SH ENVIRONMENT",
        *terms(_ENVIRONMENT),
        ".SH SIGNALS",
        *terms(_SIGNALS),
        ".SH FILES",
        *terms(_FILES),
        ".SH EXAMPLES",
        *terms(program.examples),
        ".SH SEE ALSO",
        ".BR nixy.toml (5)",
    ]
    return "\n".join(lines) + "\n"


def _command(path: tuple[str, ...], command: Command | Commands) -> Iterator[str]:
    yield f".SS {argument(usage(path, command))}"
    yield from _paragraphs(paragraphs(command))
    yield from terms(options(command))
    yield from (".PP", "Examples:", *terms(command.examples))
    if codes := own_exit_codes(command):
        yield from (
            ".PP",
            "Exit codes:",
            *terms((str(code), text) for code, text in codes.items()),
        )


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (".PP", text_line(text))


def terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Return the roff of a list of terms, each with its meaning."""
    for term, meaning in pairs:
        yield from (".TP", f".B {argument(term)}", text_line(meaning))


def text_line(text: str) -> str:
    """Return a line of roff that shows `text`; what Markdown marks as code is bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = _CODE.sub(r"\\fB\1\\fR", text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


def argument(text: str) -> str:
    """`text` as the argument of a macro, where roff would remove plain quotes."""
    return text_line(text).replace('"', "\\(dq").replace("'", "\\(aq")
