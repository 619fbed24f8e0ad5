"""Building a topology on the previous topology: laws."""

from hypothesis import given
from hypothesis import strategies as st
from tests.topology.apps import VHOST, app, snapshot

from drove_gateway.model.vocabulary import (
    AppEndpoints,
)
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules, parse_rules

APPS = st.builds(
    app,
    st.integers(0, 6),
    st.integers(0, 6),
    app_id=st.sampled_from(["a-1", "a-2", "b-1", "c-1"]),
    vhost=st.sampled_from([VHOST, "api.example.com", "API.example.com", "bad vhost", "x.org"]),
    colour=st.sampled_from(["", "blue", "Green", "no;t"]),
) | st.builds(app, app_id=st.sampled_from(["a-1", "d-1"]))

ANSWERS = st.lists(APPS, max_size=5, unique_by=lambda listed: listed.app_id)

RULES = st.builds(
    parse_rules,
    st.just("one"),
    st.sampled_from(["", "x.org"]),
    st.sampled_from(["", ".example.com"]),
    st.sampled_from(["", "colour"]),
    st.sampled_from(["", "x.org"]),
)


def merged_pair(
    first: list[AppEndpoints],
    two: list[AppEndpoints],
    rule: NamespaceRules,
    previous: TopologyBuild | None,
) -> TopologyBuild:
    taken = {"one": snapshot(*first, namespace="one"), "two": snapshot(*two, namespace="two")}
    return build(taken, [rule, NamespaceRules("two", routing_tag="colour")], previous)


@given(st.data(), RULES, RULES)
def test_building_on_the_previous_equals_building_from_scratch(
    data: st.DataObject, before: NamespaceRules, after: NamespaceRules
) -> None:
    """Apps that the controller repeats are the same objects, as the decoder gives them."""
    first, two = data.draw(ANSWERS), data.draw(ANSWERS)
    previous = merged_pair(first, two, before, None)
    kept = [each for each in first if data.draw(st.booleans())]
    ids = {each.app_id for each in kept}
    fresh = [each for each in data.draw(ANSWERS) if each.app_id not in ids]
    next_one = data.draw(st.permutations(kept + fresh))
    again = merged_pair(next_one, two, after, previous)
    scratch = merged_pair(next_one, two, after, None)
    assert again.topology == scratch.topology
    assert again.rejected == scratch.rejected
    assert again.counts == scratch.counts


@given(ANSWERS, ANSWERS, RULES)
def test_the_same_responses_again_give_the_same_objects(
    left: list[AppEndpoints], right: list[AppEndpoints], rule: NamespaceRules
) -> None:
    first = merged_pair(left, right, rule, None)
    second = merged_pair(left, right, rule, first)
    assert second.topology == first.topology
    assert all(second.topology.apps[name] is each for name, each in first.topology.apps.items())


@given(ANSWERS, RULES)
def test_every_app_is_served_by_exactly_the_hosts_of_its_groups(
    apps: list[AppEndpoints], rule: NamespaceRules
) -> None:
    result = build({"one": snapshot(*apps, namespace="one")}, [rule])
    without_group = any("without a group" in each.reason for each in result.rejected)
    for served in result.topology.apps.values():
        grouped = {each for group in served.groups.values() for each in group.hosts}
        assert grouped <= set(served.hosts)
        assert grouped == set(served.hosts) or without_group
        assert len(set(served.hosts)) == len(served.hosts) > 0
