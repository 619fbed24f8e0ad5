"""Laws of the acceptance: any sequence of responses, events, deaths, take-overs and restarts."""

from collections.abc import Mapping

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.acceptance.cluster import LEADER, LIMITS, Judge

from drove_gateway.acceptance.budget import WINDOW_SECONDS
from drove_gateway.acceptance.missing import Address
from drove_gateway.acceptance.verdict import LEAST_RESPONSES, NEW_LEADER_SECONDS, Memory
from drove_gateway.model.vocabulary import Announced, AppEndpoints, Host, Snapshot
from drove_gateway.topology.build import build

APPS = ("web", "api", "mail")
# Each app has addresses of its own, and a few are used by any of them: ports are reused.
POOLS = {
    name: [*range(8000 + 100 * at, 8006 + 100 * at), 9000, 9001] for at, name in enumerate(APPS)
}
EVERY = sorted({port for pool in POOLS.values() for port in pool})

LISTINGS = st.fixed_dictionaries({name: st.sets(st.sampled_from(POOLS[name])) for name in APPS})


class Round(msgspec.Struct, frozen=True):
    """A response, and what is true when it comes."""

    listing: Mapping[str, frozenset[int]]
    dead: frozenset[int]
    announced: frozenset[int]
    settling: bool
    pause: float
    restart: bool


ROUNDS = st.builds(
    Round,
    listing=LISTINGS,
    dead=st.frozensets(st.sampled_from(EVERY), max_size=4),
    announced=st.frozensets(st.sampled_from(EVERY), max_size=3),
    settling=st.sampled_from([False, False, False, True]),
    pause=st.sampled_from([0.5, 5.0, 40.0, 100.0]),
    restart=st.sampled_from([False, False, False, False, True]),
)


def address(port: int) -> Address:
    return "ex1.dc", port


def snapshot(each: Round) -> Snapshot:
    apps = tuple(
        AppEndpoints(
            name, f"{name}-1", f"{name}.local", {}, tuple(Host("ex1.dc", p, "http") for p in ports)
        )
        for name, ports in each.listing.items()
    )
    announced = Announced(frozenset(map(address, each.announced)))
    return Snapshot("stage", LEADER, apps, (), 90.0 * each.settling, announced)


Servers = set[tuple[str, int]]


class Story:
    """A gateway's life. Every step is compared with what is known of the cluster."""

    def __init__(self) -> None:
        self.judge = Judge(Snapshot("stage", LEADER, ()))
        self.missing: dict[tuple[str, int], list[float]] = {}
        self.unexplained: list[tuple[float, int]] = []
        self.before: Servers = set()
        self.takeover: Servers | None = None

    @property
    def served(self) -> Servers:
        apps = self.judge.memory.served.topology.apps
        return {(vhost, host.port) for vhost, app in apps.items() for host in app.hosts}

    def live(self, each: Round) -> None:
        if each.restart:
            self._restart()
        self.before = self.served
        if not each.settling:
            self.takeover = None
        elif self.takeover is None:
            self.takeover = self.before
        self.judge.dead = set(map(address, each.dead))
        self.judge.respond(snapshot(each), after=each.pause)
        self._check(each)

    def _restart(self) -> None:
        """Start with what was stored: what is in traffic."""
        judge = self.judge
        kept = judge.memory.served.parts["stage"].snapshot
        kept = msgspec.structs.replace(kept, settling_until=0.0, announced=Announced())
        judge.responses = {"stage": kept}
        judge.memory = Memory(build(judge.responses, judge.rules), unproven=frozenset(("stage",)))
        self.missing.clear()
        self.unexplained.clear()
        self.takeover = None

    def _check(self, each: Round) -> None:
        listed = {(f"{name}.local", port) for name, ports in each.listing.items() for port in ports}
        after, known = self.served, {port for _, port in listed}
        for server in self.before - listed:
            self.missing.setdefault(server, []).append(self.judge.now)
        for server in set(self.missing) - (self.before - listed):
            del self.missing[server]

        assert listed <= after, "additions always pass"
        assert after <= listed | self.before, "nothing is served that was never listed"
        held = after - listed
        assert not {port for _, port in held} & set(each.dead), "the dead are not held"
        assert not {port for _, port in held} & known, "no address serves a stranger"
        for name in APPS:
            self._check_size(f"{name}.local", listed)
        if not each.settling:
            assert not {port for _, port in held} & set(each.announced), "what is announced leaves"
        self._check_reasons(each, listed, self.before - after)

    def _check_size(self, vhost: str, listed: Servers) -> None:
        had = max(self._size(vhost, self.before), self._size(vhost, self.takeover or set()))
        assert self._size(vhost, self.served) <= max(had, self._size(vhost, listed))

    @staticmethod
    def _size(vhost: str, servers: Servers) -> int:
        return sum(name == vhost for name, _ in servers)

    def _check_reasons(self, each: Round, listed: Servers, gone: Servers) -> None:
        known = {port for _, port in listed}
        unexplained = {
            server
            for server in gone
            if server[1] not in each.dead
            and server[1] not in known
            and (each.settling or server[1] not in each.announced)
            and not self._was_replaced(server[0])
            and not self._lasted(server)
        }
        if not unexplained:
            return
        assert not each.settling, "a new leader explains nothing"
        for vhost, _ in unexplained:
            assert self._size(vhost, listed), "the last servers need a reason"
        now = self.judge.now
        self.unexplained.append((now, self._net_loss(unexplained)))
        recent = sum(count for at, count in self.unexplained if at > now - WINDOW_SECONDS)
        whole = len(self.before) + recent
        assert recent <= LIMITS.exempt or recent < LIMITS.overall * whole, "small losses add up"

    def _net_loss(self, unexplained: Servers) -> int:
        """How many servers left without others in their place."""
        return sum(
            min(
                self._size(vhost, unexplained),
                self._size(vhost, self.before) - self._size(vhost, self.served),
            )
            for vhost in {vhost for vhost, _ in unexplained}
        )

    def _was_replaced(self, vhost: str) -> bool:
        sizes = [self._size(vhost, self.before)]
        if self.takeover is not None:
            sizes.append(self._size(vhost, self.takeover))
        return self._size(vhost, self.served) >= min(sizes)

    def _lasted(self, server: tuple[str, int]) -> bool:
        times = self.missing.get(server, [])
        return len(times) >= LEAST_RESPONSES and self.judge.now - times[0] >= LIMITS.hold


@given(st.lists(ROUNDS, min_size=1, max_size=8), st.lists(st.floats(1, 500), max_size=4))
def test_time_withdraws_nothing_while_no_controller_responds(
    rounds: list[Round], pauses: list[float]
) -> None:
    """A loss may become small, as servers were added elsewhere."""
    story = Story()
    for each in rounds:
        story.live(each)
    for pause in pauses:
        story.judge.now += pause
        story.judge.judge()
        assert story.judge.believed <= {"it is a small loss"}


@given(st.lists(ROUNDS, min_size=2, max_size=14))
def test_every_withdrawal_has_a_reason(rounds: list[Round]) -> None:
    story = Story()
    for each in rounds:
        story.live(each)


@given(LISTINGS, st.lists(LISTINGS, min_size=3, max_size=10))
def test_new_leader_takes_no_living_server_that_is_not_replaced(
    whole: Mapping[str, frozenset[int]], listings: list[Mapping[str, frozenset[int]]]
) -> None:
    calm = Round(whole, frozenset(), frozenset(), False, 5.0, False)
    story = Story()
    story.live(calm)
    for listing in listings:
        story.live(msgspec.structs.replace(calm, listing=listing, settling=True))
        assert story.judge.now < NEW_LEADER_SECONDS
        for name in APPS:
            vhost = f"{name}.local"
            others = {port for other, ports in listing.items() if other != name for port in ports}
            taken = {(v, p) for v, p in story.before if v == vhost and p in others - listing[name]}
            had = min(len(whole[name]), story._size(vhost, story.before))
            assert story._size(vhost, story.served) >= had - len(taken)


@given(st.lists(ROUNDS, min_size=1, max_size=8))
def test_whatever_happened_the_last_response_wins_in_the_end(rounds: list[Round]) -> None:
    story = Story()
    for each in rounds:
        story.live(each)
    last = msgspec.structs.replace(rounds[-1], settling=False, restart=False)
    for _ in range(LEAST_RESPONSES):
        story.live(msgspec.structs.replace(last, pause=NEW_LEADER_SECONDS))
    listed = {(f"{name}.local", port) for name, ports in last.listing.items() for port in ports}
    assert story.served == listed
