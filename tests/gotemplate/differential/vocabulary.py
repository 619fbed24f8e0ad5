"""The words that templates are made of, and what the data has where."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

TEXT = ["a", " ", "\n", "  x  ", "{", "}", "é", "-", "\t\n b"]
STRINGS = ['""', '"a"', '"b"', '"a,b"', '","', "`x`", '"é\\n\\""', '"%d"', '"key"', '"\\xff"']
INTEGERS = ["0", "1", "2", "-1", "3", "0x1F", "1_0", "'a'", "0b11", "0o17", "017", "1e2"]
FLOATS = ["1.5", "0.0", "-2.5", "1e3", "1e21", ".5", "0x1p4", "1e-7"]
ODD = ["nil", "true", "false", "1i", "2+3i", "'\\n'", "9223372036854775808", "1a", "$nope", "nope"]
FORMATS = [
    '"%d"', '"%v"', '"%s"', '"%q"', '"%5d|"', '"%-5s|"', '"%05.1f"', '"%x"', '"%v %v"', '"%T"',
    '"%[2]v %[1]v"', '"%t"', '"%!"', '"%#v"', '"%*d"', '"%+v"', '"%c%%"', '"%e"', '"%U"', '"%"',
]  # fmt: skip
COMMENTS = ["{{/* c */}}", "{{- /* c */ -}}", "{{/* */ -}}"]
AFTER = [
    ' | printf "%v"', " | len", " | html", " | print 1", " | not", " | tolower", " | js", " | eq 1",
]  # fmt: skip

Calls: TypeAlias = Sequence[str]

# By the kind of the result: a function, and the kinds of its arguments.
CALLS: Mapping[str, Calls] = {
    "string": [
        "printf format any", "printf format any any", "printf format int", "printf format float",
        "print any ...", "println any ...", "html any ...", "js string", "urlquery any ...",
        "slice string index", "slice string index index", "trim string string", "tolower string",
        "replace string string string integer", "hostport string int", "getenv string",
        "index strings string", "printf string any", "join texts string",
    ],
    "int": ["len string", "len list", "len map", "len any"],
    "bool": [
        "eq any any ...", "eq string string string", "eq int int", "ne string string", "ne any any",
        "lt int int", "lt string string", "le float float", "gt int int", "ge any any", "not any",
        "hasPrefix string string", "hasSuffix string string", "contains string string",
        "and bool bool", "or bool bool", "eq bool bool",
    ],
    "list": ["slice list index index", "split string string", "slice any index"],
    "texts": ["split string string"],
    "any": [
        "index list index", "index map string", "index any any", "and any any ...",
        "or any any ...", "call any", "join any string", "datetime", "slice string index index",
    ],
}  # fmt: skip


class Shape:
    """What a value has inside: names by the kind of what they hold, and the shapes of some."""

    def __init__(self, names: Mapping[str, str], shapes: Mapping[str, str] | None = None) -> None:
        self.names = {kind: list_.split() for kind, list_ in names.items()}
        self.shapes = shapes or {}


UNKNOWN = Shape({})

SHAPES: Mapping[str, Shape] = {
    "data": Shape(
        {
            "any": "S N F B L I T M D H Z A Nope M.a D.a A.b S.x Z.x",
            "string": "S D.a D.key S",
            "int": "N",
            "float": "F",
            "bool": "B",
            "list": "L I T H H",
            "map": "M D M",
            "strings": "D",
        },
        {"H": "host"},
    ),
    "topology": Shape(
        {
            "any": "Apps Namespaces Apps.b Apps.b.Hosts Namespaces.one.Leader Namespaces.x Apps.c",
            "map": "Apps Apps Namespaces Apps.b.Tags",
            "list": "Apps.b.Hosts",
            "strings": "Apps.b.Tags",
            "string": "Apps.b.Vhost",
        },
        {"Apps": "app", "Apps.b": "app", "Namespaces": "namespace", "Apps.b.Hosts": "host"},
    ),
    "app": Shape(
        {
            "any": "ID Vhost Hosts Tags Groups RoutingTagKey Nope Groups.blue.Hosts Tags.a",
            "string": "ID Vhost RoutingTagKey Tags.key",
            "list": "Hosts Hosts Groups.blue.Hosts",
            "map": "Tags Groups",
            "strings": "Tags",
        },
        {"Hosts": "host", "Groups": "group", "Groups.blue.Hosts": "host"},
    ),
    "group": Shape(
        {"any": "Hosts Tags", "list": "Hosts", "map": "Tags", "strings": "Tags"}, {"Hosts": "host"}
    ),
    "host": Shape({"any": "Host Port PortType", "string": "Host PortType", "int": "Port"}),
    "namespace": Shape(
        {
            "any": "LeaderVHost Leader RoutingTag Leader.Port",
            "string": "LeaderVHost RoutingTag Leader.Endpoint",
            "int": "Leader.Port",
        },
        {"Leader": "leader"},
    ),
    "leader": Shape(
        {"any": "Endpoint Host Port Nope", "string": "Endpoint Host", "int": "Port"},
    ),
}
