"""Why the proxy may not serve what was installed."""


class Doubts:
    """Doubts by their reasons, oldest first.

    A doubt that comes while an apply is in progress is not resolved by it: what the apply has read
    by then may be older.
    """

    def __init__(self, *reasons: str) -> None:
        self._fresh: tuple[str, ...] = reasons
        self._begun: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """All that are not resolved, each once."""
        return tuple(dict.fromkeys((*self._begun, *self._fresh)))

    def add(self, reason: str) -> None:
        """Doubt, from now on."""
        if reason not in self._fresh:
            self._fresh = (*self._fresh, reason)

    def begin(self) -> None:
        """An apply begins that may resolve all doubts up to now."""
        self._begun, self._fresh = self.reasons, ()

    def resolve(self) -> None:
        """What the apply began with is resolved. Without this, it stays for the next apply."""
        self._begun = ()
