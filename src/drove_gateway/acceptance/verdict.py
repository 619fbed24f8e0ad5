"""Decides which withdrawals are believed. Pure.

A controller that has just become leader responds with 200 before it knows all its instances, and
after a read error it responds with an empty list ("Drove's controllers"). Such a response,
believed, would remove servers that still serve. Kept without limit, servers that ended would stay
in traffic. So a server that is missing leaves

1. when an operator accepts it, or Drove announced it: unless the leader is new, which knows
   nothing before it has settled, or the response has no server for the vhost although Drove
   announced new instances of the app;
2. when as many others are listed for its vhost as it had before: it was replaced;
3. when its address is listed for another app, or it refuses connections or cannot be reached;
4. when the loss is small, over a sliding window;
5. when it is still missing from a response after long enough, and was from several before.

Every other server is held: alive, unexplained, and many. Additions always pass.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from drove_gateway.acceptance.adoption import is_adopted
from drove_gateway.acceptance.budget import Budget, GuardLimits, Loss, Sizes
from drove_gateway.acceptance.held import HeldServer, HeldWithdrawal, summaries
from drove_gateway.acceptance.keeping import with_kept
from drove_gateway.acceptance.missing import (
    Address,
    MissingServer,
    Server,
    missing_servers,
    strangers,
)
from drove_gateway.model.vocabulary import Topology
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules

LEAST_RESPONSES = 3
"""A loss must be seen in so many responses, the last of them after the hold: a response may be
wrong however old it is."""

NEW_LEADER_SECONDS = 300.0
"""How long a living server that a new leader does not list is held. After an outage of ZooKeeper a
leader has needed minutes to know its instances ("Drove's controllers"). A gateway that has just
started does not know how long the leader has led."""

# States of an app in which all its instances leave. In any other state each instance that leaves is
# announced, and scaling an app up does not explain why others are missing.
_ENDING = frozenset({"MONITORING", "DESTROY_REQUESTED", "DESTROYED"})

_NEW_LEADER = "the leader is new and may not know all its instances yet"
_ADOPTED = "the proxy served them when the gateway started without a stored state"
_JUST_STARTED = "the gateway has just started and knows no reason"
_PATIENT = frozenset({_NEW_LEADER, _ADOPTED, _JUST_STARTED})
_DAMAGED = "the app's entry in the response cannot be used"
_UNPROBED = "not known yet whether they accept connections"


class Suspect(msgspec.Struct, frozen=True, gc=False):
    """A missing server: since when (monotonic seconds), in how many responses, and why a small
    loss of it is not believed (empty: it is)."""

    since: float
    responses: int = 1
    distrust: str = ""


class Memory(msgspec.Struct, frozen=True):
    """What is in traffic, and what is known of the servers that are missing.

    `takeovers` has what was served when the leader of a settling namespace took over. `unproven`
    are the namespaces of which the gateway has seen no complete response since it started.
    """

    served: TopologyBuild
    suspects: Mapping[Server, Suspect] = {}
    takeovers: Mapping[str, Topology] = {}
    budget: Budget = Budget()
    unproven: frozenset[str] = frozenset()


class Evidence(msgspec.Struct, frozen=True):
    """What is known beside the responses.

    `responded` are the namespaces whose response is judged, `awaited` those that have not
    responded since the start. `dead` has the result for each address that was probed; without
    `probing` there is none to wait for. `accepted` are withdrawals that an operator accepts.
    """

    now: float
    responded: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    dead: Mapping[Address, bool] = {}
    probing: bool = False
    accepted: frozenset[Loss] = frozenset()


class Believed(msgspec.Struct, frozen=True):
    """Servers of a vhost that left, and why."""

    namespace: str
    vhost: str
    reason: str
    servers: int


class Verdict(msgspec.Struct, frozen=True):
    """`memory.served` is what to serve, `held` what is kept on hold, `believed` what leaves."""

    memory: Memory
    held: tuple[HeldWithdrawal, ...] = ()
    believed: tuple[Believed, ...] = ()


def judge(
    memory: Memory,
    listed: TopologyBuild,
    rules: Sequence[NamespaceRules],
    evidence: Evidence,
    limits: GuardLimits,
) -> Verdict:
    """Weigh what is `listed` against what is in traffic. `rules` are those of both builds."""
    missing = tuple(missing_servers(memory.served, listed))
    takeovers = _takeovers(memory, listed)
    weighing = _Weighing(memory, listed, takeovers, missing, evidence, limits)
    weighing.weigh()
    kept = weighing.undecided
    served = listed
    if kept:
        served = build(with_kept(listed, memory.served, kept), rules, memory.served)
    doubted = {server.namespace for server in kept}
    return Verdict(
        Memory(
            served,
            {server: weighing.suspects[server] for server in kept},
            takeovers,
            weighing.budget,
            memory.unproven - (evidence.responded - doubted),
        ),
        summaries(weighing.held()),
        weighing.believed(),
    )


def _takeovers(memory: Memory, listed: TopologyBuild) -> Mapping[str, Topology]:
    return {
        name: memory.takeovers.get(name, memory.served.topology)
        for name, part in listed.parts.items()
        if part.snapshot.settling
    }


class _Weighing:
    """One judgement. `undecided` servers are held at its end."""

    def __init__(
        self,
        memory: Memory,
        listed: TopologyBuild,
        takeovers: Mapping[str, Topology],
        missing: Sequence[MissingServer],
        evidence: Evidence,
        limits: GuardLimits,
    ) -> None:
        self._memory = memory
        self._listed = listed
        self._takeovers = takeovers
        self._evidence = evidence
        self._limits = limits
        self._gone: dict[Server, tuple[MissingServer, str]] = {}
        self._refused: Mapping[Loss, str] = {}
        self.budget = memory.budget.at(evidence.now)
        self._rooms: dict[Loss, int] = {}
        self._lost: dict[str, set[Address]] = {}
        self._numbers_present: dict[str, int] = {}
        self._hidden: dict[Loss, bool] = {}
        for each in missing:
            self._lost.setdefault(each.vhost, set()).add(each.server.address)
        self.undecided = {each.server: each for each in missing}
        self.suspects = {each.server: self._suspect(each) for each in missing}

    def weigh(self) -> None:
        """Move every server whose withdrawal is believed out of `undecided`."""
        self._believe(self._explanation)
        self._believe_beyond(self._newest_first(self.undecided), at_least=0)
        self._believe_small()
        others = strangers(self._listed, tuple(self.undecided.values()))
        self._believe(lambda each: _now_of(others.get(each.server)))
        self._believe(self._death)
        if all(map(self._is_probed, self.undecided.values())):
            self._believe_small()
        self._believe(self._age)
        probed = filter(self._is_probed, self._newest_first(self.undecided))
        self._believe_beyond(list(probed), at_least=None)

    def _size_before(self, each: MissingServer) -> int:
        """Return how many servers the vhost has, or had when a new leader took over."""
        before = self._takeovers.get(each.server.namespace)
        if before is not None and each.vhost in before.apps:
            return _size(before, each.vhost)
        return _size(self._memory.served.topology, each.vhost)

    def held(self) -> list[HeldServer]:
        """Return the servers that stay, with the reason for each."""
        return [
            HeldServer(
                namespace=server.namespace,
                vhost=each.vhost,
                host=server.host,
                reason=self._reason(each),
                alive=self._is_probed(each) and self._is_probeable(each),
                missing=self._evidence.now - self.suspects[server].since,
                remaining=self._remaining(each),
            )
            for server, each in self.undecided.items()
        ]

    def believed(self) -> tuple[Believed, ...]:
        """Return what leaves, counted by vhost and reason."""
        counts = Counter(
            (each.server.namespace, each.vhost, reason) for each, reason in self._gone.values()
        )
        return tuple(Believed(*key, servers) for key, servers in counts.items())

    def _suspect(self, each: MissingServer) -> Suspect:
        name = each.server.namespace
        known = self._memory.suspects.get(each.server)
        if known is not None:
            again = int(name in self._evidence.responded)
            # A new leader may not know yet what was already missing before it either.
            distrust = known.distrust or (_NEW_LEADER if name in self._takeovers else "")
            return Suspect(known.since, known.responses + again, distrust)
        if is_adopted(each.server.app_id):
            return Suspect(self._evidence.now, distrust=_ADOPTED)
        if name in self._takeovers:
            return Suspect(self._evidence.now, distrust=_NEW_LEADER)
        if name in self._memory.unproven:
            return Suspect(self._evidence.now, distrust=_JUST_STARTED)
        return Suspect(self._evidence.now, distrust=_DAMAGED if each.damaged else "")

    def _believe(self, reason: Callable[[MissingServer], str]) -> None:
        for each in tuple(self.undecided.values()):
            if why := reason(each):
                self._leave(each, why)

    def _leave(self, each: MissingServer, why: str) -> None:
        del self.undecided[each.server]
        self._gone[each.server] = each, why

    def _explanation(self, each: MissingServer) -> str:
        server = each.server
        if (server.namespace, each.vhost) in self._evidence.accepted:
            return "an operator accepted it"
        part = self._listed.parts.get(server.namespace)
        if part is None or part.snapshot.settling:
            return ""
        announced = part.snapshot.announced
        if self._hides_arrivals(server.namespace, each.vhost, announced.arrivals):
            return ""
        if server.address in announced.instances:
            return "Drove announced it"
        state = announced.apps.get(server.app_id)
        return f"Drove announced {state} of the app" if state in _ENDING else ""

    def _hides_arrivals(self, namespace: str, vhost: str, arrivals: frozenset[str]) -> bool:
        """Whether nothing is listed for the vhost although Drove announced new instances of its
        apps: the response is incomplete, and to believe the departures would empty the vhost."""
        loss = (namespace, vhost)
        if loss not in self._hidden:
            apps = self._memory.served.parts[namespace].contributors.get(vhost, ())
            arrived = any(app.source.app_name in arrivals for app in apps)
            self._hidden[loss] = arrived and not self._present(vhost)
        return self._hidden[loss]

    def _death(self, each: MissingServer) -> str:
        dead = self._is_probeable(each) and self._evidence.dead.get(each.server.address)
        return "it accepts no connections" if dead else ""

    def _age(self, each: MissingServer) -> str:
        suspect = self.suspects[each.server]
        if suspect.responses < LEAST_RESPONSES or self._remaining(each) > 0:
            return ""
        # A leader that lost ZooKeeper lists nothing for a moment, then no controller responds.
        if each.server.namespace not in self._evidence.responded:
            return ""
        return f"it has been missing for {self._evidence.now - suspect.since:.0f} s"

    def _remaining(self, each: MissingServer) -> float:
        """The seconds for which a server is held at most. What the proxy served at the start may
        belong to a namespace that has not responded yet."""
        suspect, hold = self.suspects[each.server], self._limits.hold
        if is_adopted(each.server.app_id) and self._evidence.awaited:
            return NEW_LEADER_SECONDS
        if suspect.distrust in _PATIENT:
            hold = max(hold, NEW_LEADER_SECONDS)
        until = suspect.since + hold
        if each.server.namespace in self._takeovers:
            settled = self._listed.parts[each.server.namespace].snapshot.settling_until
            until = max(until, settled)
        return max(0.0, until - self._evidence.now)

    def _believe_small(self) -> None:
        small = [each for each in self.undecided.values() if not self._distrust(each)]
        if not small:
            return
        counts = Counter((each.server.namespace, each.vhost) for each in small)
        # A vhost loses what is not replaced.
        rooms = {(each.server.namespace, each.vhost): self._room(each) for each in small}
        losses = {loss: max(0, min(count, rooms[loss])) for loss, count in counts.items()}
        self._refused = self.budget.refused(losses, self._sizes(losses), self._limits)
        passed = {loss: count for loss, count in losses.items() if loss not in self._refused}
        self.budget = self.budget.spent(passed, self._evidence.now) if passed else self.budget
        for each in small:
            if (each.server.namespace, each.vhost) in passed:
                self._leave(each, "it is a small loss")

    def _sizes(self, losses: Iterable[Loss]) -> Sizes:
        served = self._memory.served
        vhosts = {vhost for _, vhost in losses}
        return Sizes(
            vhosts={vhost: _size(served.topology, vhost) for vhost in vhosts},
            namespaces={
                name: sum(len(app.hosts) for app in served.parts[name].apps.values())
                for name in {name for name, _ in losses}
            },
            overall=sum(len(app.hosts) for app in served.topology.apps.values()),
            left={vhost: self._present(vhost) for vhost in vhosts},
        )

    def _believe_beyond(self, candidates: Sequence[MissingServer], at_least: int | None) -> None:
        """Believe that servers were replaced for which their vhost has no room, oldest loss first.

        With `at_least` only where there is no more room than that.
        """
        rooms: dict[str, int] = {}
        for each in candidates:
            room = rooms.setdefault(each.vhost, max(0, self._room(each)))
            if room > 0:
                if at_least is None:
                    rooms[each.vhost] = room - 1
                continue
            self._leave(each, "others were listed in its place")

    def _room(self, each: MissingServer) -> int:
        """How many missing servers the vhost may keep, so that it has no more than before."""
        loss = (each.server.namespace, each.vhost)
        if loss not in self._rooms:
            self._rooms[loss] = self._size_before(each) - self._present(each.vhost)
        return self._rooms[loss]

    def _present(self, vhost: str) -> int:
        """How many servers are listed for a vhost. An address that no longer takes its traffic, as
        its port type says now, does not replace itself."""
        if vhost not in self._numbers_present:
            app, lost = self._listed.topology.apps.get(vhost), self._lost[vhost]
            hosts = () if app is None else app.hosts
            present = sum((host.host, host.port) not in lost for host in hosts)
            self._numbers_present[vhost] = present
        return self._numbers_present[vhost]

    def _newest_first(self, each: Mapping[Server, MissingServer]) -> list[MissingServer]:
        return sorted(each.values(), key=lambda other: -self.suspects[other.server].since)

    def _distrust(self, each: MissingServer) -> str:
        if each.server.namespace in self._takeovers:
            return _NEW_LEADER
        return self.suspects[each.server].distrust or (_DAMAGED if each.damaged else "")

    def _is_probeable(self, each: MissingServer) -> bool:
        return self._evidence.probing and each.server.host.port_type != "udp"

    def _is_probed(self, each: MissingServer) -> bool:
        """Whether there is nothing to wait for to know if the server is alive."""
        return not self._is_probeable(each) or each.server.address in self._evidence.dead

    def _reason(self, each: MissingServer) -> str:
        why = self._distrust(each) or self._refused.get((each.server.namespace, each.vhost), "")
        if not self._is_probed(each):
            return _UNPROBED
        return why or "the loss is not explained"


def _size(topology: Topology, vhost: str) -> int:
    app = topology.apps.get(vhost)
    return 0 if app is None else len(app.hosts)


def _now_of(app_id: str | None) -> str:
    return "" if app_id is None else f"its address is now listed for app {app_id}"
