"""Old state, wished state, expected calls."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.proxies.nginx.plus.planner import Action, Parameters, UpstreamPlan, plan_upstream
from drove_gateway.proxies.nginx.plus.wire import Server

A, B, C = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"
PARAMETERS = Parameters(max_fails=0, fail_timeout="1s", slow_start="0s")


def standing(
    number: int,
    address: str,
    *,
    max_fails: int | None = 0,
    fail_timeout: str | None = "1s",
    slow_start: str | None = "0s",
    **more: bool,
) -> Server:
    return Server(number, address, max_fails, fail_timeout, slow_start, **more)


def calls(plan: UpstreamPlan) -> list[tuple[str, str, int | None]]:
    return [(one.kind, one.server, one.id) for one in plan.actions]


TABLE: list[
    tuple[str, Sequence[str], Sequence[Server], set[str], list[tuple[str, str, int | None]]]
] = [
    ("nothing differs", [A], [standing(0, A)], set(), []),
    ("an empty upstream is filled", [A, B], [], set(), [("add", A, None), ("add", B, None)]),
    (
        "a replacement is added before the old server drains",
        [B],
        [standing(0, A)],
        set(),
        [("add", B, None), ("drain", A, 0)],
    ),
    ("the order of servers is no difference", [B, A], [standing(0, A), standing(1, B)], set(), []),
    ("a server wished twice stands once", [A, A], [], set(), [("add", A, None)]),
    (
        "other parameters are changed in place",
        [A],
        [standing(4, A, max_fails=1, fail_timeout="10s")],
        set(),
        [("change", A, 4)],
    ),
    (
        "equal times in other words are no difference",
        [A],
        [standing(0, A, slow_start="0")],
        set(),
        [],
    ),
    (
        "parameters that the answer does not tell are no difference",
        [A],
        [standing(0, A, max_fails=None, fail_timeout=None, slow_start=None)],
        set(),
        [],
    ),
    (
        "of duplicates the first stays",
        [A],
        [standing(5, A), standing(2, A), standing(7, A)],
        set(),
        [("delete", A, 5), ("delete", A, 7)],
    ),
    (
        "of duplicates the one that takes requests stays",
        [A],
        [standing(1, A, drain=True), standing(2, A)],
        {A},
        [("delete", A, 1)],
    ),
    ("a drain by hand stays", [A], [standing(0, A, drain=True)], set(), []),
    ("a drain of ours ends", [A], [standing(0, A, drain=True)], {A}, [("ready", A, 0)]),
    ("a drain of ours that was ended by hand needs nothing", [A], [standing(0, A)], {A}, []),
    ("a server in drain that leaves goes on draining", [], [standing(0, A, drain=True)], {A}, []),
    (
        "a drain by hand of a server that leaves is taken over",
        [],
        [standing(0, A, drain=True)],
        set(),
        [],
    ),
    (
        "both of two unwanted duplicates drain",
        [],
        [standing(0, A), standing(1, A)],
        set(),
        [("drain", A, 0), ("drain", A, 1)],
    ),
    (
        "a backup server is nobody's business",
        [A],
        [standing(0, A), standing(1, C, backup=True)],
        set(),
        [],
    ),
    (
        "a backup server of the same address does not count",
        [A],
        [standing(0, A, backup=True)],
        set(),
        [("add", A, None)],
    ),
    ("IPv6 is compared by meaning", ["[::1]:80"], [standing(0, "[0:0::1]:80")], set(), []),
    (
        "capacity comes before it goes",
        [A, B],
        [standing(0, A, drain=True), standing(1, C), standing(2, B, max_fails=9), standing(3, B)],
        {A},
        [("ready", A, 0), ("change", B, 2), ("drain", C, 1), ("delete", B, 3)],
    ),
]


@pytest.mark.parametrize(
    ("wanted", "observed", "ours", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_plan(
    wanted: Sequence[str],
    observed: Sequence[Server],
    ours: set[str],
    expected: list[tuple[str, str, int | None]],
) -> None:
    ordered = calls(plan_upstream(wanted, observed, PARAMETERS, ours=ours))
    assert sorted(ordered, key=str) == sorted(expected, key=str)
    gives = [kind in {"ready", "add", "change"} for kind, _, _ in ordered]
    assert gives == sorted(gives, reverse=True)


def test_only_the_parameters_that_differ_are_sent() -> None:
    plan = plan_upstream([A], [standing(3, A, slow_start="5s")], PARAMETERS)
    assert plan.actions == (
        Action("change", A, "has other slow_start", 3, (("slow_start", "0s"),)),
    )


def test_a_new_server_carries_all_parameters() -> None:
    (added,) = plan_upstream([A], [], PARAMETERS).actions
    assert dict(added.fields) == {"max_fails": 0, "fail_timeout": "1s", "slow_start": "0s"}


def test_a_server_that_nginxs_resolver_made_is_left_to_it() -> None:
    made = Server(1, A, 1, "10s", "0s", parent=0)
    assert plan_upstream([], [made], PARAMETERS) == UpstreamPlan()


def test_without_draining_unwanted_servers_are_deleted_at_once() -> None:
    plan = plan_upstream(
        [], [standing(0, A), standing(1, B, drain=True)], PARAMETERS, drain_first=False
    )
    assert calls(plan) == [("delete", A, 0), ("delete", B, 1)]
    assert plan.leaving == ()


def test_a_step_says_what_happens_to_which_server_and_why() -> None:
    step = plan_upstream([], [standing(0, A)], PARAMETERS).actions[0].step("a.example")
    assert (step.action, step.subject) == ("drain server", "a.example/10.0.0.1:80")
    assert step.reason == "no longer runs on the cluster"


# Laws: the plan is carried out on a model of the API.

ADDRESSES = [f"10.0.0.{n}:80" for n in range(1, 7)]


@st.composite
def upstreams(draw: st.DrawFn) -> list[Server]:
    servers = draw(
        st.lists(
            st.builds(
                Server,
                id=st.just(0),
                server=st.sampled_from(ADDRESSES),
                max_fails=st.sampled_from([0, 1, None]),
                fail_timeout=st.sampled_from(["1s", "1000ms", "10s", None]),
                slow_start=st.sampled_from(["0s", "5s"]),
                backup=st.booleans(),
                drain=st.booleans(),
            ),
            max_size=9,
        )
    )
    return [
        Server(number, *[getattr(one, name) for name in Server.__struct_fields__[1:]])
        for number, one in enumerate(servers)
    ]


def carry_out(plan: UpstreamPlan, observed: list[Server]) -> list[Server]:
    state = {one.id: one for one in observed}
    for action in plan.actions:
        fields = (
            {name: getattr(state[action.id], name) for name in Server.__struct_fields__}
            if action.id is not None
            else {}
        )
        match action.kind:
            case "add":
                number = max(state, default=-1) + 1
                state[number] = Server(number, action.server, **dict(action.fields))  # type: ignore[arg-type]
            case "change":
                state[fields["id"]] = Server(**{**fields, **dict(action.fields)})
            case "ready" | "drain":
                state[fields["id"]] = Server(**{**fields, "drain": action.kind == "drain"})
            case "delete":
                del state[fields["id"]]
    return list(state.values())


wishes = st.lists(st.sampled_from(ADDRESSES), max_size=6)


@given(wanted=wishes, observed=upstreams(), ours=st.sets(st.sampled_from(ADDRESSES)))
def test_carried_out_a_plan_reaches_what_is_wanted(
    wanted: list[str], observed: list[Server], ours: set[str]
) -> None:
    after = carry_out(plan_upstream(wanted, observed, PARAMETERS, ours=ours), observed)
    regular = [one for one in after if not one.backup]
    assert sorted(one.server for one in regular if one.server in wanted) == sorted(set(wanted))
    assert all(one.drain for one in regular if one.server not in wanted)
    assert plan_upstream(wanted, after, PARAMETERS, ours=ours).actions == ()


@given(wanted=wishes, observed=upstreams())
def test_without_draining_nothing_unwanted_remains(
    wanted: list[str], observed: list[Server]
) -> None:
    after = carry_out(plan_upstream(wanted, observed, PARAMETERS, drain_first=False), observed)
    assert {one.server for one in after if not one.backup} == set(wanted)


@given(wanted=wishes, observed=upstreams(), ours=st.sets(st.sampled_from(ADDRESSES)))
def test_a_plan_touches_nothing_that_is_right(
    wanted: list[str], observed: list[Server], ours: set[str]
) -> None:
    plan = plan_upstream(wanted, observed, PARAMETERS, ours=ours)
    touched = [one.id for one in plan.actions if one.id is not None]
    assert len(touched) == len({(one.id, one.kind) for one in plan.actions if one.id is not None})
    by_id = {one.id: one for one in observed}
    for action in plan.actions:
        if action.id is None:
            assert action.server not in {one.server for one in observed if not one.backup}
            continue
        server = by_id[action.id]
        assert not server.backup
        if action.kind == "drain":
            assert server.server not in wanted
            assert not server.drain
        if action.kind == "ready":
            assert server.server in ours


@given(wanted=wishes, observed=upstreams())
def test_wanted_servers_serve_at_every_step(wanted: list[str], observed: list[Server]) -> None:
    """Whatever step a plan is interrupted after, no wanted server has been lost by it."""
    plan = plan_upstream(wanted, observed, PARAMETERS)
    serving = {one.server for one in observed if not one.backup and not one.drain} & set(wanted)
    for length in range(len(plan.actions) + 1):
        part = UpstreamPlan(plan.actions[:length])
        after = carry_out(part, observed)
        assert serving <= {one.server for one in after if not one.backup and not one.drain}
