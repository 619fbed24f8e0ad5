"""Publish the latest status."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from drove_gateway.status.status import Status

P = ParamSpec("P")


class StatusPublisher:
    """Holds the latest status; the only mutable part of the status."""

    def __init__(self, first: Status) -> None:
        self.current = first

    def publish(
        self,
        change: Callable[Concatenate[Status, P], Status],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Replace the current status by what `change` returns for it."""
        self.current = change(self.current, *args, **kwargs)
