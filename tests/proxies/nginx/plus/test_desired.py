"""From topologies to upstreams and reasons."""

import pytest
from tests.proxies.nginx.plus.rig import app, topology

from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.nginx.plus.desired import (
    Wanted,
    changed,
    drain_seconds,
    hosts,
    names,
    structural,
    wanted,
)

WEB = Host("10.0.0.1", 80, "http")
TLS = Host("10.0.0.2", 443, "https")
RAW = Host("10.0.0.3", 25, "tcp")


def grouped(**groups: tuple[Host, ...]) -> App:
    every = tuple(host for group in groups.values() for host in group)
    made = {name: HostGroup(group, {}) for name, group in groups.items()}
    return App("a.example", "a.example", every, {}, made, "color")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (grouped(blue=(WEB,), green=(TLS,)), (WEB, TLS)),
        (grouped(blue=(WEB,), green=(RAW,)), (WEB,)),
        (grouped(blue=(WEB, RAW), green=(TLS,)), (TLS,)),
        (grouped(blue=(RAW,)), None),
    ],
    ids=["all groups", "a raw group is left out", "with all its hosts", "nothing to touch"],
)
def test_which_hosts_go_into_an_upstream(one: App, expected: tuple[Host, ...] | None) -> None:
    assert hosts(one) == expected


def test_names_are_told_from_addresses() -> None:
    one = app("a.example", ["10.0.0.1:80", "node1:80", "::1:80", "[::2]:80"])
    assert names(one) == {"node1"}
    assert wanted(one, {"node1": "10.0.0.9"}) == Wanted(
        ("10.0.0.1:80", "10.0.0.9:80", "[::1]:80", "[::2]:80")
    )
    assert wanted(one, {}).unresolved == ("node1",)


def test_two_names_of_one_address_are_one_server() -> None:
    one = app("a.example", ["node1:80", "node2:80"])
    assert wanted(one, dict.fromkeys(("node1", "node2"), "10.0.0.9")).servers == ("10.0.0.9:80",)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({}, 30.0), ({"drain": "90"}, 90.0), ({"drain": "0"}, 0.0), ({"drain": "-1"}, 30.0)]
    + [({"drain": text}, 30.0) for text in ("", "soon", "1e3", "\u0663")],
)
def test_a_tag_may_set_the_drain_time(tags: dict[str, str], expected: float) -> None:
    assert drain_seconds(app("a.example", [], tags), "drain", 30.0) == expected
    assert drain_seconds(app("a.example", [], tags), "", 30.0) == 30.0


def test_only_what_differs_is_due() -> None:
    old = topology({"a.example": ["10.0.0.1:80"], "b.example": ["10.0.0.2:80"], "c.example": []})
    new = topology(
        {
            "a.example": ["10.0.0.1:80"],
            "b.example": ["10.0.0.3:80", "10.0.0.4:80"],
            "d.example": ["10.0.0.5:80"],
        }
    )
    assert changed(old, new) == {
        "b.example": "+2 -1 servers",
        "c.example": "vhost removed",
        "d.example": "vhost added",
    }
    assert changed(None, old).keys() == old.apps.keys()
    assert changed(old, old) == {}


def test_the_order_of_hosts_is_no_difference() -> None:
    one, two = ["10.0.0.1:80", "10.0.0.2:80"], ["10.0.0.2:80", "10.0.0.1:80"]
    assert changed(topology({"a.example": one}), topology({"a.example": two})) == {}


def test_a_vhost_that_is_not_managed_is_never_due() -> None:
    raw = Topology({"a.example": grouped(blue=(RAW,))}, {})
    empty = Topology({}, {})
    assert changed(None, raw) == {}
    assert changed(raw, empty) == {}
    assert changed(empty, raw) == {}


def test_what_needs_a_reload() -> None:
    def seen(leader: str, vhost: str) -> Topology:
        namespace = Namespace(vhost, Leader(leader, "c", 1), "")
        return Topology({"a.example": app("a.example", ["10.0.0.1:80"])}, {"one": namespace})

    old = seen("http://c1:1", "drove.example")
    assert structural(None, old) == ()
    assert structural(old, old) == ()
    assert structural(old, seen("http://c2:1", "drove.example")) == (
        "leader of namespace one moved",
    )
    assert structural(seen("http://c1:1", ""), seen("http://c2:1", "")) == ()
    assert structural(old, Topology({}, old.namespaces)) == ("vhost a.example removed",)
