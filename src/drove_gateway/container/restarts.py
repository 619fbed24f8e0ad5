"""When a process that ended is restarted, and when restarting is hopeless."""

import msgspec

from drove_gateway.model.backoff import backoff

QUICK_SECONDS = 10.0
"""A process that ends sooner than this counts as one that does not get going."""

_MOST_QUICK_ENDS = 8
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 5.0


class RestartHistory(msgspec.Struct, frozen=True):
    """How often a process ended quickly, in a row, and whether it ever ran for longer."""

    quick: int = 0
    proven: bool = False

    def after(self, lived: float) -> "RestartHistory":
        """It ended after `lived` seconds."""
        if lived >= QUICK_SECONDS:
            return RestartHistory(quick=0, proven=True)
        return RestartHistory(quick=self.quick + 1, proven=self.proven)

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start."""
        return backoff(self.quick, first=_FIRST_DELAY_SECONDS, longest=_LONGEST_DELAY_SECONDS)

    @property
    def hopeless(self) -> bool:
        """Whether it ended quickly so often that it will again."""
        return self.quick >= _MOST_QUICK_ENDS
