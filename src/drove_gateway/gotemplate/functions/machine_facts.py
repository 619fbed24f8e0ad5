"""What templates ask about the machine: its address families, and the files in a directory."""

import re
import socket
from pathlib import Path

_MOST_FILES = 10_000
_plain_name = re.compile(r"[A-Za-z0-9_*.-]+").fullmatch


def has_ipv6() -> bool:
    """Return whether a server on this machine can listen on IPv6.

    A kernel without IPv6 refuses the socket; NGINX and HAProxy then refuse their configuration.
    """
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("::", 0))
    except OSError:
        return False
    return True


def files(directory: str, ending: str) -> list[str]:
    """Return the names of the files in `directory` that have this ending, sorted and without it.

    Names that a configuration would have to quote are left out. A directory that cannot be read
    has none. Raises ValueError if there are more than 10,000.
    """
    try:
        paths = [path for path in Path(directory).iterdir() if path.name.endswith(ending)]
    except OSError:
        return []
    names = sorted(path.name.removesuffix(ending) for path in paths if path.is_file())
    if len(names) > _MOST_FILES:
        raise ValueError(f"{directory} has more than {_MOST_FILES} files with this ending")
    return [name for name in names if _plain_name(name)]
