"""Logs what the acceptance leaves out or holds, once each."""

from collections.abc import Iterable

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.vocabulary import Rejection
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.guard import HeldWithdrawal


class AcceptanceLog:
    """Logs what is new in each published build, compared with the one before."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._rejected: frozenset[Rejection] = frozenset()
        self._held: dict[str, HeldWithdrawal] = {}

    def published(self, build: TopologyBuild, held: tuple[HeldWithdrawal, ...]) -> None:
        """Log what `build` rejects and what is `held`, unless it was logged before."""
        self._log_held(held)
        self._log_rejected(frozenset(build.rejected))

    def _log_held(self, held: Iterable[HeldWithdrawal]) -> None:
        before, self._held = self._held, {withdrawal.namespace: withdrawal for withdrawal in held}
        for namespace in before:
            if namespace not in self._held:
                self._log.info("a held withdrawal is over", namespace=namespace)
        for namespace, withdrawal in self._held.items():
            known = before.get(namespace)
            if known is None or (known.servers, known.reason) != (
                withdrawal.servers,
                withdrawal.reason,
            ):
                self._log.warning(
                    "a withdrawal is on hold: these servers keep their traffic",
                    namespace=namespace,
                    reason=withdrawal.reason,
                    servers=withdrawal.servers,
                    vhosts=withdrawal.vhosts,
                    believed_in_sec=round(withdrawal.remaining, 1),
                )

    def _log_rejected(self, rejected: frozenset[Rejection]) -> None:
        fresh = rejected - self._rejected
        self._rejected = rejected
        for rejection in sorted(
            fresh, key=lambda rejection: (rejection.namespace, rejection.app_id, rejection.value)
        ):
            self._log.warning(
                "left out what the controller sent",
                namespace=rejection.namespace,
                app=rejection.app_id,
                subject=rejection.subject,
                value=rejection.value,
                reason=rejection.reason,
            )
