"""Responses of all namespaces to one desired topology: guard, memory of the last good, merge.

The only state here is what was accepted last; the decisions are pure (`guard`, `build`).
"""

from collections.abc import Callable, Sequence

import msgspec

from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.guard import GuardLimits, GuardMemory, HeldWithdrawal, judge
from drove_gateway.topology.namespace_build import NamespaceRules

Desire = Callable[[Topology, str], None]


class Accepted(msgspec.Struct, frozen=True):
    """What was accepted of a namespace's response.

    `complete` is False when a part is on hold, and the same should be requested again. `snapshot`
    is what the namespace contributes now.
    """

    complete: bool
    snapshot: Snapshot


class Acceptance:
    """Weighs the namespaces' responses and keeps the desired state.

    `desire(topology, trigger)` is called when the desired state changed. The first call comes when
    every namespace has responded once or is no longer waited for (`stop_waiting`): a gateway that
    starts beside a serving proxy must not remove what a slow controller is about to list.
    `publish(build, held)` is called after each response.
    """

    def __init__(
        self,
        rules: Sequence[NamespaceRules],
        limits: GuardLimits,
        desire: Desire,
        *,
        clock: Callable[[], float],
        publish: Callable[[TopologyBuild, tuple[HeldWithdrawal, ...]], None],
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._desire = desire
        self._clock = clock
        self._publish = publish
        self._memory: dict[str, GuardMemory] = {}
        self._latest: dict[str, Snapshot] = {}
        self._held: dict[str, HeldWithdrawal] = {}
        self._build: TopologyBuild | None = None
        self._waiting = {rule.namespace for rule in rules}

    def take(self, response: Snapshot) -> Accepted:
        """Weigh a namespace's response."""
        self._latest[response.namespace] = response
        return self._judge(response, accept=False)

    def restore(self, snapshot: Snapshot) -> None:
        """Start from a namespace's last known good state: its responses are weighed against it."""
        if snapshot.namespace not in self._memory:
            self._memory[snapshot.namespace] = GuardMemory(snapshot)

    def stop_waiting(self, namespace: str, trigger: str) -> None:
        """Wait no longer for `namespace`.

        What was restored of it is used; without that it is as if it had no apps.
        """
        self._waiting.discard(namespace)
        self._rebuild(trigger)

    def accept_held(self) -> tuple[HeldWithdrawal, ...]:
        """Apply every held withdrawal now. Returns what was on hold."""
        held = tuple(self._held.values())
        for withdrawal in held:
            self._judge(self._latest[withdrawal.namespace], accept=True)
        return held

    def _judge(self, response: Snapshot, *, accept: bool) -> Accepted:
        name = response.namespace
        before = self._memory.get(name, GuardMemory())
        verdict = judge(
            before,
            response,
            now=self._clock(),
            limits=self._limits,
            servers_elsewhere=lambda: self._servers_elsewhere(name),
            accept=accept,
        )
        accepted = verdict.memory.accepted or response
        self._memory[name] = verdict.memory
        self._held.pop(name, None)
        if verdict.held is not None:
            self._held[name] = verdict.held
        was_waited_for = name in self._waiting
        self._waiting.discard(name)
        if was_waited_for or self._differs(before.accepted, accepted):
            self._rebuild(f"namespace {name}")
        elif self._build is not None:
            self._publish(self._build, tuple(self._held.values()))
        return Accepted(verdict.held is None, accepted)

    def _servers_elsewhere(self, namespace: str) -> int:
        return sum(
            len(app.hosts)
            for name, memory in self._memory.items()
            if name != namespace and memory.accepted is not None
            for app in memory.accepted.apps
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
            name: memory.accepted
            for name, memory in self._memory.items()
            if memory.accepted is not None
        }
        self._build = build(snapshots, self._rules, self._build)
        self._publish(self._build, tuple(self._held.values()))
        if snapshots and not self._waiting:
            self._desire(self._build.topology, trigger)
