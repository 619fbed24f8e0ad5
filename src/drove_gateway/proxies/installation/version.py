"""The installed version of the proxy, so that templates can use features of newer versions."""

import re
from collections.abc import Sequence

from drove_gateway.model.errors import ProxyError
from drove_gateway.proxies.installation.subprocess_runner import run

Version = tuple[int, ...]

# It is printed at once; a start must not wait for longer.
_LONGEST_SECONDS = 5.0

_VERSION = re.compile(r"(?:/|\bversion )(\d+(?:\.\d+)+)")


async def installed_version(command: Sequence[str], *, timeout: float) -> Version | None:
    """Return the version that `command -v` prints, None if it is unknown (no binary, for example).

    NGINX and OpenResty print `nginx version: nginx/1.27.4`, HAProxy `HAProxy version 2.8.25-…`.
    """
    try:
        finished = await run((*command, "-v"), timeout=min(timeout, _LONGEST_SECONDS))
    except ProxyError:
        return None
    return parse_version(finished.output)


def parse_version(text: str) -> Version | None:
    """Find the version in the output of `-v`."""
    match = _VERSION.search(text)
    return _numbers(match.group(1)) if match else None


def at_least(version: Version | None, wanted: str) -> bool:
    """Whether `version` is `wanted` or newer; an unknown version is not.

    Raises ValueError if `wanted` is not a version.
    """
    if not re.fullmatch(r"\d+(\.\d+)*", wanted):
        raise ValueError(f"{wanted!r} is not a version; write it like 1.27.4")
    return version is not None and version >= _numbers(wanted)


def _numbers(text: str) -> Version:
    return tuple(int(number) for number in text.split("."))
