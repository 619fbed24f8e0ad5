"""Turns the responses of all namespaces into the desired topology.

The only state here is what was listed last and what is in traffic; the decisions are pure
(`verdict`, `topology.build`). At 100,000 servers they take a second: then a thread makes them, so
that the event loop keeps serving everything else.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from drove_gateway.acceptance.budget import GuardLimits, Loss
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.acceptance.missing import Address
from drove_gateway.acceptance.verdict import Believed, Evidence, Memory, Verdict, judge
from drove_gateway.model.noticed import Noticed
from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules

Desire = Callable[[Topology, str, Noticed | None], None]

# Judging so many servers and fewer takes less than a change of threads is worth.
_MOST_SERVERS_AT_ONCE = 2_000


class Probed(Protocol):
    """Finds out which servers are dead."""

    def want(self, addresses: Collection[Address]) -> None:
        """Probe these servers from now on, and no others."""
        ...

    def dead(self) -> Mapping[Address, bool]:
        """Return the recent results."""
        ...


class AcceptRequest(msgspec.Struct, frozen=True):
    """A request to apply held withdrawals.

    `names` are namespaces and vhosts; without any, everything is meant. With `dry_run` nothing is
    changed. `caller` says who requests it, for the history.
    """

    names: tuple[str, ...] = ()
    dry_run: bool = False
    caller: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """What was accepted of a namespace's response.

    `complete` is False when a part is on hold, and the same should be requested again. `snapshot`
    is what the namespace contributes now.
    """

    complete: bool
    snapshot: Snapshot


class AcceptanceReport(msgspec.Struct, frozen=True):
    """What is served now, what is on hold, and what was believed gone since the report before."""

    build: TopologyBuild
    held: tuple[HeldWithdrawal, ...] = ()
    believed: tuple[Believed, ...] = ()


class Acceptance:
    """Weighs the namespaces' responses and keeps the desired state.

    `desire(topology, trigger, noticed)` is called when the desired state changed. The first call
    comes when every namespace has responded once or is no longer waited for (`stop_waiting`): a
    gateway that starts beside a serving proxy must not remove what a slow controller is about to
    list. `noticed` is when the change was noticed, None where no new response is its cause.
    `publish` is called after each judgement. `probing` is None where no server is probed.
    """

    def __init__(
        self,
        rules: Sequence[NamespaceRules],
        limits: GuardLimits,
        desire: Desire,
        *,
        clock: Callable[[], float],
        publish: Callable[[AcceptanceReport], None],
        probing: Probed | None = None,
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._desire = desire
        self._clock = clock
        self._publish = publish
        self._probing = probing
        self._latest: dict[str, Snapshot] = {}
        self._listed = build({}, rules)
        self._memory = Memory(self._listed)
        self._held: tuple[HeldWithdrawal, ...] = ()
        self._waiting = {rule.namespace for rule in rules}
        self._awaited = {rule.namespace for rule in rules}
        self._known = False
        self._desires_again = False
        self._shown: TopologyBuild | None = None
        self._turn = asyncio.Lock()

    async def take(self, response: Snapshot) -> Accepted:
        """Weigh a namespace's response."""
        name = response.namespace
        async with self._turn:
            self._desires_again |= name in self._waiting
            noticed = None if self._latest.get(name) is response else response.noticed
            self._latest[name] = response
            self._waiting.discard(name)
            self._awaited.discard(name)
            self._known = True
            await self._judge(f"namespace {name}", responded=frozenset((name,)), noticed=noticed)
            complete = all(held.namespace != name for held in self._held)
            return Accepted(complete, self._memory.served.parts[name].served_snapshot)

    def restore(self, snapshot: Snapshot) -> None:
        """Start from a namespace's last known good state: its responses are weighed against it."""
        if snapshot.namespace not in self._latest:
            self._known = True
            self._remember(snapshot)

    def adopt(self, snapshot: Snapshot) -> None:
        """Start from what the proxy serves. It does not justify a change: nothing is desired
        before a namespace has responded or was restored."""
        if snapshot.namespace not in self._latest:
            self._remember(snapshot)

    async def stop_waiting(self, namespace: str, trigger: str) -> None:
        """Wait no longer for `namespace`.

        What was restored of it is used; without that it is as if it had no apps.
        """
        async with self._turn:
            self._waiting.discard(namespace)
            self._desires_again = True
            await self._judge(trigger)

    async def look_again(self) -> None:
        """Judge anew: there are other results of probing."""
        async with self._turn:
            if self._held:
                await self._judge("servers were probed")

    async def accept_held(self, request: AcceptRequest) -> tuple[HeldWithdrawal, ...]:
        """Apply held withdrawals now, and return them."""
        names = frozenset(request.names)
        async with self._turn:
            chosen = tuple(
                held
                for held in self._held
                if not names or held.namespace in names or not names.isdisjoint(held.vhosts)
            )
            if chosen and not request.dry_run:
                losses = frozenset(
                    (each.namespace, name) for each in chosen for name in each.vhosts
                )
                vhosts = sorted(vhost for _, vhost in losses)
                by = f" by {request.caller}" if request.caller else ""
                trigger = f"withdrawal accepted{by}: {', '.join(vhosts[:5])}"
                await self._judge(trigger, accepted=losses)
        return chosen

    def _remember(self, snapshot: Snapshot) -> None:
        name = snapshot.namespace
        self._latest[name] = snapshot
        self._listed = build(self._latest, self._rules, self._listed)
        self._memory = msgspec.structs.replace(
            self._memory, served=self._listed, unproven=self._memory.unproven | {name}
        )

    async def _judge(
        self,
        trigger: str,
        *,
        responded: frozenset[str] = frozenset(),
        accepted: frozenset[Loss] = frozenset(),
        noticed: Noticed | None = None,
    ) -> None:
        evidence = Evidence(
            now=self._clock(),
            responded=responded,
            awaited=frozenset(self._awaited),
            dead={} if self._probing is None else self._probing.dead(),
            probing=self._probing is not None,
            accepted=accepted,
        )
        before = self._memory
        judgement = await self._judgement(evidence)
        while self._memory is not before:
            # Meanwhile a namespace was restored.
            before = self._memory
            judgement = await self._judgement(evidence)
        self._conclude(judgement, trigger, noticed)

    async def _judgement(self, evidence: Evidence) -> "_Judgement":
        inputs = (dict(self._latest), self._rules, self._listed, self._memory, evidence)
        servers = max(
            sum(len(app.hosts) for snapshot in self._latest.values() for app in snapshot.apps),
            sum(len(app.hosts) for app in self._memory.served.topology.apps.values()),
        )
        if servers <= _MOST_SERVERS_AT_ONCE:
            return _judgement(*inputs, self._limits)
        return await asyncio.to_thread(_judgement, *inputs, self._limits)

    def _conclude(self, judgement: "_Judgement", trigger: str, noticed: Noticed | None) -> None:
        before, verdict = self._memory.served, judgement.verdict
        self._listed, self._memory, self._held = judgement.listed, verdict.memory, verdict.held
        served = self._memory.served
        if self._probing is not None:
            self._probing.want(judgement.suspects)
        self._shown = self._to_show(served)
        self._publish(AcceptanceReport(self._shown, verdict.held, verdict.believed))
        due = self._desires_again or _differs(before, served)
        if self._known and not self._waiting and due:
            self._desires_again = False
            self._desire(served.topology, trigger, noticed)

    def _to_show(self, served: TopologyBuild) -> TopologyBuild:
        """What is served, with what is rejected of the responses also where the last good form is
        served; the same object as before when nothing changed."""
        shown = msgspec.structs.replace(served, rejected=self._listed.rejected)
        before = self._shown
        if before is None or _differs(before, shown) or not _same_apps(before, shown):
            return shown
        return before


class _Judgement(msgspec.Struct, frozen=True):
    """What the responses list, the verdict on it, and the missing servers that can be probed."""

    listed: TopologyBuild
    verdict: Verdict
    suspects: frozenset[Address]


def _judgement(
    latest: Mapping[str, Snapshot],
    rules: Sequence[NamespaceRules],
    before: TopologyBuild,
    memory: Memory,
    evidence: Evidence,
    limits: GuardLimits,
) -> _Judgement:
    listed = build(latest, rules, before, incumbents=memory.served.topology)
    verdict = judge(memory, listed, rules, evidence, limits)
    suspects = (each for each in verdict.memory.suspects if each.host.port_type != "udp")
    return _Judgement(listed, verdict, frozenset(each.address for each in suspects))


def _differs(before: TopologyBuild, after: TopologyBuild) -> bool:
    return (
        before.topology.namespaces != after.topology.namespaces
        or before.rejected != after.rejected
        or bool(changed_keys(before.topology.apps, after.topology.apps))
    )


def _same_apps(before: TopologyBuild, after: TopologyBuild) -> bool:
    return before.parts.keys() == after.parts.keys() and all(
        part.snapshot.apps is after.parts[name].snapshot.apps for name, part in before.parts.items()
    )
