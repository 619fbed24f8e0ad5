"""The man page, in roff, from the commands themselves."""

from collections.abc import Iterable, Iterator

from drove_gateway.cli.command import EXIT_CODES, Command, Commands
from drove_gateway.model.about import about
from tools.reference.described import (
    every_command,
    own_codes,
    prose,
    records,
    usage,
)

_ENVIRONMENT = (
    ("NO_COLOR", "Set to anything, it takes all colours away."),
    ("DROVE_CONTROLLERS", "Configures the gateway without a file, where no nixy.toml is there."),
    (
        "_DROVE_GATEWAY_COMPLETE",
        "With bash_source, zsh_source or fish_source the program prints its completion.",
    ),
)
_SIGNALS = (
    ("SIGTERM, SIGINT", "End the daemon after the step under way."),
    ("SIGHUP", "Read the configuration and the template again."),
    (
        "SIGUSR1",
        "Begin nothing on the proxy, for five minutes at most, so that it can be restarted.",
    ),
    ("SIGUSR2", "Bring the restarted proxy up to date."),
)


def manual() -> str:
    """The whole page."""
    (path, program), *commands = every_command()
    first, *description = prose(program)
    lines = [
        f'.TH DROVE-GATEWAY 8 "" "drove-gateway {about().version}" "System administration"',
        ".SH NAME",
        "drove-gateway \\- keeps NGINX and HAProxy true to what runs on a Drove cluster",
        ".SH SYNOPSIS",
        f".B {argument(usage(path, program))}",
        ".SH DESCRIPTION",
        *_paragraphs((first, *description)),
        ".SH OPTIONS",
        *_terms(records(program)),
        ".SH COMMANDS",
        *(line for called, command in commands for line in _command(called, command)),
        ".SH EXIT STATUS",
        *_terms((str(code), text) for code, text in EXIT_CODES.items()),
        ".SH ENVIRONMENT",
        *_terms(_ENVIRONMENT),
        ".SH SIGNALS",
        *_terms(_SIGNALS),
        ".SH EXAMPLES",
        *_terms(program.examples),
    ]
    return "\n".join(lines) + "\n"


def _command(path: tuple[str, ...], command: Command | Commands) -> Iterator[str]:
    yield f".SS {argument(usage(path, command))}"
    yield from _paragraphs(prose(command))
    yield from _terms(records(command))
    yield from (".PP", "Examples:", *_terms(command.examples))
    if codes := own_codes(command):
        yield from (
            ".PP",
            "Exit codes:",
            *_terms((str(code), text) for code, text in codes.items()),
        )


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (".PP", _text(text))


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in pairs:
        yield from (".TP", f".B {argument(term)}", _text(meaning))


def _text(text: str) -> str:
    """One line of roff that shows `text`."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def argument(text: str) -> str:
    """The same as the argument of a macro, where quotes would be taken away."""
    return _text(text).replace('"', "\\(dq").replace("'", "\\(aq")
