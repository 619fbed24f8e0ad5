"""Names that are not served: leaders', wildcards, and what is invalid."""

import pytest
from tests.topology.apps import ALL, LEADER, VHOST, app, built, host, numbers, snapshot

from drove_gateway.model.spelling import app_spelling
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Snapshot,
)
from drove_gateway.proxies.haproxy.names import Naming as HaproxyNaming
from drove_gateway.proxies.nginx.names import Naming as NginxNaming
from drove_gateway.topology.build import build
from drove_gateway.topology.names import Naming
from drove_gateway.topology.namespace_build import NamespaceRules, parse_rules


def test_an_app_cannot_take_a_leader_vhost() -> None:
    result = built(
        app_spelling(app(1, vhost="DROVE.example.com")),
        rule=parse_rules("s", "", "", "", "drove.Example.com"),
    )
    assert result.topology.apps == {}
    [left_out] = result.rejected
    assert (left_out.namespace, left_out.app_id, left_out.subject) == ("s", "web-1", "vhost")
    assert left_out.value == "drove.example.com"
    assert "leader_vhost" in left_out.reason


def test_an_app_cannot_take_the_leader_vhost_of_another_namespace() -> None:
    result = build(
        {"one": snapshot(app(1, vhost="two.example.com"), namespace="one")},
        [NamespaceRules("one"), NamespaceRules("two", leader_vhost="two.example.com")],
    )
    assert result.topology.apps == {}
    assert len(result.rejected) == 1


@pytest.mark.parametrize("vhost", ["*.example.com", ".example.com"])
@pytest.mark.parametrize(
    ("naming", "served"),
    [
        (NginxNaming(), True),
        (HaproxyNaming(wildcards=True), True),
        (HaproxyNaming(), False),
        (None, False),
    ],
)
def test_wildcard_vhosts_are_rejected_by_name_where_the_template_does_not_serve_them(
    vhost: str, naming: Naming | None, served: bool
) -> None:
    rule = parse_rules("stage", "", ".example.com", "", "", naming)
    result = built(app(1, vhost=vhost), rule=rule)
    assert (vhost in result.topology.apps) is served
    assert [each.value for each in result.rejected] == [vhost] * (not served)


@pytest.mark.parametrize("naming", [NginxNaming(), HaproxyNaming(wildcards=True)])
@pytest.mark.parametrize("tag", ["", "colour"])
@pytest.mark.parametrize("other", ["a.com", "*.a.com"])
@pytest.mark.parametrize("wildcard_first", [True, False])
def test_a_wildcard_takes_no_traffic_from_a_vhost_of_a_name_that_it_includes(
    naming: Naming, tag: str, other: str, wildcard_first: bool
) -> None:
    """`.a.com` is `a.com` and `*.a.com`."""
    first, second = (".a.com", other) if wildcard_first else (other, ".a.com")
    rule = parse_rules("stage", "", "", tag, "", naming)
    early = app(1, app_id="web-1", vhost=first)
    before = built(early, rule=rule)
    both = {"stage": snapshot(early, app(2, app_id="web-2", vhost=second))}
    result = build(both, [rule], before)
    assert list(result.topology.apps) == [first]
    assert [each.value for each in result.rejected] == [second]


@pytest.mark.parametrize("naming", [NginxNaming(), HaproxyNaming(wildcards=True)])
@pytest.mark.parametrize("tag", ["", "colour"])
def test_wildcards_that_share_no_name_are_served_beside_each_other(
    naming: Naming, tag: str
) -> None:
    vhosts = {"*.a.com", "a.com", ".x.a.com", "*.y.a.com", "y.a.com"}
    rule = parse_rules("stage", "", "", tag, "", naming)
    apps = (app(at, app_id=f"web-{at}", vhost=vhost) for at, vhost in enumerate(sorted(vhosts), 1))
    result = built(*apps, rule=rule)
    assert not result.rejected
    assert set(result.topology.apps) == vhosts


@pytest.mark.parametrize("naming", [NginxNaming(), HaproxyNaming(wildcards=True)])
def test_a_wildcard_takes_no_traffic_from_a_leader_vhost(naming: Naming) -> None:
    rule = parse_rules("stage", "", "", "", "drove.com", naming)
    result = built(app(1, vhost=".drove.com"), rule=rule)
    assert not result.topology.apps
    assert "leader_vhost" in result.rejected[0].reason


@pytest.mark.parametrize(
    ("bad", "left"),
    [
        pytest.param(app(1, vhost="*.example.com"), {}, id="vhost"),
        pytest.param(app(1, vhost="web.example.com; return 200"), {}, id="directive in a vhost"),
        pytest.param(
            AppEndpoints("web", "web-1", VHOST, {}, (host(1), Host("a b", 1, "http"))),
            {VHOST: [1]},
            id="host",
        ),
        pytest.param(
            AppEndpoints("web", "web-1", VHOST, {}, (host(1), Host("10.0.0.2", 0, "http"))),
            {VHOST: [1]},
            id="port",
        ),
        pytest.param(app(1, note="a\nb"), {VHOST: [1]}, id="tag"),
    ],
)
def test_what_is_invalid_is_left_out_and_named_and_the_rest_is_served(
    bad: AppEndpoints, left: dict[str, list[int]]
) -> None:
    good = app(9, app_id="api-1", vhost="api.example.com")
    result = built(bad, good)
    apps = {vhost: numbers(served.hosts) for vhost, served in result.topology.apps.items()}
    assert apps == {**left, "api.example.com": [9]}
    assert [rejection.app_id for rejection in result.rejected] == ["web-1"]


def test_an_app_that_loses_all_its_hosts_to_validation_is_left_out() -> None:
    result = built(AppEndpoints("web", "web-1", VHOST, {}, (Host("a b", 1, "http"),)))
    assert result.topology.apps == {}
    assert len(result.rejected) == 1


def test_rejections_of_the_response_itself_are_passed_on() -> None:
    first = built(app(1, note="bad;")).rejected
    again = build({"stage": Snapshot("stage", LEADER, (app(2),), first)}, [ALL])
    assert again.rejected == first
