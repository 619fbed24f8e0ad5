"""Answers of all namespaces to one desired topology: guard, memory of the last good, merge.

The only state here is what was accepted last; the decisions are pure (`guard`, `topology`).
"""

from collections.abc import Callable, Sequence

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.vocabulary import Rejection, Snapshot, Topology
from drove_gateway.topology.build import NamespaceRules, TopologyBuild, build
from drove_gateway.topology.guard import GuardLimits, GuardMemory, HeldWithdrawal, judge

Desire = Callable[[Topology, str], None]


class Acceptance:
    """Takes the namespaces' answers and says what the world should look like.

    `desire(topology, trigger)` is called when that changed, from the time on when every namespace
    has answered once or is not waited for (`go_on`): a gateway that starts beside a serving proxy
    must not take away what a controller would have told that only takes its time.
    """

    def __init__(
        self,
        rules: Sequence[NamespaceRules],
        limits: GuardLimits,
        desire: Desire,
        *,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
        published: Callable[[TopologyBuild, tuple[HeldWithdrawal, ...]], None],
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._desire = desire
        self._clock = clock
        self._log = log
        self._published = published
        self._watched: dict[str, GuardMemory] = {}
        self._latest: dict[str, Snapshot] = {}
        self._held: dict[str, HeldWithdrawal] = {}
        self._built: TopologyBuild | None = None
        self._waiting = {rule.namespace for rule in rules}
        self._logged: frozenset[Rejection] = frozenset()

    def take(self, answer: Snapshot) -> tuple[bool, Snapshot]:
        """Weigh a namespace's answer: whether all of it was taken, and what goes on from it.

        False means that a part is held, and that the same should be asked again.
        """
        self._latest[answer.namespace] = answer
        return self._judge(answer, accept=False)

    def restore(self, snapshot: Snapshot) -> None:
        """Start from a namespace's last known good state: its answers are weighed against it."""
        if snapshot.namespace not in self._watched:
            self._watched[snapshot.namespace] = GuardMemory(snapshot)

    def go_on(self, namespace: str, trigger: str) -> None:
        """Wait no longer for `namespace`.

        What was restored of it is used; without that it is as if it had no apps.
        """
        self._waiting.discard(namespace)
        self._rebuild(trigger)

    def accept_held(self) -> tuple[HeldWithdrawal, ...]:
        """Take every held answer as it is, now. Gives what was held."""
        held = tuple(self._held.values())
        for one in held:
            self._judge(self._latest[one.namespace], accept=True)
        return held

    def _judge(self, answer: Snapshot, *, accept: bool) -> tuple[bool, Snapshot]:
        name = answer.namespace
        before = self._watched.get(name, GuardMemory())
        judged = judge(
            before,
            answer,
            now=self._clock(),
            limits=self._limits,
            servers_elsewhere=lambda: self._servers_elsewhere(name),
            accept=accept,
        )
        accepted = judged.watched.accepted or answer
        self._watched[name] = judged.watched
        self._note(name, judged.held)
        waited_for = name in self._waiting
        self._waiting.discard(name)
        if waited_for or self._differs(before.accepted, accepted):
            self._rebuild(f"namespace {name}")
        elif self._built is not None:
            self._published(self._built, tuple(self._held.values()))
        return judged.held is None, accepted

    def _servers_elsewhere(self, namespace: str) -> int:
        return sum(
            len(app.hosts)
            for name, watched in self._watched.items()
            if name != namespace and watched.accepted is not None
            for app in watched.accepted.apps
        )

    @staticmethod
    def _differs(before: Snapshot | None, after: Snapshot) -> bool:
        return (
            before is None
            or before.apps is not after.apps
            or before.leader != after.leader
            or before.rejected != after.rejected
        )

    def _rebuild(self, trigger: str) -> None:
        snapshots = {
            name: watched.accepted
            for name, watched in self._watched.items()
            if watched.accepted is not None
        }
        self._built = build(snapshots, self._rules, self._built)
        self._log_rejections(self._built.rejected)
        self._published(self._built, tuple(self._held.values()))
        if snapshots and not self._waiting:
            self._desire(self._built.topology, trigger)

    def _note(self, namespace: str, held: HeldWithdrawal | None) -> None:
        known = self._held.pop(namespace, None)
        if held is None:
            if known is not None:
                self._log.info("a held withdrawal is over", namespace=namespace)
            return
        self._held[namespace] = held
        if known is None or (known.servers, known.reason) != (held.servers, held.reason):
            self._log.warning(
                "a withdrawal is held: these servers keep their traffic",
                namespace=namespace,
                reason=held.reason,
                servers=held.servers,
                vhosts=held.vhosts,
                believed_in_sec=round(held.remaining, 1),
            )

    def _log_rejections(self, rejected: tuple[Rejection, ...]) -> None:
        """Each rejection is logged once, not at every answer that repeats it."""
        present = frozenset(rejected)
        for one in sorted(
            present - self._logged, key=lambda one: (one.namespace, one.app_id, one.value)
        ):
            self._log.warning(
                "left out what the controller sent",
                namespace=one.namespace,
                app=one.app_id,
                subject=one.subject,
                value=one.value,
                reason=one.reason,
            )
        self._logged = present
