"""The original's command line, which Go's `flag` package parses. Pure.

Go takes a flag with one hyphen or two, a value after a blank or `=`, and stops at the first word
that is not a flag; the original ignores the words from there on. Its systemd unit relies on that:
`nixy -f /etc/nixy/nixy.toml 2>&1 | logger -t nixy` runs without a shell.
"""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

FILE = "-f"
HELP = "--help"
SYNC_STATE = "--sync-haproxy-state-config"
VERSION = "-v"

_SWITCHES = {
    "v": VERSION,
    "version": VERSION,
    "h": HELP,
    "help": HELP,
    "sync-haproxy-state-config": SYNC_STATE,
}
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_LIKE_A_COMMAND = re.compile(r"[a-z][a-z-]*")


def split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the leading flags in click's spelling, and the words after them.

    Raises ValueError for a value that a flag cannot have.
    """
    flags: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        flag = rest.pop(0)
        if flag == "--":
            break
        name, _, value = flag.removeprefix("-").removeprefix("-").partition("=")
        if name == "f":
            flags += _with_value(flag, value, rest)
        elif name not in _SWITCHES:
            flags.append(flag)
        elif "=" in flag and value not in _TRUE | _FALSE:
            raise ValueError(f"{flag}: a switch is true or false, as in -{name}=true")
        elif value not in _FALSE:
            flags.append(_SWITCHES[name])
    return flags, rest


def with_file_flags(arguments: Sequence[str]) -> list[str]:
    """Return a command's arguments with `-f` and `-help` in click's spelling, wherever they are.

    Raises ValueError for a value that a flag cannot have.
    """
    result: list[str] = []
    rest = list(arguments)
    while rest:
        flag = rest.pop(0)
        name, _, value = flag.removeprefix("-").removeprefix("-").partition("=")
        if flag == "--":
            return [*result, flag, *rest]
        if flag.startswith("-") and name == "f":
            result += _with_value(flag, value, rest)
        else:
            result.append(HELP if flag == "-help" else flag)
    return result


def is_ignored(
    word: str, commands: Collection[str], *, flags: Collection[str], program: str
) -> bool:
    """Whether a first word after the `flags` has no meaning, as for the original.

    It may also be a misspelt command, which must not start the daemon. That is what a word like a
    command's name is taken for, and every plain word unless a flag or the name `nixy` says that the
    command line was made for the original: in Go, `true` after a switch is such a word.
    """
    if get_close_matches(word, commands, n=1):
        return False
    return bool(flags) or program == "nixy" or not _LIKE_A_COMMAND.fullmatch(word)


def _with_value(flag: str, value: str, rest: list[str]) -> list[str]:
    """Return `-f` and its value, which is the next word unless the flag has a `=`."""
    if "=" not in flag:
        if not rest:
            return [FILE]
        value = rest.pop(0)
    if not value:
        raise ValueError(f"{flag}: name a file, as in -f nixy.toml")
    return [FILE, value]
