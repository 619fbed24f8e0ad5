"""What differs between two topologies, and what is not a difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.topology.topology_diff import TopologyDiff, VhostChange, reasons, topology_diff

VHOST = "web.example.com"


def hosts(*numbers: int) -> tuple[Host, ...]:
    return tuple(Host(f"10.0.0.{number}", 31000, "http") for number in numbers)


def app(
    *groups: tuple[str, tuple[int, ...]],
    tags: dict[str, str] | None = None,
    tag: str = "",
    group_tags: dict[str, str] | None = None,
) -> App:
    """An app of `(group, its hosts' numbers)`."""
    return App(
        id=VHOST,
        vhost=VHOST,
        hosts=hosts(*(number for _, members in groups for number in members)),
        tags=tags or {},
        groups={name: HostGroup(hosts(*members), group_tags or {}) for name, members in groups},
        routing_tag_key=tag,
    )


def one(served: App | None = None, leader: str = "c1", name: str = "stage") -> Topology:
    return Topology(
        apps={VHOST: served} if served else {},
        namespaces={name: Namespace("drove.local", Leader(f"http://{leader}:80", leader, 80), "")},
    )


def change(*, added: tuple[int, ...] = (), removed: tuple[int, ...] = ()) -> VhostChange:
    return VhostChange(VHOST, hosts(*added), hosts(*removed), tags=False, groups=True)


ABC = app((VHOST, (1, 2, 3)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(one(ABC), one(ABC), TopologyDiff(), id="the same"),
        pytest.param(
            one(ABC), one(app((VHOST, (3, 1, 2)))), TopologyDiff(), id="the order of hosts is none"
        ),
        pytest.param(one(), one(ABC), TopologyDiff(added=(VHOST,)), id="vhost added"),
        pytest.param(one(ABC), one(), TopologyDiff(removed=(VHOST,)), id="vhost removed"),
        pytest.param(
            one(ABC),
            one(app((VHOST, (4, 2, 3, 5)))),
            TopologyDiff(changed=(change(added=(4, 5), removed=(1,)),)),
            id="servers come and go",
        ),
        pytest.param(
            one(ABC),
            one(app((VHOST, (1, 2, 3)), tags={"a": "b"})),
            TopologyDiff(changed=(VhostChange(VHOST, (), (), tags=True, groups=False),)),
            id="tags",
        ),
        pytest.param(
            one(ABC),
            one(app((VHOST, (1, 2, 3)), tag="colour")),
            TopologyDiff(changed=(VhostChange(VHOST, (), (), tags=True, groups=False),)),
            id="the routing tag's name",
        ),
        pytest.param(
            one(app(("blue", (1,)), ("green", (2,)))),
            one(app(("blue", (2,)), ("green", (1,)))),
            TopologyDiff(changed=(VhostChange(VHOST, (), (), tags=False, groups=True),)),
            id="hosts that change their group",
        ),
        pytest.param(
            one(app(("blue", (1,)), ("green", (2,)))),
            one(app(("green", (2,)), ("blue", (1,)))),
            TopologyDiff(),
            id="the order of groups is none",
        ),
        pytest.param(
            one(ABC),
            one(app((VHOST, (1, 2, 3)), group_tags={"a": "b"})),
            TopologyDiff(changed=(VhostChange(VHOST, (), (), tags=False, groups=True),)),
            id="a group's tags",
        ),
        pytest.param(
            one(ABC), one(ABC, leader="c2"), TopologyDiff(leaders=("stage",)), id="the leader moved"
        ),
        pytest.param(
            one(ABC),
            one(ABC, name="other"),
            TopologyDiff(leaders=("other", "stage")),
            id="namespaces come and go",
        ),
    ],
)
def test_each_difference_is_found(old: Topology, new: Topology, expected: TopologyDiff) -> None:
    found = topology_diff(old, new)
    assert found == expected
    assert found.empty == (expected == TopologyDiff())


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(TopologyDiff(), (), id="nothing"),
        pytest.param(
            TopologyDiff(added=("a", "b")), ("vhost a added", "vhost b added"), id="added"
        ),
        pytest.param(TopologyDiff(removed=("a",)), ("vhost a removed",), id="removed"),
        pytest.param(
            TopologyDiff(changed=(change(added=(1, 2), removed=(3,)),)),
            (f"vhost {VHOST}: +2 -1 servers",),
            id="servers",
        ),
        pytest.param(
            TopologyDiff(changed=(VhostChange(VHOST, hosts(1), (), tags=True, groups=True),)),
            (f"vhost {VHOST}: +1 -0 servers, tags changed",),
            id="servers and tags",
        ),
        pytest.param(
            TopologyDiff(changed=(VhostChange(VHOST, (), (), tags=False, groups=True),)),
            (f"vhost {VHOST}: host groups changed",),
            id="groups",
        ),
        pytest.param(
            TopologyDiff(leaders=("stage",)), ("leader of namespace stage moved",), id="leader"
        ),
    ],
)
def test_a_difference_in_words(found: TopologyDiff, words: tuple[str, ...]) -> None:
    assert reasons(found) == words


def test_of_many_reasons_the_first_are_named_and_the_others_counted() -> None:
    text = reasons(TopologyDiff(added=tuple(f"v{number}" for number in range(50))))
    assert text[:2] == ("vhost v0 added", "vhost v1 added")
    assert text[20:] == ("and 30 more changes",)


NUMBERS = st.lists(st.integers(1, 5), min_size=1, max_size=5, unique=True).map(tuple)
APPS = st.dictionaries(st.sampled_from(["blue", "green", VHOST]), NUMBERS, min_size=1).map(
    lambda groups: app(*groups.items())
)
TOPOLOGIES = st.dictionaries(st.sampled_from(["a", "b", "c"]), APPS).map(
    lambda apps: Topology(
        apps={vhost: structs.replace(each, vhost=vhost) for vhost, each in apps.items()},
        namespaces={},
    )
)


def reordered(topology: Topology, random: st.DataObject) -> Topology:
    """The same topology with every order drawn anew, and no object shared."""

    def mixed(group: HostGroup) -> HostGroup:
        return HostGroup(tuple(random.draw(st.permutations(group.hosts))), dict(group.tags))

    return Topology(
        apps={
            name: App(
                each.id,
                each.vhost,
                tuple(random.draw(st.permutations(each.hosts))),
                dict(each.tags),
                {group: mixed(each.groups[group]) for group in reversed(list(each.groups))},
                each.routing_tag_key,
            )
            for name, each in reversed(list(topology.apps.items()))
        },
        namespaces={},
    )


@given(TOPOLOGIES, st.data())
def test_order_is_never_a_difference(topology: Topology, data: st.DataObject) -> None:
    assert topology_diff(topology, reordered(topology, data)).empty


@given(TOPOLOGIES, TOPOLOGIES)
def test_the_way_back_is_the_opposite(old: Topology, new: Topology) -> None:
    there, back = topology_diff(old, new), topology_diff(new, old)
    assert set(there.added) == set(back.removed)
    assert set(there.removed) == set(back.added)
    opposite = {each.vhost: (set(each.removed), set(each.added)) for each in back.changed}
    assert {each.vhost: (set(each.added), set(each.removed)) for each in there.changed} == opposite


@given(TOPOLOGIES, TOPOLOGIES)
def test_what_is_added_and_removed_leads_from_one_to_the_other(
    old: Topology, new: Topology
) -> None:
    found = topology_diff(old, new)
    assert (set(old.apps) - set(found.removed)) | set(found.added) == set(new.apps)
    assert found.empty == (reasons(found) == ())
