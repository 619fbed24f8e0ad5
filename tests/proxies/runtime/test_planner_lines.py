"""Servers are added as the text of the configuration has them."""

import msgspec
import pytest
from tests.proxies.runtime.planner_bench import CHECKED, HAPROXY, Seen, name, up, wanted
from tests.proxies.runtime.test_planner import ADD, PROBE

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.planner import changes
from drove_gateway.proxies.runtime.servers import DesiredBackend, WrittenServer


@pytest.mark.parametrize("there", [[], [up(9)]], ids=["an empty backend", "a backend that serves"])
@pytest.mark.parametrize("checked", [False, True], ids=["no check", "check"])
@pytest.mark.parametrize("abilities", [HAPROXY, CHECKED], ids=["plain settings", "with check"])
def test_a_server_is_added_as_its_line_has_it(
    abilities: Abilities, checked: bool, there: list[Seen]
) -> None:
    """The line, not the settings, says whether its first check comes before traffic."""
    line = WrittenServer("weight 7", checked=checked)
    backend = DesiredBackend("b", "v", (wanted(1, abilities), wanted(9, abilities)))
    observed = [seen.observed(abilities) for seen in there]
    written = {name(1, abilities): line}
    change = changes(backend, observed, {}, abilities, written)[0]
    assert (change.name, change.options) == (name(1, abilities), "weight 7")
    assert change.action is (PROBE if checked and there else ADD)


def test_a_server_that_uses_tls_now_is_not_added_as_its_old_line_has_it() -> None:
    server = msgspec.structs.replace(wanted(1, HAPROXY), tls=True)
    written = {server.name: WrittenServer("weight 7")}
    backend = DesiredBackend("b", "v", (server,))
    (change,) = changes(backend, [], {}, HAPROXY, written)
    assert change.options is None
