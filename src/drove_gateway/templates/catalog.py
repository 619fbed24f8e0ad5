"""What each variable and function of a template means, with an example: the reference's words.

Names and types are not repeated here, but for how a function is called: they are read off the code.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
)
from drove_gateway.proxies.installation.render import RenderingData


class Variable(NamedTuple):
    """`example` is a template; empty stands for the variable by itself."""

    meaning: str
    example: str = ""


class Call(NamedTuple):
    """`usage` names the arguments, the last with `…` where there may be more of it."""

    usage: str
    meaning: str
    example: str


class Place(NamedTuple):
    """Where in the data a struct is met: in words, and as a template around the examples."""

    title: str
    opening: str
    around: str
    variables: Mapping[str, Variable]


VARIABLES: Mapping[type[msgspec.Struct], Place] = {
    RenderingData: Place(
        "At the top",
        "What the dot is at the start of the template; `$` is it everywhere.",
        "{}",
        {
            "Apps": Variable(
                "All that is served, by vhost and in the order of the vhosts.",
                "{{range $vhost, $app := .Apps}}{{$vhost}} {{end}}",
            ),
            "Namespaces": Variable(
                "The Drove clusters of the configuration, by name.",
                "{{range $name, $namespace := .Namespaces}}{{$name}} {{end}}",
            ),
            "Generation": Variable(
                "The id of this configuration, a hash of its text: equal configurations have "
                "equal ids on every gateway. It serves to "
                "[prove a reload](../templates.md#proving-a-reload)."
            ),
            "Xproxy": Variable("`xproxy`, or the name of the host."),
            "ProxyPlatform": Variable("`proxy_platform`: `nginx` or `haproxy`."),
            "LeftDelimiter": Variable("`left_delimiter`; empty for `{{`."),
            "RightDelimiter": Variable("`right_delimiter`; empty for `}}`."),
            "NginxMaxFailsUpstream": Variable("`nginx_max_fails`."),
            "NginxFailTimeoutUpstream": Variable("`nginx_fail_timeout`."),
            "NginxSlowStartUpstream": Variable("`nginx_slow_start`."),
            "HaproxySocketAddr": Variable("`haproxysocketaddr`; empty without a runtime API."),
            "HaproxyAddServerAttributesString": Variable("`haproxy_add_server_attributes_string`."),
            "HaproxyAddServerSSLAttributesString": Variable(
                "`haproxy_add_server_ssl_attributes_string`, for servers of the port type `https`."
            ),
            "HaproxyServerNamePrefix": Variable("`haproxy_server_name_prefix`."),
            "HaproxyServerNameHostPortSeparator": Variable(
                "`haproxy_server_name_host_port_delimiter`."
            ),
            "HaproxyBackendNameSeparator": Variable("`haproxy_backend_name_separator`."),
            "HaproxyBackendIncludeRoutingTagSuffix": Variable(
                "`haproxy_backend_include_routing_tag_suffix`: whether backends are named with "
                "their group."
            ),
        },
    ),
    App: Place(
        "An app",
        "One vhost with all that serves it, merged from every app and namespace that names it.",
        '{{{{with index .Apps "api.example.com"}}}}{}{{{{end}}}}',
        {
            "ID": Variable("The vhost; the original's name for it."),
            "Vhost": Variable("The vhost, in lower case."),
            "Hosts": Variable(
                "All its instances.", "{{range .Hosts}}{{hostport .Host .Port}} {{end}}"
            ),
            "Tags": Variable(
                "The tags of the app in Drove; `index` of a missing one is empty.",
                '{{index .Tags "team"}}',
            ),
            "Groups": Variable(
                "Its hosts by the value of the routing tag, in lower case; those without it are in "
                "the group that is named like the vhost.",
                "{{range $name, $group := .Groups}}{{$name}}:{{len $group.Hosts}} {{end}}",
            ),
            "RoutingTagKey": Variable("`routing_tag` of its namespace."),
        },
    ),
    HostGroup: Place(
        "A group",
        "The hosts of a vhost that share a value of the routing tag.",
        '{{{{with index (index .Apps "api.example.com").Groups "canary"}}}}{}{{{{end}}}}',
        {
            "Hosts": Variable("Its instances.", "{{range .Hosts}}{{.Port}}{{end}}"),
            "Tags": Variable("The tags of the first app of the group.", "{{len .Tags}}"),
        },
    ),
    Host: Place(
        "A host",
        "Where one instance listens.",
        '{{{{with index (index .Apps "api.example.com").Hosts 0}}}}{}{{{{end}}}}',
        {
            "Host": Variable("Its name or address."),
            "Port": Variable("Its port."),
            "PortType": Variable("`http`, `https`, `tcp` or `udp`."),
        },
    ),
    Namespace: Place(
        "A namespace",
        "One Drove cluster.",
        "{{{{with .Namespaces.stage1}}}}{}{{{{end}}}}",
        {
            "LeaderVHost": Variable("`leader_vhost`; empty where none is configured."),
            "Leader": Variable("Who leads now.", "{{.Leader.Endpoint}}"),
            "RoutingTag": Variable("`routing_tag`."),
        },
    ),
    Leader: Place(
        "A leader",
        "The leading controller; empty texts and 0 while there is none.",
        "{{{{with .Namespaces.stage1.Leader}}}}{}{{{{end}}}}",
        {
            "Endpoint": Variable("Its URL, as configured."),
            "Host": Variable("The URL's host."),
            "Port": Variable("The URL's port, or that of its scheme."),
        },
    ),
}

GO: Mapping[str, Call] = {
    "and": Call(
        "and a b…",
        "The first argument that is false, else the last.",
        '{{and 1 "" 2 | printf "%q"}}',
    ),
    "or": Call("or a b…", "The first argument that is true, else the last.", '{{or "" "x" "y"}}'),
    "not": Call("not a", "Whether it is false: false, 0, nil or empty.", "{{not .LeftDelimiter}}"),
    "eq": Call(
        "eq a b…", "Whether the first equals one of the others.", '{{eq .ProxyPlatform "haproxy"}}'
    ),
    "ne": Call("ne a b", "Whether they differ.", '{{ne .ProxyPlatform "haproxy"}}'),
    "lt": Call("lt a b", "Whether a is less; texts by their bytes.", "{{lt 1 2}}"),
    "le": Call("le a b", "Whether a is less or equal.", "{{le 2 2}}"),
    "gt": Call("gt a b", "Whether a is greater.", "{{gt 1 2}}"),
    "ge": Call("ge a b", "Whether a is greater or equal.", '{{ge "b" "a"}}'),
    "len": Call("len a", "Bytes of a text, elements of a list or map.", "{{len .Apps}}"),
    "index": Call(
        "index a key…",
        "a[key], a[key][key] and so on; of a map without the key the zero value.",
        '{{(index .Apps "web.example.com").Vhost}}',
    ),
    "slice": Call("slice a bound…", "The part of a text or list.", '{{slice "gateway" 0 4}}'),
    "print": Call("print a…", "As text; a blank between two that are no texts.", "{{print 1 2}}"),
    "println": Call(
        "println a…", "As text, with blanks between and a line's end.", '{{println 1 "x" | len}}'
    ),
    "printf": Call("printf format a…", "As Go's `fmt.Sprintf`.", '{{printf "%04d %q" 42 "x"}}'),
    "html": Call("html a…", "As text, escaped for HTML.", '{{html "a<b"}}'),
    "js": Call("js a…", "As text, escaped for JavaScript.", '{{js "it\'s"}}'),
    "urlquery": Call("urlquery a…", "As text, escaped for a URL's query.", '{{urlquery "a b&c"}}'),
    "call": Call(
        "call function a…",
        "The result of a function that is a value. The gateway's data has none.",
        "",
    ),
}

GATEWAY: Mapping[str, Call] = {
    "hasPrefix": Call(
        "hasPrefix s prefix", "Whether it begins so.", '{{hasPrefix "api.example.com" "api."}}'
    ),
    "hasSuffix": Call(
        "hasSuffix s suffix", "Whether it ends so.", '{{hasSuffix "api.example.com" ".org"}}'
    ),
    "contains": Call("contains s part", "Whether the part occurs.", '{{contains "abc" "bc"}}'),
    "split": Call(
        "split s separator",
        "The parts between the separators; with an empty one, the characters.",
        '{{index (split "a,b,c" ",") 1}}',
    ),
    "join": Call(
        "join parts separator",
        "One text; takes what `split` gives.",
        '{{join (split "a.b" ".") "-"}}',
    ),
    "trim": Call(
        "trim s cutset", "Without these characters, singly, at both ends.", '{{trim "/a/b/" "/"}}'
    ),
    "replace": Call(
        "replace s old new n",
        "The first n replaced, all when n is -1.",
        '{{replace "2001:db8::1" ":" "_" -1}}',
    ),
    "tolower": Call("tolower s", "In lower case.", '{{tolower "API"}}'),
    "getenv": Call(
        "getenv name", "A variable of the gateway's environment, or empty.", '{{getenv "DC"}}'
    ),
    "datetime": Call(
        "datetime",
        "The time, see below. It makes each rendering a configuration of its own, so leave it out "
        "where you can.",
        '{{datetime.Format "2006-01-02"}}',
    ),
    "hostport": Call(
        "hostport host port",
        "`host:port`, with an IPv6 address in brackets.",
        '{{hostport "2001:db8::1" 80}}',
    ),
    "proxyAtLeast": Call(
        "proxyAtLeast version",
        "Whether the installed proxy is that version or newer; of an unknown one it is not.",
        '{{proxyAtLeast "2.8"}}',
    ),
}

TIME: Mapping[str, Call] = {
    "Format": Call(
        ".Format layout",
        "As text; the layout is Mon Jan 2 15:04:05 MST 2006, Go's reference time, your way.",
        '{{datetime.Format "Mon 15:04 MST"}}',
    ),
    "String": Call(".String", "As it prints by itself.", "{{datetime.UTC.String}}"),
    "GoString": Call(".GoString", "As Go's source.", "{{datetime.UTC.GoString}}"),
    "UTC": Call(".UTC", "The same moment in UTC.", '{{datetime.UTC.Format "15:04"}}'),
    "Local": Call(
        ".Local", "The same moment in the machine's zone.", '{{datetime.UTC.Local.Format "15:04"}}'
    ),
    "Location": Call(".Location", "The zone; it prints its name.", "{{datetime.UTC.Location}}"),
    "Unix": Call(".Unix", "Seconds since 1970.", "{{datetime.Unix}}"),
    "UnixMilli": Call(".UnixMilli", "Milliseconds since 1970.", "{{datetime.UnixMilli}}"),
    "UnixMicro": Call(".UnixMicro", "Microseconds since 1970.", "{{datetime.UnixMicro}}"),
    "UnixNano": Call(".UnixNano", "Nanoseconds since 1970.", "{{datetime.UnixNano}}"),
    "Year": Call(".Year", "The year.", "{{datetime.Year}}"),
    "Month": Call(".Month", "The month; it prints its name.", "{{datetime.Month}}"),
    "Day": Call(".Day", "The day of the month.", "{{datetime.Day}}"),
    "Hour": Call(".Hour", "0 to 23.", "{{datetime.Hour}}"),
    "Minute": Call(".Minute", "0 to 59.", "{{datetime.Minute}}"),
    "Second": Call(".Second", "0 to 59.", "{{datetime.Second}}"),
    "Nanosecond": Call(".Nanosecond", "Within the second.", "{{datetime.Nanosecond}}"),
    "Weekday": Call(".Weekday", "The day of the week; it prints its name.", "{{datetime.Weekday}}"),
    "YearDay": Call(".YearDay", "The day of the year, from 1.", "{{datetime.YearDay}}"),
    "IsDST": Call(".IsDST", "Whether summer time holds.", "{{datetime.IsDST}}"),
    "IsZero": Call(".IsZero", "Whether it is the year 1's beginning.", "{{datetime.IsZero}}"),
    "AddDate": Call(
        ".AddDate years months days", "So much later.", "{{(datetime.AddDate 0 0 1).Weekday}}"
    ),
    "Add": Call(
        ".Add duration",
        "A duration later, as `.Sub` gives one.",
        "{{(datetime.Add (datetime.Sub datetime)).Unix}}",
    ),
    "Sub": Call(
        ".Sub time",
        "The duration since that time.",
        "{{(datetime.AddDate 0 0 1).Sub datetime}}",
    ),
    "Round": Call(
        ".Round duration",
        "To the nearest multiple of it.",
        "{{(datetime.Round ((datetime.AddDate 0 0 1).Sub datetime)).Unix}}",
    ),
    "Truncate": Call(
        ".Truncate duration",
        "Down to a multiple of it.",
        "{{(datetime.Truncate ((datetime.AddDate 0 0 1).Sub datetime)).Unix}}",
    ),
    "Before": Call(".Before time", "Whether it is earlier.", "{{datetime.Before datetime}}"),
    "After": Call(".After time", "Whether it is later.", "{{datetime.After datetime}}"),
    "Equal": Call(
        ".Equal time", "Whether it is the same moment.", "{{datetime.Equal datetime.UTC}}"
    ),
    "Compare": Call(
        ".Compare time",
        "-1 when earlier, 0 when equal, 1 when later.",
        "{{datetime.Compare datetime}}",
    ),
}
