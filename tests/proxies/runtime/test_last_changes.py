"""Since when a server is as it is, where the proxy does not tell."""

import pytest

from drove_gateway.proxies.runtime.ledger import Ledger
from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer, Result

SERVES = ObservedServer("s")


def carry_out(ledger: Ledger, action: Action, now: float, *, name: str = "s") -> None:
    change = Change(action, "b", name, "why")
    ledger.begin(change, now)
    ledger.end(change, Result(), SERVES, now)


def test_the_last_change_of_a_server_is_remembered() -> None:
    ledger = Ledger()
    carry_out(ledger, Action.ADD, 100.0)
    carry_out(ledger, Action.UPDATE, 130.0)

    assert ledger.changed("b", "s") == 130.0
    assert ledger.changed("b", "other") is None
    assert ledger.changed("other", "s") is None


@pytest.mark.parametrize("state", ["refused", "outdated", "busy"])
def test_what_was_not_done_is_not_a_change(state: str) -> None:
    ledger, change = Ledger(), Change(Action.DRAIN, "b", "s", "why")
    ledger.begin(change, 100.0)
    ledger.end(change, Result(state), SERVES, 100.0)  # type: ignore[arg-type]

    assert ledger.changed("b", "s") is None


def test_a_deleted_server_is_forgotten() -> None:
    ledger = Ledger()
    carry_out(ledger, Action.ADD, 100.0)
    carry_out(ledger, Action.DELETE, 130.0)

    assert ledger.changed("b", "s") is None


def test_only_the_servers_changed_last_are_remembered() -> None:
    ledger = Ledger()
    for number in range(20_001):
        carry_out(ledger, Action.ADD, float(number), name=f"s{number}")

    assert ledger.changed("b", "s0") is None
    assert ledger.changed("b", "s1") == 1.0
