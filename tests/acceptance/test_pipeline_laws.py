"""Laws of acceptance, guard and reconciler together: whatever is answered, fails, or jumps."""

import asyncio
import itertools

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import CapturingLogger
from tests.drove import virtual_time
from tests.reconciler.story import PACE, Counted, FakeProxy, VirtualClock, since_start

from drove_gateway.acceptance.acceptance import Acceptance
from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import CheckRefused, GatewayError
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
    Topology,
)
from drove_gateway.reconciler.reconciler import Reconciler
from drove_gateway.topology.namespace_build import parse_rules

# Longer than any story, so that no withdrawal is believed because it lasted.
LIMITS = GuardLimits(vhost=0.5, namespace=0.5, overall=0.5, exempt=2, hold=10_000)
NAMESPACES = ("a", "b")

Servers = dict[str, int]
Answered = tuple[float, str, Servers, bool]
Failure = GatewayError | tuple[tuple[str, str], ...] | None

# Each story runs a loop of its own, for a thousand virtual seconds.
few = settings(max_examples=30)

LISTINGS = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(0, 8))
ANSWERS = st.tuples(st.floats(0, 3), st.sampled_from(NAMESPACES), LISTINGS, st.booleans())
FAILURES = st.sampled_from([None, CheckRefused("refused"), (("x.local", "full"),)])


def snapshot(namespace: str, listing: Servers, *, settling: bool) -> Snapshot:
    """Apps of this many servers; each namespace has its own vhosts."""
    apps = tuple(
        AppEndpoints(
            name,
            f"{name}-1",
            f"{name}.{namespace}.local",
            {},
            tuple(Host(f"{name}.{namespace}.dc", 1 + port, "http") for port in range(count)),
        )
        for name, count in listing.items()
    )
    return Snapshot(namespace, Leader("http://c:1", "c", 1), apps, settling_until=90.0 * settling)


class Story:
    """What happened: what was desired, and what was let through for each namespace."""

    def __init__(self, failures: list[Failure], jumps: list[float]) -> None:
        self.proxy = FakeProxy(takes=0.3)
        self.proxy.fail = list(failures)
        self.desired: list[Topology] = []
        self.let_through: dict[str, list[Snapshot]] = {name: [] for name in NAMESPACES}
        jumping = itertools.chain(jumps, itertools.repeat(0.0))
        log = EventLog(structlog.wrap_logger(CapturingLogger(), processors=[]))
        self.reconciler = Reconciler(
            self.proxy,
            pace=PACE,
            clock=VirtualClock(since_start, lambda: 5000 + next(jumping), lambda: 0.5),
            log=log,
            metrics=Counted(),
            publish=lambda _: None,
            record=lambda _: None,
        )
        self.acceptance = Acceptance(
            [parse_rules(name, "", "", "", "") for name in NAMESPACES],
            LIMITS,
            self._desire,
            clock=since_start,
            publish=lambda _: None,
        )

    def _desire(self, topology: Topology, trigger: str, _: object) -> None:
        self.desired.append(topology)
        self.reconciler.desire(topology, trigger)

    async def happens(self, answers: list[Answered]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.reconciler.run())
            for pause, name, listing, settling in answers:
                await asyncio.sleep(pause)
                answer = snapshot(name, listing, settling=settling)
                accepted = await self.acceptance.take(answer)
                self.let_through[name].append(accepted.snapshot)
            await asyncio.sleep(1000)
            self.reconciler.stop()


def told(answers: list[Answered], failures: list[Failure], jumps: list[float]) -> Story:
    async def whole() -> Story:
        story = Story(failures, jumps)
        await story.happens(answers)
        return story

    return virtual_time.run(whole())


def servers(listed: Snapshot) -> set[tuple[str, Host]]:
    return {(app.app_id, host) for app in listed.apps for host in app.hosts}


@few
@given(
    st.lists(ANSWERS, max_size=12),
    st.lists(FAILURES, max_size=6),
    st.lists(st.floats(-1e9, 1e9), max_size=20),
)
def test_only_what_was_accepted_is_applied_and_the_last_of_it_always_is(
    answers: list[Answered], failures: list[Failure], jumps: list[float]
) -> None:
    """Also when applies fail, and while the machine's clock jumps."""
    story = told(answers, failures, jumps)

    assert all(plan.desired in story.desired for _, plan in story.proxy.applies)
    if story.desired:
        assert story.proxy.applied == story.desired[-1]


@few
@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_what_a_response_adds_is_always_let_through(answers: list[Answered]) -> None:
    story = told(answers, [], [])

    for name, each in story.let_through.items():
        asked = [answer for answer in answers if answer[1] == name]
        for (_, _, listing, settling), after in zip(asked, each, strict=True):
            assert servers(snapshot(name, listing, settling=settling)) <= servers(after)


@few
@given(st.lists(ANSWERS, min_size=1, max_size=8))
def test_a_leader_that_may_not_know_all_yet_takes_nothing_away(answers: list[Answered]) -> None:
    story = told([(pause, name, listing, True) for pause, name, listing, _ in answers], [], [])

    for each in story.let_through.values():
        for before, after in itertools.pairwise(each):
            assert servers(before) <= servers(after)
