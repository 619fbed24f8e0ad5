"""What an examination found, in order."""

from collections.abc import Sequence

import msgspec

from drove_gateway.model.finding import SEVERITIES, Finding


class Diagnosis(msgspec.Struct, frozen=True):
    """What was found, the worst first; and what could not be examined, each with the cause."""

    findings: tuple[Finding, ...] = ()
    not_examined: tuple[str, ...] = ()

    @property
    def hurts(self) -> bool:
        """Whether something will fail, unlike what is only worth knowing."""
        return any(finding.severity != "note" for finding in self.findings)


def diagnosis(found: Sequence[Finding], not_examined: Sequence[str]) -> Diagnosis:
    """Return what was found, the worst first, without findings that have no subject."""
    listed = (finding for finding in found if finding.subjects)
    ordered = sorted(listed, key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(tuple(ordered), tuple(not_examined))
