"""Which upstreams of vhosts that this run never saw are the gateway's to empty."""

from tests.proxies.nginx.plus.rig import topology

from drove_gateway.proxies.runtime.orphans import Orphans

OWNED = {"a.example", "b.example"}
HAS_A = topology({"a.example": ["10.0.0.1:80"]})


def test_a_vhost_of_the_realm_is_an_orphan_once_it_was_missing_long_enough() -> None:
    orphans = Orphans(OWNED, patience=120)
    assert orphans.found(HAS_A, ["a.example"], now=0) == ()
    assert orphans.found(HAS_A, ["a.example"], now=119) == ()
    assert orphans.found(HAS_A, ["a.example"], now=120) == ("b.example",)


def test_a_vhost_that_comes_in_time_is_none_and_its_time_begins_anew() -> None:
    orphans = Orphans(OWNED, patience=120)
    both = topology({"a.example": [], "b.example": []})
    orphans.found(HAS_A, [], now=0)
    orphans.found(both, [], now=60)
    assert orphans.found(HAS_A, [], now=121) == ()
    assert orphans.found(HAS_A, [], now=241) == ("b.example",)


def test_while_a_namespace_has_not_answered_nothing_is_known() -> None:
    orphans = Orphans(OWNED, patience=120)
    unanswered = topology({"a.example": []}, leader="")
    orphans.found(HAS_A, [], now=0)
    assert orphans.found(unanswered, [], now=500) == ()
    assert orphans.found(HAS_A, [], now=501) == ()


def test_what_this_run_has_kept_is_its_own_business() -> None:
    orphans = Orphans(OWNED, patience=0)
    assert orphans.found(HAS_A, ["b.example"], now=9) == ()


def test_names_that_no_realm_has_are_never_touched() -> None:
    assert Orphans((), patience=0).found(topology({}), [], now=9) == ()


def test_an_orphan_is_reported_once_until_its_vhost_returns_and_leaves_again() -> None:
    orphans = Orphans(OWNED, patience=120)
    orphans.found(HAS_A, [], now=0)
    assert orphans.found(HAS_A, [], now=120) == ("b.example",)
    assert orphans.found(HAS_A, ["b.example"], now=121) == ()
    assert orphans.found(HAS_A, [], now=999) == ()
    orphans.found(topology({"a.example": [], "b.example": []}), [], now=1000)
    orphans.found(HAS_A, [], now=1001)
    assert orphans.found(HAS_A, [], now=1121) == ("b.example",)
