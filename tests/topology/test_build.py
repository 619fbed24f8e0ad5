"""Apps to vhosts: realm, groups, several apps and namespaces on a vhost, and what is left out."""

import pytest
from tests.topology.apps import ALL, LEADER, VHOST, app, built, groups, host, numbers, of, snapshot

from drove_gateway.model.spelling import app_spelling
from drove_gateway.model.vocabulary import (
    App,
    AppEndpoints,
    Host,
    Leader,
)
from drove_gateway.proxies.haproxy.names import Naming as HaproxyNaming
from drove_gateway.proxies.nginx.names import Naming as NginxNaming
from drove_gateway.topology.build import build
from drove_gateway.topology.explain import explain
from drove_gateway.topology.names import Naming
from drove_gateway.topology.namespace_build import AppCounts, NamespaceRules, parse_rules


def test_an_app_becomes_its_vhost_with_one_group_named_after_it() -> None:
    topology = of(built(app(1, 2, env="prod"), rule=parse_rules("stage", "", "", "", "")).topology)
    assert (topology.id, topology.vhost, topology.routing_tag_key) == (VHOST, VHOST, "")
    assert numbers(topology.hosts) == [1, 2]
    assert topology.tags == {"env": "prod"}
    assert groups(topology) == {VHOST: [1, 2]}
    assert topology.groups[VHOST].tags == {"env": "prod"}


def test_vhosts_and_port_types_are_lower_cased() -> None:
    shouting = AppEndpoints("web", "web-1", "WEB.Example.COM", {}, (host(1, "HTTPS"),))
    assert of(built(app_spelling(shouting)).topology).hosts == (host(1, "https"),)


def test_an_app_without_hosts_is_ignored_before_the_realm_is_asked() -> None:
    result = built(app(), rule=parse_rules("stage", "other.example.com", "", "", ""))
    assert result.topology.apps == {}
    assert result.counts["stage"] == AppCounts()


@pytest.mark.parametrize(
    ("realm", "suffix", "accepted"),
    [
        pytest.param("", "", True, id="neither set takes all"),
        pytest.param("web.example.com", "", True, id="exactly this vhost"),
        pytest.param("api.example.com, web.example.com ", "", True, id="one of several"),
        pytest.param("WEB.example.com", "", True, id="in any case"),
        pytest.param("example.com", "", False, id="a realm is not an ending"),
        pytest.param("api.example.com", "", False, id="another vhost"),
        pytest.param("", ".example.com", True, id="its ending"),
        pytest.param("", ".EXAMPLE.com", True, id="its ending in any case"),
        pytest.param("", ".example.org", False, id="a suffix alone filters"),
        pytest.param("api.example.com", ".example.com", True, id="the suffix where the realm not"),
        pytest.param("web.example.com", ".example.org", True, id="the realm where the suffix not"),
        pytest.param(" , ,", "", False, id="only commas serves nothing, as in the original"),
        pytest.param(" ", "", False, id="only blanks serves nothing, as in the original"),
        pytest.param("", " ", False, id="a blank suffix serves nothing"),
        pytest.param(",", ".example.com", True, id="its ending beside only commas"),
    ],
)
def test_the_realm_filters_vhosts(realm: str, suffix: str, *, accepted: bool) -> None:
    result = built(app(1), rule=parse_rules("stage", realm, suffix, "", ""))
    assert (VHOST in result.topology.apps) is accepted
    assert result.counts["stage"].ignored_by_realm == (not accepted)
    assert result.rejected == ()


@pytest.mark.parametrize(
    ("tags", "group", "tagged"),
    [
        pytest.param({"colour": "Blue"}, "blue", True, id="the tag's value in lower case"),
        pytest.param({"colour": ""}, VHOST, False, id="an empty value is none"),
        pytest.param({}, VHOST, False, id="the vhost without the tag"),
        pytest.param({"Colour": "blue"}, VHOST, False, id="the tag's name keeps its case"),
    ],
)
def test_the_routing_tag_names_the_group(tags: dict[str, str], group: str, *, tagged: bool) -> None:
    result = built(app(1, **tags), rule=parse_rules("stage", "", "", "colour", ""))
    assert list(of(result.topology).groups) == [group]
    assert of(result.topology).routing_tag_key == "colour"
    assert result.counts["stage"] == AppCounts(tagged, not tagged)


@pytest.mark.parametrize("tag", ["feature/abc", "two words", "a;b", "a\nb", "ü", "x" * 300])
def test_a_routing_tag_of_any_text_leaves_the_app_in_its_vhost(tag: str) -> None:
    """In the original a tag may be any text, and a template without groups serves the app."""
    rule = parse_rules("stage", "", "", "colour", "")
    alone = built(app(1, colour=tag), rule=rule)
    beside = built(app(1, app_id="web-1", colour=tag), app(2, app_id="web-2"), rule=rule)
    assert (numbers(of(alone.topology).hosts), groups(of(alone.topology))) == ([1], {VHOST: [1]})
    assert numbers(of(beside.topology).hosts) == [2, 1]
    assert groups(of(beside.topology)) == {VHOST: [2]}
    assert {each.subject for each in alone.rejected} == {"tag"}


def test_a_later_app_on_a_vhost_puts_its_hosts_first_and_the_earlier_ones_tags_win() -> None:
    topology = of(
        built(
            app(1, 2, app_id="web-1", env="prod", owner="first"),
            app(3, app_id="web-2", env="stage", extra="second"),
        ).topology
    )
    assert numbers(topology.hosts) == [3, 1, 2]
    assert topology.tags == {"env": "prod", "owner": "first", "extra": "second"}
    assert groups(topology) == {VHOST: [3, 1, 2]}
    assert topology.groups[VHOST].tags == {"env": "prod", "owner": "first"}


def test_apps_on_a_vhost_are_grouped_by_their_routing_tag() -> None:
    topology = of(
        built(
            app(1, app_id="web-1", colour="blue"),
            app(2, app_id="web-2", colour="green"),
            app(3, app_id="web-3", colour="BLUE"),
            app(4, app_id="web-4"),
            rule=parse_rules("stage", "", "", "colour", ""),
        ).topology
    )
    assert numbers(topology.hosts) == [4, 3, 2, 1]
    assert groups(topology) == {"blue": [3, 1], "green": [2], VHOST: [4]}


def test_a_host_that_two_apps_list_is_there_once() -> None:
    topology = of(built(app(1, 2, app_id="web-1"), app(2, 3, app_id="web-2")).topology)
    assert numbers(topology.hosts) == [2, 3, 1]


def namespaces(first: AppEndpoints, second: AppEndpoints, *order: str, tag: str = "") -> App:
    taken = {
        "one": snapshot(first, namespace="one"),
        "two": snapshot(second, namespace="two"),
    }
    return of(build(taken, [parse_rules(name, "", "", tag, "") for name in order]).topology)


def test_a_later_namespace_on_a_vhost_appends_its_hosts_and_its_tags_win() -> None:
    topology = namespaces(app(1, env="prod", owner="one"), app(2, env="stage"), "one", "two")
    assert numbers(topology.hosts) == [1, 2]
    assert topology.tags == {"env": "stage", "owner": "one"}
    assert groups(topology) == {VHOST: [1, 2]}
    assert topology.groups[VHOST].tags == {"env": "stage", "owner": "one"}


def test_namespaces_are_merged_in_their_configured_order() -> None:
    topology = namespaces(app(1, env="prod"), app(2, env="stage"), "two", "one")
    assert numbers(topology.hosts) == [2, 1]
    assert topology.tags == {"env": "prod"}


def test_groups_of_namespaces_are_merged_by_name() -> None:
    first, second = app(1, colour="blue"), app(2, colour="green")
    assert groups(namespaces(first, second, "one", "two", tag="colour")) == {
        "blue": [1],
        "green": [2],
    }
    assert groups(namespaces(first, app(2, colour="blue"), "one", "two", tag="colour")) == {
        "blue": [1, 2]
    }


def test_the_routing_tag_of_a_vhost_is_that_of_the_last_namespace_that_has_one() -> None:
    taken = {
        "one": snapshot(app(1, colour="blue"), namespace="one"),
        "two": snapshot(app(2), namespace="two"),
    }
    merged = build(
        taken,
        [parse_rules("one", "", "", "colour", ""), parse_rules("two", "", "", "", "")],
    )
    assert of(merged.topology).routing_tag_key == "colour"


def test_namespaces_show_their_leader_also_before_they_responded() -> None:
    configured = [
        parse_rules("one", "", "", "colour", "Drove.Example.com"),
        parse_rules("two", "", "", "", "two.example.com"),
    ]
    seen = build({"one": snapshot(namespace="one")}, configured).topology.namespaces
    assert list(seen) == ["one", "two"]
    assert seen["one"].leader == LEADER
    assert seen["one"].leader_vhost == "Drove.Example.com"
    assert seen["one"].routing_tag == "colour"
    assert seen["two"].leader == Leader()


def test_apps_are_counted_by_how_they_were_taken() -> None:
    result = built(
        app(1, app_id="a-1", colour="blue"),
        app(2, app_id="b-1"),
        app(3, app_id="c-1"),
        app(4, app_id="d-1", vhost="other.example.org"),
        app(app_id="e-1"),
        rule=parse_rules("stage", "", ".example.com", "colour", ""),
    )
    assert result.counts["stage"] == AppCounts(
        with_routing_tag=1, without_routing_tag=2, ignored_by_realm=1
    )


def test_an_unchanged_app_is_the_same_object_in_the_next_topology() -> None:
    stays, goes = app(1), app(2, app_id="api-1", vhost="api.example.com")
    first = built(stays, goes)
    moved = app(3, app_id="api-1", vhost="api.example.com")
    second = build({"stage": snapshot(stays, moved)}, [ALL], first)
    assert of(second.topology) is of(first.topology)
    assert numbers(second.topology.apps["api.example.com"].hosts) == [3]


def test_an_unchanged_vhost_of_two_namespaces_is_the_same_object() -> None:
    both = [NamespaceRules("one"), NamespaceRules("two")]
    left, right = snapshot(app(1), namespace="one"), snapshot(app(2), namespace="two")
    first = build({"one": left, "two": right}, both)
    other = app(7, app_id="api-1", vhost="api.example.com")
    second = build({"one": snapshot(*left.apps, other, namespace="one"), "two": right}, both, first)
    assert of(second.topology) is of(first.topology)


def test_changed_rules_are_applied_to_unchanged_apps() -> None:
    taken = {"stage": snapshot(app(1, colour="blue"))}
    first = build(taken, [ALL])
    second = build(taken, [parse_rules("stage", "", "", "colour", "")], first)
    assert groups(of(second.topology)) == {"blue": [1]}


def test_a_new_leader_vhost_of_another_namespace_is_taken_from_unchanged_apps() -> None:
    taken = {"one": snapshot(app(1), namespace="one")}
    first = build(taken, [NamespaceRules("one"), NamespaceRules("two")])
    reserved = [NamespaceRules("one"), NamespaceRules("two", leader_vhost=VHOST)]
    assert build(taken, reserved, first).topology == build(taken, reserved).topology


def test_an_app_that_is_listed_twice_counts_as_it_is_listed_last() -> None:
    once = app(1, app_id="a-1")
    other = app(2, app_id="a-1", vhost="x.org")
    third = app(3, app_id="b-1")
    first = build({"stage": snapshot(once, other)}, [ALL])
    assert list(first.topology.apps) == ["x.org"]
    for later in ([other], [once], [once, third], [third, once, other], []):
        taken = {"stage": snapshot(*later)}
        assert build(taken, [ALL], first).topology == build(taken, [ALL]).topology


def test_a_vhost_without_http_is_named_and_still_there_for_templates() -> None:
    rule = parse_rules("stage", "", "", "", "")
    apps = (
        AppEndpoints("db", "db-1", "db.example.com", {}, (host(1, "tcp"), host(2, "udp"))),
        AppEndpoints("mixed", "mixed-1", "mixed.example.com", {}, (host(3, "tcp"), host(4))),
    )
    result = built(*apps, rule=rule)
    assert set(result.topology.apps) == {"db.example.com", "mixed.example.com"}
    assert [(entry.app_id, entry.value) for entry in result.rejected] == [
        ("db-1", "db.example.com")
    ]
    assert "only tcp or udp" in explain(result, "db.example.com")[1]
    joined = AppEndpoints("web", "web-1", "db.example.com", {}, (host(5),))
    later = build({"stage": snapshot(*apps, joined)}, [rule], result)
    assert later.rejected == ()


@pytest.mark.parametrize(
    ("naming", "printed"),
    [(NginxNaming(), "[2001:db8::2]"), (HaproxyNaming(), "2001:db8::2"), (None, "2001:db8::2")],
)
def test_brackets_of_an_ipv6_host_stay_where_a_template_needs_them(
    naming: Naming | None, printed: str
) -> None:
    """`{{.Host}}:{{.Port}}` is an address to NGINX only with them, to HAProxy also without."""
    source = AppEndpoints("web", "web-1", VHOST, {}, (Host("[2001:db8::2]", 80, "http"),))
    result = built(source, rule=parse_rules("stage", "", "", "", "", naming))
    assert [each.host for each in of(result.topology).hosts] == [printed]


@pytest.mark.parametrize("naming", [NginxNaming(), HaproxyNaming()])
def test_an_ipv6_host_listed_with_and_without_brackets_is_one_server(naming: Naming) -> None:
    hosts = (Host("[2001:db8::2]", 80, "http"), Host("2001:db8::2", 80, "http"))
    source = AppEndpoints("web", "web-1", VHOST, {}, hosts)
    result = built(source, rule=parse_rules("stage", "", "", "", "", naming))
    assert len(of(result.topology).hosts) == 1
