"""Which drained servers may go."""

import pytest

from drove_gateway.proxies.nginx.plus.drain import deletable
from drove_gateway.proxies.nginx.plus.wire import Peer

A = "10.0.0.1:80"
DRAINING = {A: 100.0}


@pytest.mark.parametrize(
    ("peer", "now", "goes"),
    [
        (Peer(0, A, state="draining", active=0), 50.0, True),
        (Peer(0, A, state="down", active=0), 50.0, True),
        (Peer(0, A, state="draining", active=1), 50.0, False),
        (Peer(0, A, state="draining", active=1), 100.0, True),
        (Peer(0, A, state="up", active=0), 50.0, False),
        (Peer(0, A, state="up", active=0), 100.0, True),
        (Peer(0, "10.0.0.2:80", state="draining", active=0), 200.0, False),
        (Peer(0, A, state="draining", active=0, backup=True), 200.0, False),
    ],
    ids=[
        "idle",
        "idle and down",
        "busy",
        "busy at its deadline",
        "idle but still taking requests",
        "taking requests at its deadline",
        "drained by somebody else",
        "a backup of the same address",
    ],
)
def test_deletable(peer: Peer, now: float, goes: bool) -> None:
    assert deletable([peer], DRAINING, now) == ((peer,) if goes else ())
