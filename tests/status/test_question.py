"""What a person asks about, in the forms in which it is at hand at night."""

import time

import pytest
from tests.admin.statuses import serving

from drove_gateway.model.about import About
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.status.question import similar, subject_of
from drove_gateway.status.status import Status
from drove_gateway.status.suggestion import nearest
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import parse_rules


def built(*apps: AppEndpoints) -> TopologyBuild:
    if not apps:
        return serving(Status(About("1.0"), 0.0, {}, "lb1")).built
    snapshot = Snapshot("stage", Leader("http://c1"), apps)
    return build({"stage": snapshot}, [parse_rules("stage", "", "", "", "")])


@pytest.mark.parametrize(
    "question",
    ["a.local", " A.Local. ", "http://a.local/cart?x=1", "https://a.local:8443/", "a.local:80"],
)
def test_a_vhost_is_understood_by_name_and_by_url(question: str) -> None:
    assert subject_of(built(), question).vhosts == ("a.local",)


def test_an_app_is_understood_by_its_name_and_by_its_id() -> None:
    assert subject_of(built(), "b").vhosts == ("b.local",)
    assert subject_of(built(), "b-1").understood == "app b-1"
    assert subject_of(built(), "B").vhosts == ("b.local",)


def test_an_instance_stands_for_every_vhost_that_lists_it() -> None:
    assert subject_of(built(), "10.0.0.1:8080").vhosts == ("a.local", "b.local", "c;local")
    assert subject_of(built(), "10.0.0.1:8080").understood == "instance 10.0.0.1:8080"


def test_an_instance_with_an_ipv6_address_is_understood() -> None:
    app = AppEndpoints("web", "web-1", "web.local", {}, (Host("2001:db8::1", 80, "http"),))

    assert subject_of(built(app), "[2001:DB8::1]:80").vhosts == ("web.local",)


@pytest.mark.parametrize(
    ("wildcard", "host"),
    [
        ("*.example.com", "shop.example.com"),
        ("*.example.com", "eu.shop.example.com"),
        (".example.com", "shop.example.com"),
        (".example.com", "example.com"),
    ],
)
def test_a_host_of_a_wildcard_vhost_is_explained_by_the_wildcard(wildcard: str, host: str) -> None:
    app = AppEndpoints("web", "web-1", wildcard, {}, (Host("10.0.0.1", 80, "http"),))
    snapshot = Snapshot("stage", Leader("http://c1"), (app,))

    rules = [parse_rules("stage", "", "", "", "", Naming(wildcards=True))]
    found = subject_of(build({"stage": snapshot}, rules), f"http://{host}/")

    assert found.vhosts == (wildcard,)


@pytest.mark.parametrize("question", ["nope.local", "http://[", "::::", "a b c", "x" * 1000, "//"])
def test_anything_else_is_taken_for_an_unknown_vhost(question: str) -> None:
    (vhost,) = subject_of(built(), question).vhosts

    assert vhost not in built().topology.apps


@pytest.mark.parametrize(
    ("name", "meant"),
    [("app1", "app1.local"), ("appl1.local", "app1.local"), ("hop", "shop"), ("", ""), ("xyz", "")],
)
def test_a_vhost_that_begins_with_the_name_or_a_similar_name_is_suggested(
    name: str, meant: str
) -> None:
    hosts = (Host("10.0.0.1", 80, "http"),)
    apps = [
        AppEndpoints("one", "one-1", "app1.local", {}, hosts),
        AppEndpoints("ten", "ten-1", "app10.local", {}, hosts),
        AppEndpoints("shop", "shop-1", "buy.example.com", {}, hosts),
    ]

    assert similar(built(*apps), name) == meant


@pytest.mark.parametrize("question", ["127.0.0.1:1", "[2001:db8::1]:80", "http://10.9.9.9:8080/x"])
def test_an_address_with_a_port_that_no_app_lists_is_about_no_vhost(question: str) -> None:
    subject = subject_of(built(), question)

    assert subject.vhosts == ()
    assert subject.understood.startswith("instance ")
    assert subject.understood.endswith(", which no app lists")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("vhost-0500.example.con", "vhost-0500.example.com"),
        ("hvost-0500.example.com", "vhost-0500.example.com"),
        ("vhost_0500_example_com", ""),
        ("x" * 253, ""),
    ],
)
def test_suggestions_among_100_000_vhosts_compare_few(name: str, meant: str) -> None:
    vhosts = {f"vhost-{number:04}.example.com" for number in range(100_000)}
    begin = time.process_time()

    found = nearest(name, vhosts, ())

    assert not meant or found == meant
    assert time.process_time() - begin < 0.5
