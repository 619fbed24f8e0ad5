"""Upstreams as text in the shared dictionary."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules

_MODULES = Modules()
_RUN = """
return function(upstream)
    local record, json = require("drove_gateway.record"), require("drove_gateway.json")
    return record.decode(record.encode(upstream))
end
"""

_numbers = st.integers(1, 65535)
_flags = st.just(True)
_servers = st.fixed_dictionaries(
    {"id": st.integers(0, 10**9), "server": st.sampled_from(["10.0.0.1:80", "unix:/a", "[::1]:1"])},
    optional={
        "since": st.one_of(st.integers(0, 2 * 10**12), st.just(1795806886123.5)),
        **dict.fromkeys(
            ["weight", "max_conns", "max_fails", "fail_timeout", "slow_start"], _numbers
        ),
        **dict.fromkeys(["backup", "down", "drain"], _flags),
    },
)
_upstreams = st.fixed_dictionaries(
    {
        "epoch": st.integers(0, 2**52),
        "next": st.integers(0, 10**9),
        "servers": st.lists(_servers, max_size=4),
    },
    optional={"method": st.just("least_conn"), "routed": _flags},
)


@given(_upstreams)
def test_an_upstream_is_read_as_it_was_written(upstream: dict[str, Any]) -> None:
    assert _MODULES.run(_RUN, upstream) == upstream
