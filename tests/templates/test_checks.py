"""Whatever a topology holds, the real proxy's check takes what the shipped templates make of it."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.templates.serving import Shipped, app, topology

from drove_gateway.config import Settings
from drove_gateway.model.vocabulary import EMPTY, App, Host, Topology
from drove_gateway.proxies.installation.subprocess_runner import run

PLAIN = Host("10.0.0.1", 31000, "http")
SIX = Host("2001:db8::1", 31000, "http")
NAMED = Host("localhost", 31000, "http")
TLS = Host("10.0.0.2", 31443, "https")
TCP, UDP = Host("10.0.0.3", 31025, "tcp"), Host("10.0.0.3", 31053, "udp")
LONG = ".".join(["a" * 63] * 3 + ["b" * 61])


async def refusal(shipped: Shipped) -> str:
    """What the proxy's check has against the written file, empty when nothing."""
    finished = await run(shipped.check, timeout=30)
    return "" if finished.exit_code == 0 else finished.output


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param(EMPTY, id="nothing at all"),
        pytest.param(topology(), id="no apps"),
        pytest.param(topology(app("web.example.com", PLAIN)), id="one app"),
        pytest.param(topology(app("web.example.com", PLAIN, SIX, NAMED)), id="IPv6 and names"),
        pytest.param(topology(app("web.example.com", TLS)), id="https"),
        pytest.param(topology(app("web.example.com", PLAIN, TLS)), id="http and https"),
        pytest.param(topology(app("raw.example.com", TCP, UDP)), id="neither http nor https"),
        pytest.param(topology(app("web.example.com", PLAIN, TCP)), id="http and others"),
        pytest.param(topology(app("localhost", PLAIN), app("a_b", PLAIN)), id="odd vhosts"),
        pytest.param(topology(app(LONG, PLAIN)), id="the longest vhost"),
        pytest.param(
            topology(app("web.example.com", PLAIN, tag="colour", blue=(SIX,), green=(TLS,))),
            id="groups",
        ),
        pytest.param(
            topology(app("web.example.com", tag="colour", blue=(PLAIN,))),
            id="a group and no default",
        ),
        pytest.param(
            topology(app("web.example.com", PLAIN, tag="colour", blue=(TCP,))),
            id="a group of neither http nor https",
        ),
        pytest.param(
            topology(app("web.example.com", PLAIN, tag="colour", **{"a:b.c-d_e" * 14: (SIX,)})),
            id="an odd and long group",
        ),
        pytest.param(
            topology(
                app("*.example.com", PLAIN, tag="colour", blue=(SIX,)),
                app(".a_b.example.com", TLS),
                app("web.example.com", PLAIN),
                app(f"*.{LONG[2:]}", PLAIN),
                leader="Drove.example.com",
            ),
            id="wildcards",
        ),
        pytest.param(topology(leader="Drove.example.com"), id="leader"),
        pytest.param(
            topology(leader="drove.local", endpoint="https://10.9.0.1:4000"), id="TLS leader"
        ),
        pytest.param(
            topology(leader="drove.local", endpoint="http://[::1]:4000"), id="IPv6 leader"
        ),
    ],
)
async def test_the_check_passes(shipped: Shipped, desired: Topology) -> None:
    await shipped.write(desired)
    assert await refusal(shipped) == ""


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"nginx_max_fails": 3, "nginx_fail_timeout": "10s"}, id="NGINX's limits"),
        pytest.param(
            {"haproxy_add_server_attributes_string": "check inter 2s"}, id="server attributes"
        ),
        pytest.param({"haproxy_server_name_prefix": "s"}, id="server prefix"),
        pytest.param({"haproxy_backend_include_routing_tag_suffix": False}, id="no suffix"),
        pytest.param({"haproxy_backend_name_separator": ":"}, id="separator"),
        pytest.param({"haproxysocketaddr": "/tmp/none.sock"}, id="runtime API"),
        pytest.param({"haproxysocketaddr": "ipv4@127.0.0.1:19999"}, id="runtime API over TCP"),
    ],
)
async def test_the_check_passes_whatever_the_settings(
    shipped: Shipped, changed: dict[str, str | int | bool]
) -> None:
    platform = "nginx" if shipped.nginx else "haproxy"
    desired = topology(
        app("web.example.com", PLAIN, tag="colour", blue=(SIX, TLS)), leader="l.local"
    )
    await shipped.write(desired, Settings.model_validate({"proxy_platform": platform, **changed}))
    assert await refusal(shipped) == ""


LABELS = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=8)
VHOSTS = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
HOSTS = st.builds(
    Host,
    st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "localhost"]),
    st.integers(1, 65535),
    st.sampled_from(["http", "https", "tcp", "udp"]),
)
GROUPS = st.lists(
    st.text(string.ascii_lowercase + string.digits + "_.:-", min_size=1, max_size=9),
    max_size=2,
    unique=True,
)


def _address(host: Host) -> tuple[str, int]:
    return host.host, host.port


@st.composite
def apps(draw: st.DrawFn) -> App:
    """An app as it is after validation: each host and port once, whatever the group."""
    hosts = draw(st.lists(HOSTS, max_size=7, unique_by=_address))
    own, others = hosts[:3], hosts[3:]
    members = {name: tuple(others[n::2]) for n, name in enumerate(draw(GROUPS))}
    groups = {name: found for name, found in members.items() if found}
    return app(draw(VHOSTS), *own, tag="colour", **groups)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(apps(), max_size=5, unique_by=lambda candidate: candidate.vhost))
async def test_the_check_passes_for_any_valid_topology(shipped: Shipped, many: list[App]) -> None:
    desired = topology(*(candidate for candidate in many if candidate.hosts), leader="leader.local")
    text = await shipped.write(desired)
    assert await refusal(shipped) == "", text
