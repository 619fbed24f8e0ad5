"""What the proxy serves becomes the memory of a start without stored state."""

import msgspec
from tests.acceptance.cluster import Judge, addresses, app, response

from drove_gateway.acceptance.adoption import adopted, is_adopted
from drove_gateway.acceptance.verdict import NEW_LEADER_SECONDS
from drove_gateway.model.vocabulary import App, AppEndpoints, HostGroup, Snapshot, Topology
from drove_gateway.topology.namespace_build import NamespaceRules, parse_rules

WEB, API = app("web", 5), app("api", 5)


def serving(*apps: AppEndpoints) -> Topology:
    """A topology as it is read back from a proxy."""
    groups: dict[str, dict[str, HostGroup]] = {}
    for each in apps:
        group = HostGroup(each.hosts, {})
        groups.setdefault(each.vhost, {})[each.tags.get("colour", each.vhost)] = group
    return Topology(
        {
            vhost: App(
                vhost, vhost, tuple(h for g in found.values() for h in g.hosts), {}, found, ""
            )
            for vhost, found in groups.items()
        },
        {},
    )


def start(*apps: AppEndpoints) -> Judge:
    """A judge whose memory is what a proxy serves."""
    rules = [NamespaceRules("stage")]
    return Judge(adopted(serving(*apps), rules)["stage"])


def servers(snapshot: Snapshot) -> set[tuple[str, int]]:
    return addresses(*snapshot.apps)


def test_each_vhost_counts_for_the_first_namespace_that_accepts_it() -> None:
    rules = [
        parse_rules("one", "web.local", "", "", ""),
        parse_rules("two", "", ".local", "", "drove.local"),
    ]
    other = app("grafana", 1, vhost="grafana.internal")
    leader = app("drove", 1)
    found = adopted(serving(WEB, API, other, leader), rules)
    assert {name: servers(each) for name, each in found.items()} == {
        "one": addresses(WEB),
        "two": addresses(API),
    }


def test_host_groups_are_kept() -> None:
    blue, green = (
        app("web", 2, first=first, tags={"colour": colour})
        for first, colour in ((1, "blue"), (10, "green"))
    )
    rules = [NamespaceRules("stage", routing_tag="colour")]
    judge = Judge(adopted(serving(blue, green), rules)["stage"], routing_tag="colour")
    [served] = judge.memory.served.topology.apps.values()
    assert {name: group.hosts for name, group in served.groups.items()} == {
        "blue": blue.hosts,
        "green": green.hosts,
    }


def test_complete_response_takes_the_place_of_what_was_adopted() -> None:
    judge = start(WEB, API)
    judge.respond(response(WEB, API))
    apps = judge.memory.served.parts["stage"].snapshot.apps
    assert not any(is_adopted(each.app_id) for each in apps)
    assert judge.served == {"api.local": 5, "web.local": 5}


def test_empty_or_partial_response_takes_no_living_server() -> None:
    for first in (response(), response(WEB)):
        judge = start(WEB, API)
        while judge.now < NEW_LEADER_SECONDS:
            judge.respond(first)
            assert judge.served == {"api.local": 5, "web.local": 5}
        judge.respond(first)
        assert judge.served == ({"web.local": 5} if first.apps else {})


def test_start_with_a_stored_state_is_as_patient() -> None:
    """The leader may be new: the gateway has not seen for how long it leads."""
    judge = Judge(response(WEB, API))
    judge.memory = msgspec.structs.replace(judge.memory, unproven=frozenset(("stage",)))
    while judge.now < NEW_LEADER_SECONDS:
        judge.respond(response(WEB))
        assert judge.served == {"api.local": 5, "web.local": 5}
    judge.respond(response(WEB))
    assert judge.served == {"web.local": 5}


def test_dead_servers_of_the_file_leave_at_once() -> None:
    judge = start(WEB, API)
    judge.dead = addresses(API)
    judge.respond(response(WEB))
    assert judge.served == {"web.local": 5}


def test_time_does_not_run_while_another_namespace_is_awaited() -> None:
    judge = start(WEB, API)
    for _ in range(10):
        judge.now += NEW_LEADER_SECONDS
        judge.judge(responded=frozenset(("stage",)), awaited=frozenset(("prod",)))
        judge.responses["stage"] = response(WEB)
    assert judge.served == {"api.local": 5, "web.local": 5}


def test_tags_of_the_response_count_where_a_part_is_kept() -> None:
    judge = start(WEB)
    tagged = app("web", 2, tags={"timeout": "5s"})
    judge.respond(response(tagged))
    [served] = judge.memory.served.topology.apps.values()
    assert served.tags == {"timeout": "5s"}
    assert set(served.hosts) == set(WEB.hosts)
