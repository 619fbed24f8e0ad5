"""The commands for certificates, as values.

A certificate and its key are the payload of a command: they are in no log line and in no error.
"""

import re

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.wording import printable
from drove_gateway.proxies.haproxy.api.runtime_commands import Command

# A path that needs no escapes.
_plain_path = re.compile(r"[A-Za-z0-9_.,:/@%+=-]+").fullmatch
_fingerprint = re.compile(r"^SHA1 FingerPrint: ([0-9A-F]{40})$", re.MULTILINE)


def can_name(path: str) -> bool:
    """Whether a command can name a file."""
    return _plain_path(path) is not None


def show_list(directory: str) -> Command:
    """Show the files of a directory that HAProxy has loaded."""
    return Command("show_crt_list", f"show ssl crt-list {_path(directory)}")


def listed(reply: str) -> list[str]:
    """Return the files of the reply to `show_list`."""
    return [line.split(" ", 1)[0] for line in reply.splitlines() if line and line[0] != "#"]


def show_certificate(file: str) -> Command:
    """Show what is known of a certificate."""
    return Command("show_cert", f"show ssl cert {_path(file)}")


def fingerprint(reply: str) -> str:
    """Return the fingerprint in the reply to `show_certificate`, empty if there is none."""
    found = _fingerprint.search(reply)
    return found[1] if found else ""


def replacing(file: str, pem: str) -> tuple[Command, ...]:
    """Replace a certificate that HAProxy has; the next handshake gets it."""
    name = _path(file)
    return (
        Command("set_cert", f"set ssl cert {name}", payload=pem),
        Command("commit_cert", f"commit ssl cert {name}"),
    )


def adding(directory: str, file: str, pem: str) -> tuple[Command, ...]:
    """Add a certificate to those of a directory."""
    name = _path(file)
    new = Command("new_cert", f"new ssl cert {name}")
    entry = Command("add_crt_list", f"add ssl crt-list {_path(directory)} {name}")
    return (new, *replacing(file, pem), entry)


def abort(command: Command) -> Command:
    """Give up the transaction that `command` is part of."""
    return Command("abort_cert", f"abort ssl cert {command.text.rsplit(' ', 1)[-1]}")


def delete_entry(directory: str, file: str) -> Command:
    """Take a file out of those of a directory."""
    return Command("del_crt_list", f"del ssl crt-list {_path(directory)} {_path(file)}")


def delete_certificate(file: str) -> Command:
    """Delete a certificate that nothing uses."""
    return Command("del_cert", f"del ssl cert {_path(file)}")


def _path(path: str) -> str:
    if _plain_path(path) is None:
        raise RuntimeApiError(
            f"'{printable(path, 100)}' cannot be named in a command: letters, digits, _.,:/@%+=- "
            "can; nothing was sent"
        )
    return path
