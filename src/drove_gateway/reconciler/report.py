"""Counts and logs each attempt to bring the proxy to the desired state."""

from typing import Protocol

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RenderError
from drove_gateway.model.plan import ApplyStage, Outcome, Plan
from drove_gateway.model.records import ApplyRecord


class ReconcilerMetrics(Protocol):
    """What the reconciler counts."""

    def reload_succeeded(self, seconds: float) -> None: ...
    def reload_failed(self) -> None: ...
    def template_rendered(self, ok: bool, seconds: float) -> None: ...
    def applied(self, record: ApplyRecord) -> None: ...


def count(metrics: ReconcilerMetrics, record: ApplyRecord, outcome: Outcome) -> None:
    """Count an attempt that ended, with or without success."""
    seconds = dict(outcome.seconds)
    if outcome.reloaded:
        metrics.reload_succeeded(record.took)
    if ApplyStage.RENDER in seconds:
        metrics.template_rendered(True, seconds[ApplyStage.RENDER])
    metrics.applied(record)


def count_failure(metrics: ReconcilerMetrics, plan: Plan, failure: Exception) -> None:
    """Count what is only known from the error of a failed attempt."""
    if plan.reload:
        metrics.reload_failed()
    if isinstance(failure, RenderError):
        metrics.template_rendered(False, 0.0)


def log_record(log: EventLog, record: ApplyRecord) -> None:
    """Log an attempt that ended."""
    facts = {
        "took_ms": _milliseconds(record.took),
        **{f"{stage}_ms": _milliseconds(seconds) for stage, seconds in record.stages},
        "reloaded": record.reloaded,
        "triggers": record.triggers,
        "reasons": record.reasons,
        "steps": len(record.steps),
        "subjects": tuple(dict.fromkeys(step.subject for step in record.steps)),
    }
    if record.error:
        log.write(LogEvent.APPLY_FAILED, error=record.error, **facts)
    elif record.failed:
        log.write(LogEvent.APPLIED_IN_PART, failed=record.failed, **facts)
    else:
        log.write(LogEvent.APPLIED, **facts)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
