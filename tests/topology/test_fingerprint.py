"""The hash of a desired state, to be compared across gateways."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.topology.fingerprint import fingerprint

HOSTS = tuple(Host(f"10.0.0.{n}", 80, "http") for n in range(4))
STAGE = Namespace("drove.local", Leader("http://c1", "c1", 80), "env")


def app(vhost: str, hosts: tuple[Host, ...] = HOSTS, **tags: str) -> App:
    return App(vhost, vhost, hosts, tags, {vhost: HostGroup(hosts, tags)}, "env")


def topology(*apps: App, namespace: Namespace = STAGE) -> Topology:
    return Topology(VersionedMap({each.vhost: each for each in apps}), {"stage": namespace})


WORLD = topology(app("a.local", team="red", env="x"), app("b.local"))


def test_the_same_state_has_the_same_hash_whatever_the_order() -> None:
    reversed_hosts = tuple(reversed(HOSTS))
    same = topology(app("b.local", reversed_hosts), app("a.local", HOSTS, env="x", team="red"))

    assert fingerprint(same).text == fingerprint(WORLD).text
    assert fingerprint(Topology(dict(WORLD.apps), WORLD.namespaces)).text == fingerprint(WORLD).text


@pytest.mark.parametrize(
    "other",
    [
        topology(app("a.local", team="red", env="x")),
        topology(app("a.local", team="blue", env="x"), app("b.local")),
        topology(app("a.local", HOSTS[1:], team="red", env="x"), app("b.local")),
        topology(
            *WORLD.apps.values(), namespace=Namespace("drove.local", Leader("http://c2"), "env")
        ),
    ],
    ids=["vhost", "tag", "server", "leader"],
)
def test_another_state_has_another_hash(other: Topology) -> None:
    assert fingerprint(other).text != fingerprint(WORLD).text


def test_a_leader_that_is_served_nowhere_does_not_matter() -> None:
    first = topology(namespace=Namespace("", Leader("http://c1"), ""))
    second = topology(namespace=Namespace("", Leader("http://c2"), ""))

    assert fingerprint(first).text == fingerprint(second).text


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 4)), max_size=20))
def test_the_hash_does_not_depend_on_the_way_to_a_state(changes: list[tuple[str, int]]) -> None:
    apps: VersionedMap[App] = VersionedMap()
    known = fingerprint(Topology(apps, {}))
    for name, hosts in changes:
        if hosts:
            apps = apps.updated({name: app(name, HOSTS[:hosts])})
        else:
            apps = apps.updated({}, without=[name])
        known = fingerprint(Topology(apps, {}), known)

    items = list(apps.items())
    random.Random(7).shuffle(items)
    assert known.text == fingerprint(Topology(VersionedMap(items), {})).text
