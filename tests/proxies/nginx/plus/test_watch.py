"""What NGINX's identity tells."""

import pytest

from drove_gateway.proxies.nginx.plus.watch import replaced
from drove_gateway.proxies.nginx.plus.wire import Identity


@pytest.mark.parametrize(
    ("before", "now", "happened"),
    [
        ((3, 100), (3, 100), ""),
        ((3, 100), (4, 100), "NGINX was reloaded"),
        ((3, 100), (1, 200), "NGINX was restarted"),
        ((3, 100), (3, 200), "NGINX was restarted"),
        ((4, 100), (3, 100), ""),
    ],
    ids=["nothing", "reload", "restart", "restart to the same count", "an old worker answers"],
)
def test_what_happened(before: tuple[int, int], now: tuple[int, int], happened: str) -> None:
    old, new = (Identity(generation=loads, ppid=master) for loads, master in (before, now))
    assert replaced(old, new) == happened
