"""What needs a reload and what does not; the settings behind names and drains."""

import msgspec
import pytest
from tests.proxies.haproxy.gateway import app, grouped, topology
from tests.traffic import Instance

from drove_gateway.config import Settings
from drove_gateway.model.vocabulary import Host, Leader, Topology
from drove_gateway.proxies.haproxy.names import Naming, balanced
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.proxies.runtime.desired import drain_seconds
from drove_gateway.proxies.runtime.rules import runtime_rules
from drove_gateway.proxies.runtime.structure import structural_changes

NAMING = Naming()


def instance(port: int) -> Instance:
    created = Instance(host="10.0.0.1")
    created.port = port
    return created


A = app("a.example", [instance(1)])
B = app("b.example", [instance(2)])
GROUPED = grouped("g.example", {"g.example": [instance(1)]})


def led(leader_vhost: str, host: str) -> Topology:
    made = topology(A, leader=Leader(f"http://{host}:10000", host, 10000))
    namespace = msgspec.structs.replace(made.namespaces["test"], leader_vhost=leader_vhost)
    return msgspec.structs.replace(made, namespaces={"test": namespace})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (topology(A), topology(A), ()),
        (topology(A), topology(app("a.example", [instance(3)])), ()),
        (topology(A), topology(app("a.example", [instance(1)], tier="gold")), ()),
        (topology(A), topology(A, B), ("vhost b.example added",)),
        (topology(A, B), topology(B), ("vhost a.example removed",)),
        (
            topology(GROUPED),
            topology(grouped("g.example", {"blue": [instance(1)]})),
            ("backend g.example_blue added", "backend g.example_g.example removed"),
        ),
        (topology(GROUPED), topology(grouped("g.example", {"g.example": [instance(9)]})), ()),
        (led("", "one"), led("", "two"), ()),
        (led("drove.example", "one"), led("drove.example", "one"), ()),
        (
            led("drove.example", "one"),
            led("drove.example", "two"),
            ("leader of namespace test moved",),
        ),
    ],
)
def test_only_vhosts_backends_and_shown_leaders_need_a_reload(
    old: Topology, new: Topology, expected: tuple[str, ...]
) -> None:
    assert structural_changes(old, new, NAMING.backends) == expected


def test_another_protocol_needs_a_reload_where_the_configuration_names_it() -> None:
    hosts = (Host("10.0.0.1", 1, "https"),)
    group = msgspec.structs.replace(A.groups["a.example"], hosts=hosts)
    secure = msgspec.structs.replace(A, hosts=hosts, groups={"a.example": group})
    old, new = topology(A), topology(secure)
    assert structural_changes(old, new, NAMING.backends) == ()
    assert structural_changes(old, new, NAMING.backends, one_protocol=True) == (
        "vhost a.example changed from http to https",
    )


def test_groups_need_no_reload_where_names_do_not_have_them() -> None:
    new = topology(grouped("g.example", {"g.example": [instance(1)], "blue": [instance(2)]}))
    assert (
        structural_changes(topology(GROUPED), new, Naming(routing_tag_suffix=False).backends) == ()
    )


def test_many_reasons_are_cut_short() -> None:
    many = topology(*(app(f"v{n}.example", [instance(1)]) for n in range(100)))
    found = structural_changes(topology(), many, NAMING.backends)
    assert len(found) == 21
    assert found[-1] == "and 80 more changes"


def test_backends_are_named_by_vhost_or_by_vhost_and_group() -> None:
    assert list(NAMING.backends(A)) == ["a.example"]
    assert list(NAMING.backends(GROUPED)) == ["g.example_g.example"]
    assert list(Naming(backend_separator="-").backends(GROUPED)) == ["g.example-g.example"]
    assert list(Naming(routing_tag_suffix=False).backends(GROUPED)) == ["g.example"]


def test_other_port_types_than_http_and_https_are_left_to_the_template() -> None:
    http, tcp = Host("10.0.0.1", 1, "http"), Host("10.0.0.1", 2, "tcp")
    assert balanced((http, Host("10.0.0.1", 2, "https")))
    assert not balanced((http, tcp))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-1", 30.0),
        ("soon", 30.0),
        ("inf", 30.0),
        ("nan", 30.0),
        ("", 30.0),
        ("1e3", 30.0),
        ("\u0663", 30.0),
        ("90", 90.0),
    ],
)
def test_a_tag_may_say_how_long_a_vhost_drains(value: str, seconds: float) -> None:
    assert drain_seconds({"drain": value}, "drain", 30.0) == seconds
    assert drain_seconds({}, "drain", 30.0) == 30.0
    assert drain_seconds({"": value}, "", 30.0) == 30.0


def test_the_settings_become_options_and_rules() -> None:
    settings = Settings.model_validate(
        {
            "haproxy_server_name_prefix": "drove",
            "haproxy_add_server_attributes_string": "check  inter 1s",
            "drain_timeout_sec": 5.0,
        }
    )
    made = options(settings)
    assert made.naming.server(Host("10.0.0.1", 80, "http")) == "drove_10.0.0.1_80"
    assert made.attributes_for(https=True) == "check inter 1s ssl verify none"
    assert made.probes
    assert runtime_rules(settings).drain_timeout == 5.0
