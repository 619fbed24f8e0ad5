"""Data that templates are compared on: the names say what is in a place.

`S` text, `N` integer, `F` float, `B` truth value, `L` list, `I` list of integers, `T` list of
texts, `M` map, `D` map of text to text (`map[string]string`), `H` list of hosts, `Z` nil.
"""

from typing import Any

from hypothesis import strategies as st

from drove_gateway.gotemplate.go.values import StringMap
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)

TEXTS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "abc",
        " x ",
        "a,b,c",
        "10.0.0.1",
        "2001:db8::1",
        "http",
        "é日",
        "<&'\">",
        "%d",
        "\t",
    ]
) | st.text(max_size=5)
# Go ranges over an integer as long as it takes: large ones are negative.
INTEGERS = st.sampled_from([0, 1, 2, 3, -1, 7, 65]) | st.integers(-(2**63), 100)
FLOATS = st.sampled_from([0.0, 1.0, 2.5, -0.5, 1e6, 1e21, 1e-7, 3.0]) | st.floats()
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS
KEYS = st.sampled_from(["a", "b", "key", "é", "B", "", "S", "N"])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
STRING_MAPS = st.dictionaries(KEYS, TEXTS, max_size=3)

HOSTS = st.builds(
    Host,
    host=st.sampled_from(["10.0.0.1", "db.local", "2001:db8::1"]),
    port=st.sampled_from([0, 80, 443]),
    port_type=st.sampled_from(["http", "https", "tcp"]),
)
_HOST_LISTS = st.lists(HOSTS, max_size=3).map(tuple)
_GROUPS = st.builds(HostGroup, hosts=_HOST_LISTS, tags=STRING_MAPS)
APPS = st.builds(
    App,
    id=st.sampled_from(["a.example.com", "b"]),
    vhost=st.sampled_from(["a.example.com", "b"]),
    hosts=_HOST_LISTS,
    tags=STRING_MAPS,
    groups=st.dictionaries(st.sampled_from(["blue", "green"]), _GROUPS, max_size=2),
    routing_tag_key=st.sampled_from(["", "color"]),
)
_LEADERS = st.builds(Leader, endpoint=TEXTS, host=TEXTS, port=st.sampled_from([0, 400]))
_NAMESPACES = st.builds(
    Namespace, leader_vhost=st.sampled_from(["", "d.local"]), leader=_LEADERS, routing_tag=TEXTS
)

TOPOLOGIES: st.SearchStrategy[Topology] = st.builds(
    Topology,
    apps=st.dictionaries(st.sampled_from(["a.example.com", "b", "c"]), APPS, max_size=3),
    namespaces=st.dictionaries(st.sampled_from(["one", "two"]), _NAMESPACES, max_size=2),
)

MAPS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "S": TEXTS,
        "N": INTEGERS,
        "F": FLOATS,
        "B": st.booleans(),
        "L": st.lists(ANYTHING, max_size=3),
        "I": st.lists(INTEGERS, max_size=4),
        "T": st.lists(TEXTS, max_size=3),
        "M": st.dictionaries(KEYS, ANYTHING, max_size=4),
        "D": STRING_MAPS.map(StringMap),
        "H": _HOST_LISTS,
        "Z": st.none(),
        "A": ANYTHING,
    }
)
