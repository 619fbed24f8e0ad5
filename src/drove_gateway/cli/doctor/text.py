"""A diagnosis for people. Pure."""

from collections.abc import Iterator

from drove_gateway.cli.doctor.diagnosis import Diagnosis
from drove_gateway.model.finding import Finding, Severity
from drove_gateway.model.wording import count_of, printable

_MOST_SUBJECTS = 10
_LONGEST_SUBJECT = 300
_MARKS: dict[Severity, str] = {"error": "!!", "warning": "! ", "note": "- "}


def lines(diagnosis: Diagnosis, *, everything: bool) -> Iterator[str]:
    """Yield the lines: each finding with its subjects and advice, then what is not known."""
    for finding in diagnosis.findings:
        yield from _finding(finding, everything=everything)
        yield ""
    for problem in diagnosis.not_examined:
        yield f"?  not examined: {printable(problem, _LONGEST_SUBJECT)}"
    if diagnosis.not_examined:
        yield ""
    yield _conclusion(diagnosis)


def _finding(finding: Finding, *, everything: bool) -> Iterator[str]:
    yield f"{_MARKS[finding.severity]} {finding.check}: {finding.what}"
    shown = finding.subjects if everything else finding.subjects[:_MOST_SUBJECTS]
    for subject in shown:
        yield f"     {printable(subject, _LONGEST_SUBJECT)}"
    if more := len(finding.subjects) - len(shown):
        yield f"     and {more:,} more; --all lists them"
    yield f"   > {finding.advice}"


def _conclusion(diagnosis: Diagnosis) -> str:
    bad = [finding for finding in diagnosis.findings if finding.severity != "note"]
    gaps = " Not everything could be examined." if diagnosis.not_examined else ""
    if not bad:
        return f"Nothing was found that will hurt.{gaps}"
    return f"Found {count_of(len(bad), 'problem')}.{gaps}"
