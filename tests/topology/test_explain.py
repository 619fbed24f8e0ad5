"""What `explain` tells of a vhost."""

from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.explain import explain
from drove_gateway.topology.namespace_build import parse_rules


def built(
    *apps: AppEndpoints, realm: str = "", tag: str = "", leader_vhost: str = ""
) -> TopologyBuild:
    snapshot = Snapshot("stage", Leader("http://c1:4000", "c1", 4000), apps)
    return build({"stage": snapshot}, [parse_rules("stage", realm, "", tag, leader_vhost)])


def app(name: str, *hosts: Host, vhost: str = "web.local", **tags: str) -> AppEndpoints:
    return AppEndpoints(name, f"{name}-1", vhost, tags, hosts)


ONE, TWO = Host("10.0.0.1", 31000, "http"), Host("10.0.0.2", 31000, "https")


def test_a_served_vhost_is_explained_by_apps_hosts_groups_and_tags() -> None:
    world = built(app("web", ONE), app("canary", TWO, color="green"), tag="color")
    assert explain(world, "web.local") == (
        "web.local should be served by 2 servers.",
        "Namespace stage, as reported by http://c1:4000:",
        "  app web-1: 1 of 1 host accepted, in host group web.local",
        "    http 10.0.0.1:31000",
        "  app canary-1: 1 of 1 host accepted, in host group green",
        "    https 10.0.0.2:31000",
        "    tags color=green",
        "Host groups by routing tag color:",
        "  green: 1 server",
        "  web.local (the default): 1 server",
        "A template sees the tags:",
        "  color = green",
    )


def test_what_was_left_out_is_explained_with_its_reason() -> None:
    world = built(app("web", ONE, Host("not a host", 1, "http")))
    lines = explain(world, "web.local")
    assert "  app web-1: 1 of 2 hosts accepted" in lines
    assert any("host 'not a host' left out" in line for line in lines)


def test_a_vhost_outside_the_realm_says_so() -> None:
    assert explain(built(app("web", ONE), realm="api.local"), "web.local") == (
        "web.local is not served.",
        "Namespace stage, as reported by http://c1:4000:",
        "  app web-1: left out, neither in realm (api.local) nor ending in realm_suffix (not set)",
    )


def test_a_vhost_without_instances_says_so() -> None:
    lines = explain(built(app("web")), "web.local")
    assert lines[-1] == "  app web-1: left out, it has no healthy instance"


def test_a_leader_vhost_says_who_leads() -> None:
    lines = explain(built(leader_vhost="drove.local"), "drove.local")
    assert lines[-1] == "It is the leader_vhost of namespace stage: http://c1:4000."


def test_a_vhost_that_is_not_listed_says_so() -> None:
    assert explain(built(app("web", ONE)), "nope.local") == (
        "nope.local is not served.",
        "No controller lists an app with this vhost.",
    )
