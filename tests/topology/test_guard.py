"""The mass-withdrawal guard: what it holds, for how long, and what it always lets through."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Rejection,
    Snapshot,
)
from drove_gateway.topology.guard import GuardLimits, GuardMemory, Verdict, judge

LIMITS = GuardLimits(vhost=1.0, namespace=0.5, overall=0.5, exempt=5, hold=60.0)


def app(name: str, count: int, *, first: int = 1) -> AppEndpoints:
    hosts = tuple(Host(f"10.0.0.{n}", 31000, "http") for n in range(first, first + count))
    return AppEndpoints(name, f"{name}-1", f"{name}.example.com", {}, hosts)


def answer(*apps: AppEndpoints, term: int = 0) -> Snapshot:
    """An answer; with a `term`, of a leader that has just taken over and is settling."""
    return Snapshot(
        "stage",
        Leader("http://c1:4000", "c1", 4000),
        apps,
        settling_until=90.0 * term,
    )


def accepted(*apps: AppEndpoints) -> GuardMemory:
    return GuardMemory(answer(*apps))


def servers(judged: Verdict) -> dict[str, int]:
    assert judged.memory.accepted is not None
    return {one.vhost: len(one.hosts) for one in judged.memory.accepted.apps}


def test_the_first_response_is_taken_as_it_is() -> None:
    judged = judge(GuardMemory(), answer(app("web", 3)), now=0, limits=LIMITS)
    assert judged.held is None
    assert servers(judged) == {"web.example.com": 3}


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        pytest.param([app("web", 2)], [], "the response is suddenly empty", id="empty"),
        pytest.param(
            [app("web", 2)], [app("web", 0)], "the response is suddenly empty", id="no hosts at all"
        ),
        pytest.param(
            [app("web", 8), app("api", 8)],
            [app("web", 8), app("api", 0)],
            "8 of the namespace's 16 servers would leave at once",
            id="half of the namespace",
        ),
        pytest.param(
            [app("web", 30), app("api", 6)],
            [app("web", 30)],
            "6 of the vhost's 6 servers would leave at once",
            id="all of a vhost",
        ),
    ],
)
def test_a_mass_withdrawal_is_held(
    before: list[AppEndpoints], after: list[AppEndpoints], reason: str
) -> None:
    judged = judge(accepted(*before), answer(*after), now=0, limits=LIMITS)
    assert judged.held is not None
    assert judged.held.reason == reason
    assert servers(judged) == {one.vhost: len(one.hosts) for one in before}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([app("web", 5), app("api", 1)], [app("api", 1)], id="a small number"),
        pytest.param([app("web", 20)], [app("web", 11)], id="less than the share"),
        pytest.param(
            [app("web", 10)], [app("web", 10, first=100)], id="as many come as go: a replacement"
        ),
        pytest.param([app("web", 1)], [app("web", 9)], id="only additions"),
    ],
)
def test_ordinary_changes_go_through_at_once(
    before: list[AppEndpoints], after: list[AppEndpoints]
) -> None:
    judged = judge(accepted(*before), answer(*after), now=0, limits=LIMITS)
    assert judged.held is None
    assert judged.memory.accepted == answer(*after)


def test_a_small_namespace_among_large_ones_is_weighed_by_itself_and_overall() -> None:
    gentle = GuardLimits(vhost=2.0, namespace=2.0, overall=0.1, exempt=5, hold=60.0)
    before, after = accepted(app("web", 20)), answer(app("web", 8))
    alone = judge(before, after, now=0, limits=gentle)
    among = judge(before, after, now=0, limits=gentle, servers_elsewhere=lambda: 1000)
    assert alone.held is not None
    assert alone.held.reason == "12 of all 20 servers would leave at once"
    assert among.held is None


def test_additions_go_through_while_a_withdrawal_is_held() -> None:
    before = accepted(app("web", 10), app("api", 10))
    judged = judge(before, answer(app("new", 2)), now=0, limits=LIMITS)
    assert judged.held is not None
    assert servers(judged) == {"new.example.com": 2, "web.example.com": 10, "api.example.com": 10}


def test_a_held_withdrawal_is_believed_after_the_hold_in_several_responses() -> None:
    watched = accepted(app("web", 10), app("api", 10))
    for now in (0, 30, 59):
        judged = judge(watched, answer(app("web", 10)), now=now, limits=LIMITS)
        assert judged.held is not None
        watched = judged.memory
    judged = judge(watched, answer(app("web", 10)), now=60, limits=LIMITS)
    assert judged.held is None
    assert servers(judged) == {"web.example.com": 10}


def test_time_alone_is_not_enough_to_be_believed() -> None:
    first = judge(accepted(app("web", 10)), answer(), now=0, limits=LIMITS)
    second = judge(first.memory, answer(), now=1000, limits=LIMITS)
    assert second.held is not None


def test_servers_that_come_back_start_their_time_anew() -> None:
    whole, half = answer(app("web", 10), app("api", 10)), answer(app("web", 10))
    watched = GuardMemory(whole)
    for now, seen in ((0, half), (30, half), (50, whole), (55, half), (70, half)):
        watched = judge(watched, seen, now=now, limits=LIMITS).memory
    assert judge(watched, half, now=80, limits=LIMITS).held is not None


def test_a_response_is_taken_at_once_when_an_operator_accepts_it() -> None:
    judged = judge(accepted(app("web", 10)), answer(), now=0, limits=LIMITS, accept=True)
    assert judged.held is None
    assert servers(judged) == {}


def test_a_new_leader_takes_nothing_away_while_it_settles() -> None:
    watched = accepted(app("web", 10), app("api", 3))
    for now in range(0, 90, 5):
        seen = answer(app("web", 11), term=1)
        judged = judge(watched, seen, now=now, limits=LIMITS)
        assert judged.held is not None
        assert servers(judged) == {"web.example.com": 11, "api.example.com": 3}
        watched = judged.memory
    settled = judge(watched, answer(app("web", 11)), now=90, limits=LIMITS)
    assert settled.held is None
    assert servers(settled) == {"web.example.com": 11}


def test_leaders_that_keep_changing_cannot_hold_a_loss_for_ever() -> None:
    watched = accepted(app("web", 10), app("api", 3))
    for now in range(0, 90, 10):
        seen = answer(app("web", 10), term=1 + now // 20)
        watched = judge(watched, seen, now=now, limits=LIMITS).memory
        assert watched.missing
    judged = judge(watched, answer(app("web", 10), term=9), now=90, limits=LIMITS)
    assert judged.held is None
    assert servers(judged) == {"web.example.com": 10}


def test_instances_that_are_replaced_under_a_new_leader_go_at_once() -> None:
    """Held, those that ended would take requests for as long as the leader settles."""
    whole = answer(app("web", 4), app("api", 3), term=1)
    watched = judge(accepted(app("web", 4), app("api", 3)), whole, now=0, limits=LIMITS).memory
    for now in range(1, 9):
        seen = answer(app("web", 4, first=1 + now), app("api", 3), term=1)
        judged = judge(watched, seen, now=now, limits=LIMITS)
        assert judged.held is None
        assert judged.memory.accepted == seen
        watched = judged.memory


def test_a_vhost_never_keeps_more_servers_than_before_the_new_leader() -> None:
    """Scaled down and then replaced again and again: what ended must not outnumber what runs."""
    watched = accepted(app("web", 6), app("api", 3))
    for now in range(0, 80, 5):
        seen = answer(app("web", 4, first=3 + now), app("api", 3), term=1)
        judged = judge(watched, seen, now=now, limits=LIMITS)
        assert servers(judged)["web.example.com"] <= 6
        watched = judged.memory


def test_what_a_new_leader_never_listed_is_kept_rather_than_what_it_dropped() -> None:
    """The first may be unknown to it, the second was known."""
    one, two, three, four = (app(name, 1, first=n) for n, name in enumerate("abcd"))
    whole = [msgspec.structs.replace(each, vhost="web.local") for each in (one, two, three, four)]
    watched = GuardMemory(answer(*whole))
    watched = judge(watched, answer(*whole[1:], term=1), now=0, limits=LIMITS).memory
    other = msgspec.structs.replace(app("e", 1, first=9), vhost="web.local")
    seen = answer(*whole[2:], other, term=1)
    judged = judge(watched, seen, now=5, limits=LIMITS)
    assert judged.memory.accepted is not None
    assert {each.app_name for each in judged.memory.accepted.apps} == {"a", "c", "d", "e"}


def test_what_a_new_leader_listed_and_misses_again_is_believed_when_no_report_heals_it() -> None:
    whole = answer(app("web", 4), term=1)
    watched = judge(accepted(app("web", 4)), whole, now=0, limits=LIMITS).memory
    for now in (10, 20, 30, 49):
        judged = judge(watched, answer(app("web", 3), term=1), now=now, limits=LIMITS)
        assert judged.held is not None
        assert judged.held.remaining == 50 - now
        assert servers(judged) == {"web.example.com": 4}
        watched = judged.memory
    judged = judge(watched, answer(app("web", 3), term=1), now=50, limits=LIMITS)
    assert judged.held is None
    assert servers(judged) == {"web.example.com": 3}


def test_what_another_leader_listed_does_not_count_for_the_new_one() -> None:
    watched = judge(
        accepted(app("web", 4)), answer(app("web", 4), term=1), now=0, limits=LIMITS
    ).memory
    for now in (10, 30, 50, 70, 90):
        judged = judge(watched, answer(app("web", 3), term=2), now=now, limits=LIMITS)
        assert servers(judged) == {"web.example.com": 4}
        watched = judged.memory


def test_a_mass_withdrawal_under_a_new_leader_lasts_as_long_as_any() -> None:
    """That it was listed once does not make it go sooner."""
    whole = answer(app("web", 20), term=1)
    watched = judge(accepted(app("web", 20)), whole, now=0, limits=LIMITS).memory
    for now in (10, 30, 50, 69):
        judged = judge(watched, answer(app("web", 2), term=1), now=now, limits=LIMITS)
        assert servers(judged) == {"web.example.com": 20}
        watched = judged.memory
    assert judge(watched, answer(app("web", 2), term=1), now=70, limits=LIMITS).held is None


def test_an_app_whose_entry_cannot_be_read_keeps_its_last_good_form() -> None:
    broken = Rejection("stage", "api-1", "app", "{}", "hosts is missing")
    watched = accepted(app("web", 3), app("api", 2))
    for now in (0, 100, 200, 300):
        seen = msgspec.structs.replace(answer(app("web", 3)), rejected=(broken,))
        judged = judge(watched, seen, now=now, limits=LIMITS)
        watched = judged.memory
        assert judged.held is not None
        assert judged.held.reason == "the controller's entry of app api-1 cannot be read"
        assert servers(judged) == {"web.example.com": 3, "api.example.com": 2}


def test_an_app_that_moves_to_another_vhost_leaves_no_server_on_the_new_one_by_accident() -> None:
    before = accepted(app("web", 10))
    moved = AppEndpoints("web", "web-1", "shop.example.com", {}, ())
    judged = judge(before, answer(moved, app("api", 1)), now=0, limits=LIMITS)
    assert judged.held is not None
    assert servers(judged) == {
        "shop.example.com": 0,
        "api.example.com": 1,
        "web.example.com": 10,
    }


answers = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sets(st.integers(1, 20), max_size=12), max_size=4),
    max_size=12,
)


def snapshot(apps: dict[str, set[int]]) -> Snapshot:
    return answer(
        *(
            AppEndpoints(
                name,
                name,
                f"{name}.example.com",
                {},
                tuple(Host(f"10.0.0.{n}", 80, "http") for n in sorted(hosts)),
            )
            for name, hosts in apps.items()
        )
    )


def pairs(apps: Iterable[AppEndpoints]) -> set[tuple[str, Host]]:
    return {(one.vhost, host) for one in apps for host in one.hosts}


@given(answers)
def test_whatever_comes_additions_pass_and_no_more_than_the_share_goes(
    sequence: list[dict[str, set[int]]],
) -> None:
    watched = GuardMemory()
    for now, apps in enumerate(sequence):
        seen = snapshot(apps)
        before = pairs(watched.accepted.apps) if watched.accepted else set()
        first = watched.accepted is None
        judged = judge(watched, seen, now=now, limits=LIMITS)
        watched = judged.memory
        assert watched.accepted is not None
        after = pairs(watched.accepted.apps)
        assert pairs(seen.apps) <= after
        assert after <= before | pairs(seen.apps)
        gone = len(before) - len(after)
        if not first and gone > LIMITS.exempt:
            assert gone < LIMITS.namespace * len(before)


@given(answers)
def test_a_response_that_stays_the_same_is_always_believed_in_the_end(
    sequence: list[dict[str, set[int]]],
) -> None:
    watched, seen = GuardMemory(), snapshot({})
    for now, apps in enumerate(sequence):
        seen = snapshot(apps)
        watched = judge(watched, seen, now=now, limits=LIMITS).memory
    for now in (100, 130, 161):
        judged = judge(watched, seen, now=now, limits=LIMITS)
        watched = judged.memory
    assert judged.held is None
    assert watched.accepted is not None
    assert pairs(watched.accepted.apps) == pairs(seen.apps)
