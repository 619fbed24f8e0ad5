"""The replies of HAProxy's runtime API, command by command.

The replies are texts without useful codes. This table lists those of HAProxy 2.8 and 3.0, and for
backends those of 3.4; any other reply is an error, never a success.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api.runtime_commands import Command

_LONGEST_SHOWN = 200
_PROMPT = b"\n> "
# Python keeps text beyond ASCII in up to four bytes a character. Long tables have only ASCII.
_MOST_BYTES_BEYOND_ASCII = 4 << 20
# What is not a table of servers or backends; the list of 1,000 certificates has 100 KB.
_MOST_BYTES_OF_OTHERS = 4 << 20


class Verdict(Enum):
    """The meaning of a reply."""

    # Members are single objects; Enum's own hash is slow, and thousands are looked up at once.
    __hash__ = object.__hash__

    DONE = auto()
    EXISTS = auto()
    NO_SERVER = auto()
    NO_BACKEND = auto()
    NO_LIST = auto()
    BUSY = auto()
    NOT_IN_MAINTENANCE = auto()
    PINNED = auto()
    NOT_CHECKED = auto()
    NEEDS_RELOAD = auto()


_SILENT = ("", Verdict.DONE)
_NO_SERVER = ("No such server.", Verdict.NO_SERVER)
_NO_BACKEND = ("No such backend.", Verdict.NO_BACKEND)
_CANNOT_FIND_BACKEND = ("Can't find backend.", Verdict.NO_BACKEND)

_STATES = ("set_server_state_ready", "set_server_state_drain", "set_server_state_maint")
_SERVERS = ("get_servers_state", "get_servers_state_all_backends")
_TABLES = frozenset({*_SERVERS, "show_servers_conn", "show_backends", "show_stat"})

_EXACT: Mapping[str, Mapping[str, Verdict]] = {
    "add_server": dict(
        (
            ("New server registered.", Verdict.DONE),
            ("Already exists a server with the same name in backend.", Verdict.EXISTS),
            _NO_BACKEND,
            (
                "Backend must use a dynamic load balancing to support dynamic servers.",
                Verdict.NEEDS_RELOAD,
            ),
        )
    ),
    "enable_health": dict(
        (
            _SILENT,
            _NO_SERVER,
            _NO_BACKEND,
            ("Health check was not configured on this server, cannot enable.", Verdict.NOT_CHECKED),
        )
    ),
    **{key: dict((_SILENT, _NO_SERVER, _NO_BACKEND)) for key in _STATES},
    "set_server_weight": dict((_SILENT, _NO_SERVER, _NO_BACKEND)),
    "set_server_addr": dict((("nothing changed", Verdict.DONE), _NO_SERVER, _NO_BACKEND)),
    "delete_server": dict(
        (
            ("Server deleted.", Verdict.DONE),
            _NO_SERVER,
            _NO_BACKEND,
            ("Only servers in maintenance mode can be deleted.", Verdict.NOT_IN_MAINTENANCE),
            (
                "Server still has connections attached to it, cannot remove it.",
                Verdict.BUSY,
            ),
            (
                (
                    "This server cannot be removed at runtime due to other configuration elements "
                    "pointing to it."
                ),
                Verdict.PINNED,
            ),
        )
    ),
    "shutdown_sessions": dict((_SILENT, _NO_SERVER, _NO_BACKEND)),
    "publish_backend": {"Backend published.": Verdict.DONE, "No such backend.": Verdict.NO_BACKEND},
    "unpublish_backend": {
        "Backend unpublished.": Verdict.DONE,
        "No such backend.": Verdict.NO_BACKEND,
    },
    "delete_backend": dict(
        (
            ("Backend deleted.", Verdict.DONE),
            _NO_BACKEND,
            ("Only a backend without server can be deleted.", Verdict.BUSY),
            ("Backend still has attached streams on it.", Verdict.BUSY),
            ("Backend must be unpublished prior to its deletion.", Verdict.BUSY),
        )
    ),
    "wait": {"Done.": Verdict.DONE, "Failed.": Verdict.BUSY},
    "get_servers_state": dict((_CANNOT_FIND_BACKEND,)),
    "show_servers_conn": dict((_CANNOT_FIND_BACKEND,)),
    "show_stat": {"No such proxy.": Verdict.NO_BACKEND},
    "show_crt_list": {"didn't find the specified filename": Verdict.NO_LIST},
}

# 2.8: `no need to change the addr, port changed from 'X' to 'Y' by 'stats socket command'`;
# 3.0: `IP changed from 'X' to 'Y', port changed from …` and `nothing changed`.
_MOVED = re.compile(
    r"(?:no need to change the (?:addr|port)|(?:IP|port) changed from '[^']*' to '[^']*')"
    r"(?:, (?:no need to change the port|port changed from '[^']*' to '[^']*'))?"
    r"(?: by 'stats socket command')?"
)

# The kind of the other proxy, then its name.
_TAKEN = re.compile(
    r"Error during backend creation : name is already used by other proxy 'backend [^']*'\."
)

_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "set_server_addr": _MOVED,
    **dict.fromkeys(_SERVERS, re.compile(r"1\n# be_id be_name .*", re.DOTALL)),
    "show_servers_conn": re.compile(r"# bkname/svname .*", re.DOTALL),
    "show_backends": re.compile(r"# name(?:\n.*)?", re.DOTALL),
    "show_stat": re.compile(r"# pxname,svname,.*", re.DOTALL),
    "show_info": re.compile(r"Name: .*", re.DOTALL),
    "show_crt_list": re.compile(r"# .*", re.DOTALL),
    "show_cert": re.compile(r"Filename: .*", re.DOTALL),
    "new_cert": re.compile(r"New empty certificate store '.*'!"),
    "set_cert": re.compile(r"Transaction (?:created|updated) for certificate .*!"),
    "commit_cert": re.compile(r"Committing .*\nSuccess!", re.DOTALL),
    "abort_cert": re.compile(r"Transaction aborted for certificate '.*'!|No ongoing transaction!"),
    "add_crt_list": re.compile(r"Inserting certificate '.*' in crt-list '.*'\.+\nSuccess!"),
    "del_crt_list": re.compile(r"Entry '.*' deleted in crtlist '.*'!"),
    "del_cert": re.compile(r"Certificate '.*' deleted!"),
    "help": re.compile(r"The following commands are valid at this level:.*", re.DOTALL),
}


def verdict(command: Command, reply: str) -> Verdict:
    """Return the meaning of `reply`. Raises RuntimeApiError if the reply is unknown."""
    if command.operation == "add_backend":
        return _added_backend(command, reply)
    if command.operation == "delete_backend":
        # What happened to its last servers is reported first.
        reply = reply.rsplit("\n", 1)[-1]
    found = _EXACT.get(command.operation, {}).get(reply)
    if found is not None:
        return found
    pattern = _PATTERNS.get(command.operation)
    if pattern is not None and pattern.fullmatch(reply):
        return Verdict.DONE
    raise refusal(command, reply)


def _added_backend(command: Command, reply: str) -> Verdict:
    if reply == "New backend registered.":
        return Verdict.DONE
    if _TAKEN.fullmatch(reply):
        return Verdict.EXISTS
    raise refusal(command, reply)


def refusal(command: Command, reply: str) -> RuntimeApiError:
    """Return an error that names command and reply, and how to fix the likely cause."""
    hint = ""
    if reply.startswith("Permission denied"):
        hint = " (the stats socket needs `level admin`)"
    text = f'"{shown(reply)}"' if reply else "nothing"
    return RuntimeApiError(f"HAProxy replied {text} to `{shown(command.text)}`{hint}")


def prompts(output: bytearray, begin: int) -> int:
    """Return how many prompts end in `output` after its first `begin` bytes."""
    return output.count(_PROMPT, max(0, begin - len(_PROMPT) + 1))


def split(output: bytes | bytearray, commands: Sequence[Command]) -> list[str]:
    r"""Split the output of a connection in prompt mode into the replies to `commands`.

    A prompt, `> ` at the beginning of a line, follows every reply. Raises RuntimeApiError if there
    are fewer or more replies than commands, or a reply is too long; UnicodeError if `output` is
    not text. Memory: a copy of `output`.
    """
    if len(output) > _MOST_BYTES_BEYOND_ASCII and not output.isascii():
        raise UnicodeError("a long reply has characters beyond ASCII")
    # The first part is the reply to `prompt`, the part after the last prompt that to `quit`.
    first, *rest = _parts(output)
    # Of a payload, 2.8 prompts for each line.
    replies = [
        part.lstrip("+ ").strip("\n") if part[:2] == "+ " else part.strip("\n") for part in rest
    ]
    if first or len(replies) != len(commands) + 1 or replies[-1]:
        answered = max(0, min(len(replies) - 1, len(commands)))
        unanswered = commands[answered].text if answered < len(commands) else "quit"
        end = output[-_LONGEST_SHOWN:].decode(errors="replace")
        raise RuntimeApiError(
            f"HAProxy's runtime API sent {answered} replies to {len(commands)} commands; "
            f"`{shown(unanswered)}` got no reply; the output ended with "
            f'"{shown(end)}"'
        )
    for command, reply in zip(commands, replies, strict=False):
        if len(reply) > _MOST_BYTES_OF_OTHERS and command.operation not in _TABLES:
            raise refusal(command, f"{reply[:_LONGEST_SHOWN]}… ({len(reply)} characters)")
    return replies[:-1]


def _parts(output: bytes | bytearray) -> list[str]:
    """Return what is between the prompts."""
    parts, begin = [], 0
    with memoryview(output) as view:
        while begin <= len(output):
            end = output.find(_PROMPT, begin)
            end = len(output) if end < 0 else end
            parts.append(str(view[begin:end], "utf-8"))
            begin = end + len(_PROMPT)
    return parts


def shown(text: str) -> str:
    """Return `text` on one line and shortened, for messages."""
    line = " | ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…"
