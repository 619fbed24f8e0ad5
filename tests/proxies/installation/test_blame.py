"""The search for what is to blame, as tables and by laws; asking is a function of the topology."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drove_gateway.model.vocabulary import (
    EMPTY,
    App,
    Host,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.blame import (
    NOT_SEARCHED,
    BlameResult,
    Part,
    parts_that_differ,
    search,
    with_parts,
)


def app(vhost: str, host: str = "10.0.0.1") -> App:
    return App(vhost, vhost, (Host(host, 80, "http"),), {}, {}, "")


def topology(*vhosts: str, **forms: str) -> Topology:
    """Apps `a`, `b`, … at an address, and those in `forms` at that host; namespace `leader`."""
    apps = {name: app(name) for name in vhosts} | {
        name: app(name, host) for name, host in forms.items() if name != "leader"
    }
    leader = forms.get("leader", "10.0.0.9")
    return Topology(apps, {"n": Namespace("drove", Leader("http://x", leader, 80), "")})


def vhost(name: str) -> Part:
    return Part("vhost", name)


class Proxy:
    """A check that refuses some hosts; it counts how often it is asked."""

    def __init__(self, refuses: Callable[[Topology], str]) -> None:
        self.refuses = refuses
        self.asked = 0

    async def __call__(self, tried: Topology) -> str:
        self.asked += 1
        return self.refuses(tried)


def bad_hosts(tried: Topology) -> str:
    """What NGINX says of the first host whose name begins with `bad`."""
    hosts = [host.host for app in tried.apps.values() for host in app.hosts]
    hosts += [space.leader.host for space in tried.namespaces.values()]
    return next((f"host not found: {host}" for host in hosts if host.startswith("bad")), "")


async def found(
    good: Topology | None, new: Topology, refuses: Callable[[Topology], str] = bad_hosts
) -> BlameResult | None:
    return await search(good, new, refuses(new) or "refused", Proxy(refuses))


@pytest.mark.parametrize(
    ("good", "new", "expected", "blamed"),
    [
        (topology("a"), topology("a", "b", c="bad1"), topology("a", "b"), {"c": "bad1"}),
        (topology("a", "b"), topology("a", b="bad1"), topology("a", "b"), {"b": "bad1"}),
        (topology("a", "b"), topology(b="bad1"), topology("b"), {"b": "bad1"}),
        (None, topology("a", b="bad1"), topology("a"), {"b": "bad1"}),
        (EMPTY, topology("a", b="bad1"), topology("a"), {"b": "bad1"}),
        (
            topology("a"),
            topology("b", "c", d="bad1", e="bad2", f="bad3"),
            topology("b", "c"),
            {"d": "bad1", "e": "bad2", "f": "bad3"},
        ),
        (topology("a", b="bad1"), topology("a", "c", d="bad2"), topology("a", "c"), {"d": "bad2"}),
    ],
    ids=[
        "a new vhost is left out",
        "a changed vhost is left at its last good form",
        "a vhost that goes, goes",
        "at the first start every vhost is searched",
        "beside an empty topology every vhost is searched",
        "several culprits are all found",
        "where the last good one is refused by now, every vhost is searched",
    ],
)
async def test_culprits_keep_their_form_and_the_rest_is_applied(
    good: Topology | None, new: Topology, expected: Topology, blamed: dict[str, str]
) -> None:
    result = await found(good, new)

    assert result is not None
    assert result.topology == expected
    assert result.blamed == {vhost(name): f"host not found: {bad}" for name, bad in blamed.items()}
    assert result.dropped == ()


async def test_a_namespaces_new_leader_can_be_to_blame() -> None:
    good, new = topology("a"), topology("a", "b", leader="bad1")

    result = await found(good, new)

    assert result is not None
    assert result.topology == topology("a", "b")
    assert list(result.blamed) == [Part("namespace", "n")]


async def test_a_vhost_whose_removal_is_refused_stays() -> None:
    def refuses(tried: Topology) -> str:
        return "" if "a" in tried.apps else "no backend a"

    result = await found(topology("a"), topology("b"), refuses)

    assert result is not None
    assert result.topology == topology("a", "b")
    assert result.blamed == {vhost("a"): "no backend a"}


async def test_of_two_conflicting_vhosts_only_the_second_is_left_out() -> None:
    def refuses(tried: Topology) -> str:
        return "duplicate" if {"b", "c"} <= tried.apps.keys() else ""

    result = await found(topology("a"), topology("a", "b", "c"), refuses)

    assert result is not None
    assert result.topology == topology("a", "b")


async def test_a_served_vhost_that_is_refused_in_every_form_is_listed_as_dropped() -> None:
    good = topology("a", b="bad1", c="10.0.0.2")

    result = await found(good, topology("a", b="bad1", c="bad2"))

    assert result is not None
    assert result.topology == topology("a", c="10.0.0.2")
    assert result.dropped == (vhost("b"),)
    assert set(result.blamed) == {vhost("b"), vhost("c")}


async def test_when_nothing_passes_no_vhost_is_to_blame() -> None:
    assert await found(topology("a"), topology("a", "b"), lambda _: "no such certificate") is None
    assert await found(None, topology("a"), lambda _: "no such certificate") is None


async def test_parts_beyond_the_limit_of_checks_stay_as_they_were() -> None:
    names = [f"v{number}" for number in range(100)]
    new = topology(**dict.fromkeys(names, "bad1"))
    proxy = Proxy(bad_hosts)

    result = await search(topology(), new, "refused", proxy, most_checks=20)

    assert result is not None
    assert result.topology == topology()
    assert result.blamed.keys() == {vhost(name) for name in names}
    assert NOT_SEARCHED in result.blamed.values()
    assert proxy.asked == 20 + 1


async def test_the_limit_of_checks_holds_and_no_unsearched_part_is_accepted() -> None:
    names = [f"v{number}" for number in range(40)]
    good = topology(**dict.fromkeys(names, "bad1"))

    result = await search(good, good, "refused", Proxy(bad_hosts), most_checks=9)

    assert result is not None
    assert bad_hosts(result.topology) == ""
    assert set(result.dropped) == {vhost(name) for name in names}


HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2", "bad1", "bad2"])
GOOD_HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2"])
NAMES = st.sampled_from([f"v{number}" for number in range(12)])


@given(st.dictionaries(NAMES, GOOD_HOSTS), st.dictionaries(NAMES, HOSTS))
async def test_everything_but_the_culprits_is_accepted_within_the_limit(
    before: dict[str, str], after: dict[str, str]
) -> None:
    culprits = {name for name, host in after.items() if host.startswith("bad")}
    assume(culprits)
    good, new = topology(**before), topology(**after)
    proxy = Proxy(bad_hosts)

    result = await search(good, new, bad_hosts(new), proxy, most_checks=1000)

    parts = len(parts_that_differ(good, new))
    assert result is not None
    assert result.topology == topology(
        **{name: before[name] for name in culprits & before.keys()},
        **{name: host for name, host in after.items() if name not in culprits},
    )
    assert set(result.blamed) == {vhost(name) for name in culprits}
    assert proxy.asked <= 1 + len(culprits) * (1 + math.ceil(math.log2(parts)))


@given(
    st.dictionaries(NAMES, HOSTS),
    st.dictionaries(NAMES, HOSTS),
    st.sets(NAMES, max_size=3),
    st.integers(0, 12),
)
async def test_the_result_of_a_search_always_passes(
    before: dict[str, str], after: dict[str, str], together: set[str], most_checks: int
) -> None:
    """Also where vhosts only fail together, and where the checks do not reach."""
    good, new = topology(**before), topology(**after)

    def refuses(tried: Topology) -> str:
        conflict = len(together) > 1 and together <= tried.apps.keys()
        return bad_hosts(tried) or ("conflict" if conflict else "")

    result = await search(good, new, "refused", Proxy(refuses), most_checks=most_checks)

    assert result is not None
    assert refuses(result.topology) == ""
    for part in parts_that_differ(result.topology, new):
        assert part in result.blamed


@given(st.dictionaries(NAMES, HOSTS), st.dictionaries(NAMES, HOSTS))
def test_taking_every_part_that_differs_makes_the_new_topology(
    before: dict[str, str], after: dict[str, str]
) -> None:
    old, new = topology(**before), topology(**after)

    assert with_parts(old, new, parts_that_differ(old, new)) == new
    assert parts_that_differ(old, old) == ()
