"""Plans lead to what is wanted, touch nothing that is right, and may be interrupted."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.runtime.planner_bench import (
    CHECKED,
    HAPROXY,
    PARAMETERS,
    PLUS,
    Seen,
    backend,
    name,
    wanted,
)
from tests.proxies.runtime.test_planner import ADD, DELETE, DRAIN, PROBE, READY

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.planner import changes, settled
from drove_gateway.proxies.runtime.servers import (
    REMOVALS,
    Change,
    ObservedServer,
    Result,
    after,
)

NUMBERS = st.lists(st.integers(1, 6), max_size=6)

STAGES = st.dictionaries(st.integers(1, 6), st.sampled_from([Stage.DRAINING, Stage.LEAVING]))


@st.composite
def standing(draw: st.DrawFn, abilities: Abilities) -> list[ObservedServer]:
    """Servers in any state; with NGINX Plus also duplicates and other parameters."""
    numbers = draw(st.lists(st.integers(1, 6), max_size=9, unique=abilities.named_by_host))
    parameters = st.sampled_from([PARAMETERS, (), (("max_fails", 1),)])
    return [
        msgspec.structs.replace(
            Seen(number, at, draw(st.sampled_from(["", "", "drain", "maintenance"]))).observed(
                abilities
            ),
            parameters=() if abilities.named_by_host else draw(parameters),
        )
        for at, number in enumerate(numbers)
    ]


def carry_out(planned: Sequence[Change], servers: list[ObservedServer]) -> list[ObservedServer]:
    """What a proxy has after `planned`."""
    for change in planned:
        new = max((s.handle for s in servers if s.handle is not None), default=-1) + 1
        handle = new if change.action is ADD and servers_have_ids(servers) else change.handle
        by_name = {s.name: s for s in servers if change.handle in (None, s.handle)}
        before = by_name.get(change.name, ObservedServer(change.name))
        result = ObservedServer(
            change.name,
            change.address or before.address,
            change.port or before.port,
            held=before.held,
            handle=handle,
            parameters=PARAMETERS,
        )
        if change.action in {ADD, READY}:
            result = msgspec.structs.replace(result, held="", serving=True)
        elif change.action is DRAIN:
            result = msgspec.structs.replace(result, held="drain", serving=False)
        if change.handle is None and change.action is not DELETE:
            servers = [s for s in servers if s.name != change.name]
        done = Result(server=None if change.action is DELETE else result)
        servers = after(servers, [(change, done)])
    return servers


def servers_have_ids(servers: Sequence[ObservedServer]) -> bool:
    return any(server.handle is not None for server in servers)


@pytest.mark.parametrize("abilities", [HAPROXY, PLUS], ids=["HAProxy", "NGINX Plus"])
@given(data=st.data(), want=NUMBERS, ours=STAGES)
def test_a_plan_leads_to_what_is_wanted_and_then_nothing_is_left(
    abilities: Abilities, data: st.DataObject, want: list[int], ours: dict[int, Stage]
) -> None:
    observed = data.draw(standing(abilities))
    ledger = {
        server.name: Entry(ours[number])
        for number in ours
        for server in observed
        if server.name == name(number, abilities) and server.held
    }
    desired = backend([wanted(number, abilities) for number in want])
    planned = changes(desired, observed, ledger, abilities)
    result = carry_out(planned, observed)

    names = {name(number, abilities) for number in want}
    assert sorted(s.name for s in result if s.name in names) == sorted(names)
    assert all(s.held for s in result if s.name not in names)
    for server in result:
        if server.name in ledger and server.name in names:
            assert not server.held
    left = {at: entry for at, entry in ledger.items() if at not in names}
    left |= {c.name: Entry(Stage.DRAINING) for c in planned if c.action is DRAIN}
    assert changes(desired, result, left, abilities) == []
    assert settled(desired, result, left)


@pytest.mark.parametrize("abilities", [HAPROXY, CHECKED, PLUS], ids=["HAProxy", "checks", "Plus"])
@given(data=st.data(), want=NUMBERS, ours=STAGES)
def test_a_plan_touches_nothing_that_is_right(
    abilities: Abilities, data: st.DataObject, want: list[int], ours: dict[int, Stage]
) -> None:
    observed = data.draw(standing(abilities))
    ledger = {name(number, abilities): Entry(stage) for number, stage in ours.items()}
    desired = backend([wanted(number, abilities) for number in want])
    planned = changes(desired, observed, ledger, abilities)
    names = {name(number, abilities) for number in want}
    removals = [change.action in REMOVALS for change in planned]
    assert removals == sorted(removals)
    for change in planned:
        if change.action is DRAIN:
            assert change.name not in names
        if change.action is READY:
            assert change.name in ledger
        if change.action in {ADD, PROBE}:
            assert change.name not in {server.name for server in observed}
        if change.action is DELETE:
            assert change.name not in names or change.remaining >= 1


@given(data=st.data(), want=NUMBERS)
def test_interrupted_anywhere_a_plan_has_lost_no_wanted_server(
    data: st.DataObject, want: list[int]
) -> None:
    observed = data.draw(standing(PLUS))
    planned = changes(backend([wanted(n, PLUS) for n in want]), observed, {}, PLUS)
    names = {name(number, PLUS) for number in want}
    serving = {server.name for server in observed if not server.held} & names
    for length in range(len(planned) + 1):
        result = carry_out(planned[:length], observed)
        assert serving <= {server.name for server in result if not server.held}
