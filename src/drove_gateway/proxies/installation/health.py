"""Health of an installation: its two sections, and news about the template."""

from collections.abc import Callable

from drove_gateway.model.errors import GatewayError, RenderError
from drove_gateway.model.health import PENDING, HealthSection


def _silent(problem: str) -> None:
    """Announce nothing."""


class InstallationHealth:
    """The sections after the last install or write.

    `announce` gets what is wrong with the template when that begins or changes, and an empty text
    when it ends.
    """

    def __init__(self, announce: Callable[[str], None] = _silent) -> None:
        self.config = PENDING
        self.template = PENDING
        self._announce = announce
        self._announced = ""

    def report(self, error: GatewayError | None, template: HealthSection) -> None:
        """Take the result of an install or a write, and the state of the template."""
        self.template = template
        if error is None:
            self.config = HealthSection()
        elif isinstance(error, RenderError):
            if template.healthy:
                self.template = HealthSection(healthy=False, message=str(error))
        else:
            self.config = HealthSection(healthy=False, message=str(error))
        problem = "" if self.template.healthy else self.template.message
        if problem != self._announced:
            self._announced = problem
            self._announce(problem)
