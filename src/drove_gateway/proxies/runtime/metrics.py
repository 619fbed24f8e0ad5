"""The metrics of a runtime API."""

from typing import Protocol


class ApiMetrics(Protocol):
    """Counts the calls of a proxy's runtime API."""

    def call(self, operation: str, ok: bool) -> None:
        """Count a call of `operation`, and whether the API carried it out."""
        ...

    def duration(self, ok: bool, seconds: float) -> None:
        """Record how long an update of all servers took, and whether it succeeded."""
        ...
