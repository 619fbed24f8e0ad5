"""Something that will hurt, found by an examination."""

from pathlib import Path
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The worst first: requests fail, something will fail, something is worth knowing."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that will hurt.

    `check` is the stable name of the check, `what` a sentence about it, `subjects` what it is found
    at, and `advice` what to do. Without subjects, nothing was found. What is not `avoidable` cannot
    be changed in the template.
    """

    check: str
    severity: Severity
    what: str
    subjects: tuple[str, ...]
    advice: str
    avoidable: bool = True


class FileExamination(msgspec.Struct, frozen=True):
    """What a proxy's configuration shows: findings, and the paths of its certificates, which are
    files or directories."""

    findings: tuple[Finding, ...] = ()
    certificates: tuple[Path, ...] = ()
