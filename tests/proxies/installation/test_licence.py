"""Refused vhosts may be left out unless the present file serves them."""

import pytest

from drove_gateway.model.vocabulary import App, Host, Leader, Namespace, Topology
from drove_gateway.proxies.installation.licence import may_leave_out, names_lost

HOST = Host("10.0.0.1", 80, "http")


def topology(*vhosts: str, leader: str = "") -> Topology:
    apps = {vhost: App(vhost, vhost, (HOST,), {}, {}, "") for vhost in vhosts}
    return Topology(apps, {"n": Namespace(leader, Leader("http://x", "x", 80), "")})


@pytest.mark.parametrize(
    "present",
    [
        "server_name b.example;",
        "backend B.Example from drove",
        "backend b.example_blue",
        'map "b.example blue" x;',
        "acl b hdr(host) -i a.example b.example:8080",
    ],
)
def test_a_vhost_that_the_present_file_names_may_not_be_lost(present: str) -> None:
    desired, remaining = topology("a.example", "b.example"), topology("a.example")

    assert names_lost(present, desired, remaining) == ("b.example",)
    assert not may_leave_out(present, desired, remaining)


@pytest.mark.parametrize(
    "present",
    [
        "",
        "server_name a.example;",
        "server_name ab.example b.example.org x.b.example sub-b.example",
    ],
)
def test_a_vhost_that_the_present_file_does_not_name_may_be_left_out(present: str) -> None:
    assert may_leave_out(present, topology("a.example", "b.example"), topology("a.example"))


def test_a_leaders_vhost_counts_as_well() -> None:
    desired, remaining = topology("a", leader="Drove.example"), topology("a")

    assert names_lost("server_name drove.example;", desired, remaining) == ("drove.example",)


def test_not_every_vhost_may_be_left_out() -> None:
    assert not may_leave_out("", topology("a", "b"), topology())
    assert may_leave_out("", topology(), topology())
