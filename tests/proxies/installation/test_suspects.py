"""What a proxy prints points to hosts, groups and vhosts, in the words of each proxy."""

import pytest

from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.proxies.installation.blame import Part
from drove_gateway.proxies.installation.suspects import Refusal, Suspect, clues, suspects

CONFIG = "/etc/proxy.conf"
TEXT = """\
upstream shop.example_blue {
    server gone.invalid:80;
    nonsense;
}
upstream api.example {
    server 10.0.0.2:80;
    balance wrong;
"""


def app(vhost: str, *hosts: str, group: str = "") -> App:
    listed = tuple(Host(host, 80, "http") for host in hosts)
    groups = {group or vhost: HostGroup(listed, {})}
    return App(vhost, vhost, listed, {}, groups, "")


TOPOLOGY = Topology(
    {
        "shop.example": app("shop.example", "10.0.0.1", "gone.invalid", group="blue"),
        "api.example": app("api.example", "10.0.0.2"),
        "web": app("web", "gone.invalid"),
    },
    {"main": Namespace("drove.example", Leader("http://x", "leader.invalid", 80), "")},
)


def pointed(output: str) -> list[Suspect]:
    return list(suspects(Refusal("refused", output, TEXT, CONFIG), TOPOLOGY))


def parts(output: str) -> list[str]:
    return [str(suspect.part) for suspect in pointed(output)]


@pytest.mark.parametrize(
    "output",
    [
        f'nginx: [emerg] host not found in upstream "gone.invalid:80" in {CONFIG}:2',
        f"[ALERT] (7) : config : [{CONFIG}:2] : 'server s' : could not resolve 'gone.invalid'.",
    ],
)
def test_a_host_that_is_named_is_suspected_wherever_it_is_listed(output: str) -> None:
    assert parts(output) == ["shop.example", "web"]
    assert {suspect.hosts for suspect in pointed(output)} == {frozenset({"gone.invalid"})}


def test_a_leaders_host_points_to_its_namespace() -> None:
    output = f'[emerg] host not found in upstream "leader.invalid" in {CONFIG}:1'
    assert parts(output) == ["namespace main"]


def test_a_line_points_to_the_last_vhost_that_was_named_before_it() -> None:
    assert parts(f'[emerg] unknown directive "balance" in {CONFIG}:7') == ["api.example"]


def test_a_group_that_the_line_names_is_suspected_with_its_vhost() -> None:
    (suspect,) = pointed(f'[emerg] duplicate upstream "shop.example_blue" in {CONFIG}:1')
    assert suspect.part == Part("vhost", "shop.example")
    assert suspect.groups == {"blue"}


def test_every_message_is_followed() -> None:
    output = f"[{CONFIG}:3] : wrong\n[{CONFIG}:7] : wrong\nFatal errors found.\n"
    assert parts(output) == ["shop.example", "api.example"]


@pytest.mark.parametrize(
    "output", ["", "no such certificate", f"{CONFIG}:0: x", f"{CONFIG}:999: x", "\0" * 9]
)
def test_messages_without_a_name_or_line_point_to_nothing(output: str) -> None:
    assert pointed(output) == []


def test_a_message_at_another_line_is_the_same_clue() -> None:
    first, second = (Refusal("", f'invalid "x" in {CONFIG}:{line}') for line in (3, 14))
    assert clues(first) == clues(second)
