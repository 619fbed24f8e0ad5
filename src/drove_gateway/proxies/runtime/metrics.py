"""The metrics of a runtime API."""

from typing import Protocol


class ApiMetrics(Protocol):
    """Counts the calls of a proxy's runtime API."""

    def call(self, operation: str, ok: bool) -> None:
        """Count a call of `operation`, and whether the API carried it out."""
        ...

    def duration(self, ok: bool, seconds: float) -> None:
        """Record how long a batch of changes took, and whether it succeeded."""
        ...

    def read_duration(self, ok: bool, seconds: float) -> None:
        """Record how long it took to read what the proxy has, and whether it succeeded."""
        ...
