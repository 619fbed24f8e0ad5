"""Logs what the acceptance leaves out, holds or believes, once each."""

from collections.abc import Iterable

from drove_gateway.acceptance.acceptance import AcceptanceReport
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.acceptance.verdict import Believed
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Rejection

# A response may withdraw thousands of vhosts: the first few are named, the others are counted.
_MOST_VHOSTS = 20


class AcceptanceLog:
    """Logs what is new in each report, compared with the report before."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._rejected: frozenset[Rejection] = frozenset()
        self._held: dict[tuple[str, tuple[str, ...]], HeldWithdrawal] = {}

    def published(self, report: AcceptanceReport) -> None:
        """Log what is rejected, held and believed, unless it was logged before."""
        self._log_believed(report.believed)
        self._log_held(report.held)
        self._log_rejected(frozenset(report.build.rejected))

    def _log_believed(self, believed: Iterable[Believed]) -> None:
        leaving = tuple(believed)
        for each in leaving[:_MOST_VHOSTS]:
            self._log.write(
                LogEvent.SERVERS_WITHDRAWN,
                namespace=each.namespace,
                vhost=each.vhost,
                servers=each.servers,
                reason=each.reason,
            )
        if more := leaving[_MOST_VHOSTS:]:
            servers = sum(each.servers for each in more)
            self._log.write(LogEvent.MORE_SERVERS_WITHDRAWN, vhosts=len(more), servers=servers)

    def _log_held(self, held: Iterable[HeldWithdrawal]) -> None:
        before, self._held = self._held, {(each.namespace, each.vhosts): each for each in held}
        over = [key for key in before if key not in self._held]
        for namespace, vhosts in over[:_MOST_VHOSTS]:
            self._log.write(LogEvent.HOLD_ENDED, namespace=namespace, vhost=vhosts[0])
        fresh = [each for key, each in self._held.items() if _is_news(before.get(key), each)]
        for each in fresh[:_MOST_VHOSTS]:
            self._log.write(
                LogEvent.WITHDRAWAL_HELD,
                namespace=each.namespace,
                vhost=each.vhosts[0],
                servers=each.servers,
                reason=each.reason,
                known=each.known,
                ends=each.ends,
            )
        if len(fresh) > _MOST_VHOSTS:
            self._log.write(
                LogEvent.MORE_WITHDRAWALS_HELD,
                vhosts=len(fresh) - _MOST_VHOSTS,
                servers=sum(each.servers for each in fresh[_MOST_VHOSTS:]),
            )

    def _log_rejected(self, rejected: frozenset[Rejection]) -> None:
        fresh = rejected - self._rejected
        self._rejected = rejected
        for rejection in sorted(
            fresh, key=lambda rejection: (rejection.namespace, rejection.app_id, rejection.value)
        ):
            self._log.write(
                LogEvent.INPUT_REJECTED,
                namespace=rejection.namespace,
                app=rejection.app_id,
                subject=rejection.subject,
                value=rejection.value,
                reason=rejection.reason,
            )


def _is_news(before: HeldWithdrawal | None, now: HeldWithdrawal) -> bool:
    return before is None or (before.servers, before.reason) != (now.servers, now.reason)
