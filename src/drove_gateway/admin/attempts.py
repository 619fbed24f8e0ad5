"""Slows down who guesses tokens: after some wrong ones, an address has to wait."""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil

from aiohttp import web

from drove_gateway.admin.responses import json_response

_MOST_ADDRESSES = 1000


class FailedAttempts:
    """Counts the wrong tokens of each address within `window` seconds; `most` of them block it.

    `clock` counts monotonic seconds. Of more than 1,000 addresses the oldest are forgotten.
    """

    def __init__(self, most: int, window: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._window = window
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return the seconds for which `address` is blocked; 0 if it is not."""
        begin, count = self._failed.get(address, (0.0, 0))
        left = begin + self._window - self._clock()
        return left if count >= self._most and left > 0 else 0.0

    def fail(self, address: str) -> None:
        """Note a wrong token."""
        begin, count = self._failed.pop(address, (self._clock(), 0))
        if self._clock() - begin >= self._window:
            begin, count = self._clock(), 0
        self._failed[address] = begin, count + 1
        if len(self._failed) > _MOST_ADDRESSES:
            self._failed.popitem(last=False)


def later(seconds: float) -> web.Response:
    """Return the response for an address that has to wait."""
    left = ceil(seconds)
    error = f"too many wrong tokens from this address; try again in {left} s"
    response = json_response({"error": error}, 429)
    response.headers["Retry-After"] = str(left)
    return response
