"""Names that coincide: the first comer keeps its name, the other is left out by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules, parse_rules

LEADER = Leader("http://c1:4000", "c1", 4000)


def rules(
    *, separator: str = "_", tag: str = "env", leader: str = "", delimiter: str = "_"
) -> list[NamespaceRules]:
    naming = Naming(backend_separator=separator, host_port_delimiter=delimiter)
    return [
        parse_rules("stage", "", "", tag, leader, naming),
        parse_rules("plain", "", "", "", "", naming),
    ]


RULES = rules()


def app(vhost: str, group: str, port: int, *hosts: str) -> AppEndpoints:
    tags = {"env": group} if group else {}
    found = tuple(Host(host, port, "http") for host in hosts or ("10.0.0.1",))
    return AppEndpoints(f"app{port}", f"app{port}-{vhost}-{group}", vhost, tags, found)


def built(
    *apps: AppEndpoints,
    before: TopologyBuild | None = None,
    plain: tuple[AppEndpoints, ...] = (),
    by: list[NamespaceRules] = RULES,
) -> TopologyBuild:
    snapshots = {"stage": Snapshot("stage", LEADER, apps)}
    if plain:
        snapshots["plain"] = Snapshot("plain", LEADER, plain)
    return build(snapshots, by, before)


def served(build: TopologyBuild) -> set[tuple[str, str]]:
    return {(vhost, group) for vhost, app in build.topology.apps.items() for group in app.groups}


def reasons(build: TopologyBuild) -> list[tuple[str, str]]:
    return [(entry.app_id, entry.reason) for entry in build.rejected]


FIRST = app("shop", "eu_api", 1)
LATER = app("shop_eu", "api", 2)


@pytest.mark.parametrize(("first", "later"), [(FIRST, LATER), (LATER, FIRST)])
def test_the_first_comer_keeps_its_name_and_the_other_is_rejected_by_name(
    first: AppEndpoints, later: AppEndpoints
) -> None:
    found = built(first, later, before=built(first))
    assert served(found) == {(first.vhost, first.tags["env"])}
    ((app_id, reason),) = reasons(found)
    assert app_id == later.app_id
    assert f"called shop_eu_api, as that of {first.vhost}, group {first.tags['env']}" in reason


def test_only_the_group_whose_name_is_taken_is_left_out() -> None:
    others = (app("shop", "", 3), app("shop", "blue", 4))
    found = built(LATER, FIRST, *others, before=built(LATER))
    assert served(found) == {("shop_eu", "api"), ("shop", "shop"), ("shop", "blue")}
    assert {host.port for host in found.topology.apps["shop"].hosts} == {3, 4}


def test_a_group_and_a_vhost_of_another_namespace_without_groups_may_coincide() -> None:
    found = built(
        app("shop", "blue", 1),
        plain=(app("shop_blue", "", 2),),
        before=built(app("shop", "blue", 1)),
    )
    assert served(found) == {("shop", "blue")}
    assert "called shop_blue" in reasons(found)[0][1]


def test_the_separator_decides_what_coincides() -> None:
    apps = app("api", "eu.blue", 1), app("api.eu", "blue", 2)
    assert len(served(built(*apps))) == 2
    found = built(*apps, by=rules(separator="."))
    assert served(found) == {("api", "eu.blue")}


def test_of_two_that_come_together_the_first_in_order_keeps_the_name() -> None:
    assert served(built(LATER, FIRST)) == served(built(FIRST, LATER)) == {("shop", "eu_api")}


def test_the_name_is_free_once_its_owner_is_gone() -> None:
    both = built(FIRST, LATER, before=built(FIRST))
    assert served(built(LATER, before=both)) == {("shop_eu", "api")}
    assert not built(LATER, before=both).rejected


def test_the_owner_stays_while_others_come_and_go() -> None:
    found = built(LATER)
    for apps in ((LATER, FIRST), (FIRST, LATER), (LATER,), (FIRST, LATER, app("web", "", 9))):
        found = built(*apps, before=found)
        assert ("shop_eu", "api") in served(found)
        assert ("shop", "eu_api") not in served(found)


def test_an_owner_that_is_held_keeps_its_name_although_it_is_not_listed() -> None:
    held = built(FIRST)
    listed = built(LATER, before=built(FIRST, LATER, before=held))
    snapshots = {"stage": Snapshot("stage", LEADER, (LATER, FIRST))}
    again = build(snapshots, RULES, listed, incumbents=held.topology)
    assert served(again) == {("shop", "eu_api")}


def test_the_stored_snapshot_remembers_who_came_first() -> None:
    found = built(LATER, FIRST, before=built(LATER))
    stored = found.parts["stage"].served_snapshot
    assert stored.apps == (LATER,)
    restarted = build({"stage": stored}, RULES)
    assert served(built(FIRST, LATER, before=restarted)) == {("shop_eu", "api")}


def test_a_group_never_takes_the_name_of_a_leader_vhost() -> None:
    found = built(FIRST, by=rules(leader="shop_eu_api"), before=built(FIRST))
    assert served(found) == set()
    assert "the leader_vhost of namespace stage" in reasons(found)[0][1]


def test_a_group_never_takes_a_name_that_the_shipped_templates_need() -> None:
    assert served(built(app("drove", "none", 1), by=rules(separator=":"))) == set()


def test_servers_of_a_backend_whose_names_coincide_lose_the_later_one() -> None:
    address, name = app("web", "", 80, "2001:db8::1"), app("web", "", 80, "2001_db8__1")
    both = app("web", "", 80, "2001_db8__1", "2001:db8::1")
    for first, kept in ((address, "2001:db8::1"), (name, "2001_db8__1")):
        found = built(both, before=built(first))
        assert [host.host for host in found.topology.apps["web"].hosts] == [kept]
        assert "called server_2001" in reasons(found)[0][1]


def test_a_server_that_is_listed_as_http_and_as_https_is_served_once() -> None:
    secure = AppEndpoints("b", "b-1", "web", {}, (Host("10.0.0.1", 80, "https"),))
    plain = app("web", "", 80)
    found = built(plain, secure, before=built(secure))
    assert [host.port_type for host in found.topology.apps["web"].hosts] == ["https"]


def test_a_build_without_changes_has_the_same_objects() -> None:
    default = app("shop", "", 3)
    first = built(FIRST, LATER, default, before=built(LATER, default))
    again = built(FIRST, LATER, default, app("new", "", 4), before=first)
    assert again.rejected
    assert again.topology.apps["shop"] is first.topology.apps["shop"]


VHOSTS = st.sampled_from(["a", "a_b", "a_b_c", "b", "b_c"])
GROUPS = st.sampled_from(["", "a", "b", "b_c", "c", "a_b"])
APPS = st.lists(st.tuples(VHOSTS, GROUPS), unique=True, max_size=8)


@given(st.lists(APPS, min_size=1, max_size=5))
def test_no_name_is_ever_used_twice_and_no_owner_ever_loses_its_name(
    responses: list[list[tuple[str, str]]],
) -> None:
    naming, before = Naming(), None
    for response in responses:
        apps = [app(vhost, group, number) for number, (vhost, group) in enumerate(response, 1)]
        found = built(*apps, before=before)
        names = [name for app in found.topology.apps.values() for name in naming.backends(app)]
        assert len(names) == len(set(names))
        listed = {(vhost, group or vhost) for vhost, group in response}
        if before is not None:
            assert served(before) & listed <= served(found)
        before = found
