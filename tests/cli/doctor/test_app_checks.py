"""What the doctor finds in apps."""

import pytest

from drove_gateway.cli.doctor.app_checks import (
    KnownTags,
    SpecifiedApp,
    TimeToTraffic,
    exposure_mode,
    outside_every_realm,
    shared_addresses,
    unread_tags,
    wait_before_kill,
)
from drove_gateway.drove.specification import AppSpecification
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import parse_rules

TWO_SECONDS = TimeToTraffic(2.0, "measured in 20 applies")


def endpoints(name: str, *ports: int, **tags: str) -> AppEndpoints:
    hosts = tuple(Host("ex1.dc", port, "http") for port in ports)
    return AppEndpoints(name, f"{name}-1", f"{name}.local", tags, hosts)


def specified(name: str, wait: float | None = 0.0, mode: str = "ALL") -> SpecifiedApp:
    return SpecifiedApp("main", endpoints(name, 1000), AppSpecification(wait, mode))


def built(*apps: AppEndpoints, realm: str = "") -> TopologyBuild:
    rules = parse_rules("main", realm, "", "", "")
    return build({"main": Snapshot("main", Leader(), apps, ())}, (rules,))


def test_an_app_that_is_killed_before_the_proxy_knows_is_found() -> None:
    finding = wait_before_kill(
        [specified("quick", 0.0), specified("short", 1.9), specified("enough", 2.0)], TWO_SECONDS
    )

    assert finding.severity == "error"
    assert finding.subjects == (
        "quick-1 (quick.local, namespace main): 0 s",
        "short-1 (short.local, namespace main): 1.9 s",
    )
    assert "up to 2.0 s (measured in 20 applies)" in finding.what
    assert '"waitBeforeKill": "5 seconds"' in finding.advice


def test_a_wait_in_unknown_words_is_not_called_short() -> None:
    assert wait_before_kill([specified("odd", None)], TWO_SECONDS).subjects == ()


@pytest.mark.parametrize(("slow", "advice"), [(0.1, 5), (2.4, 5), (2.6, 10), (7.0, 15), (30, 60)])
def test_the_advised_wait_is_twice_the_time_at_least(slow: float, advice: int) -> None:
    finding = wait_before_kill([specified("quick")], TimeToTraffic(slow, ""))

    assert f'"{advice} seconds"' in finding.advice


def test_an_app_that_wants_a_single_instance_in_traffic_is_found() -> None:
    finding = exposure_mode([specified("all"), specified("leader", mode="ONE")])

    assert finding.subjects == ("leader-1 (leader.local, namespace main)",)


def test_an_address_under_two_apps_is_found_also_across_namespaces() -> None:
    finding = shared_addresses(
        {
            "main": [endpoints("a", 1000, 1001), endpoints("b", 1001)],
            "other": [endpoints("c", 1000)],
        }
    )

    assert [subject.partition(": ")[0] for subject in finding.subjects] == [
        "ex1.dc:1000",
        "ex1.dc:1001",
    ]
    assert "a-1 (a.local, namespace main), b-1" in finding.subjects[1]


def test_an_address_that_one_app_lists_twice_is_not_shared() -> None:
    assert shared_addresses({"main": [endpoints("a", 1000, 1000)]}).subjects == ()


def test_an_app_of_a_cluster_that_two_namespaces_follow_shares_no_address() -> None:
    listed = [endpoints("a", 1000)]

    assert shared_addresses({"public": listed, "internal": listed}).subjects == ()


@pytest.mark.parametrize(
    "template",
    [
        "{{if .Tags.color}}x{{end}}",
        '{{index .Tags "color"}}',
        "{{index .Tags `color`}}",
        "{{range $k, $v := .Tags}}{{$k}}{{end}}",
    ],
)
def test_a_tag_that_the_template_reads_is_known(template: str) -> None:
    known = KnownTags(frozenset(), template)

    assert unread_tags(built(endpoints("a", 1, color="b")), known).subjects == ()


@pytest.mark.parametrize(
    ("template", "reads"),
    [
        ("[[range $k, $v := .Tags]]", True),
        ("[[range $a := .Apps]] [[$a.Vhost]] [[end]]", False),
        ("[[range .Apps]] [[.Tags]]", False),
        ("[[range\n .Tags -]]", True),
    ],
)
def test_a_template_with_its_own_delimiters_is_read(template: str, reads: bool) -> None:
    known = KnownTags(frozenset(), template, right="]]")

    assert known.has("color") == reads


def test_a_tag_that_nothing_reads_is_found_with_its_apps() -> None:
    apps = [endpoints(name, 1, colour="x", drain="5") for name in "abcd"]
    known = KnownTags(frozenset({"drain"}), "{{if .Tags.color}}{{.Tags.colourful}}{{end}}")

    (subject,) = unread_tags(built(*apps), known).subjects

    assert subject.startswith("colour: a-1 (a.local")
    assert subject.endswith("and 1 more")


def test_a_vhost_outside_of_every_realm_is_found() -> None:
    apps = (endpoints("in", 1), endpoints("out", 2))

    assert outside_every_realm(built(*apps, realm="in.local")).subjects == (
        "out-1 (out.local, namespace main)",
    )


def test_a_vhost_that_another_namespace_serves_is_not_outside() -> None:
    app = endpoints("web", 1)
    snapshots = {name: Snapshot(name, Leader(), (app,), ()) for name in ("main", "other")}
    rules = (parse_rules("main", "x.local", "", "", ""), parse_rules("other", "", "", "", ""))

    assert outside_every_realm(build(snapshots, rules)).subjects == ()
