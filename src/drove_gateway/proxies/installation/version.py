"""Which version of the proxy is installed, so that a template can use what only newer ones know."""

import re
from collections.abc import Sequence

from drove_gateway.model.errors import ProxyError
from drove_gateway.proxies.installation.subprocess_runner import run

Version = tuple[int, ...]

_VERSION = re.compile(r"(?:nginx/|openresty/|HAProxy version )(\d+(?:\.\d+)+)")


async def installed_version(command: Sequence[str], *, timeout: float) -> Version | None:
    """What `command -v` says, None where it says nothing that is known (no binary, say).

    NGINX and OpenResty print `nginx version: nginx/1.27.4`, HAProxy `HAProxy version 2.8.25-…`.
    """
    try:
        finished = await run((*command, "-v"), timeout=timeout)
    except ProxyError:
        return None
    return parse_version(finished.output)


def parse_version(text: str) -> Version | None:
    """The version in what a proxy prints for `-v`."""
    found = _VERSION.search(text)
    return _numbers(found.group(1)) if found else None


def at_least(version: Version | None, wanted: str) -> bool:
    """Whether `version` is `wanted` or newer; an unknown version is not.

    Raises ValueError when `wanted` is no version.
    """
    if not re.fullmatch(r"\d+(\.\d+)*", wanted):
        raise ValueError(f"{wanted!r} is no version; write it like 1.27.4")
    return version is not None and version >= _numbers(wanted)


def _numbers(text: str) -> Version:
    return tuple(int(number) for number in text.split("."))
