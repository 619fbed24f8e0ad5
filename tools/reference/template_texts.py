"""What each variable and function of a template means, with an example.

Names and types come from the code; only the arguments of a function are named here.
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
from drove_gateway.proxies.installation.template_data import RenderingData


class VariableDoc(NamedTuple):
    """A variable. `example` is a template; if empty, the variable alone is the example."""

    meaning: str
    example: str = ""


class FunctionDoc(NamedTuple):
    """A function. `usage` names the arguments; `…` marks a last argument that may be repeated."""

    usage: str
    meaning: str
    example: str


class StructDoc(NamedTuple):
    """A struct of the template's data. `around` is a template that selects it for the examples."""

    title: str
    opening: str
    around: str
    variables: Mapping[str, VariableDoc]


STRUCTS: Mapping[type[msgspec.Struct], StructDoc] = {
    RenderingData: StructDoc(
        "At the top",
        "The dot at the start of the template; `$` refers to it everywhere.",
        "{}",
        {
            "Apps": VariableDoc(
                "Everything that is served, by vhost, sorted by vhost.",
                "{{range $vhost, $app := .Apps}}{{$vhost}} {{end}}",
            ),
            "Namespaces": VariableDoc(
                "The Drove clusters of the configuration, by name.",
                "{{range $name, $namespace := .Namespaces}}{{$name}} {{end}}",
            ),
            "Generation": VariableDoc(
                "The id of this configuration, a hash of its text: equal configurations have "
                "equal ids on every gateway. It is used to "
                "[prove a reload](../templates.md#proving-a-reload)."
            ),
            "Vars": VariableDoc(
                "The values of the `[template]` table as text; an environment variable of the same "
                "name wins. `or` gives a default.",
                '{{or .Vars.PROXY_HTTP_PORT "80"}} {{or .Vars.CONNECT_TIMEOUT "2s"}}',
            ),
            "Xproxy": VariableDoc("`xproxy`, or the host name of the machine."),
            "ProxyPlatform": VariableDoc("`proxy_platform`: `nginx` or `haproxy`."),
            "LeftDelimiter": VariableDoc("`left_delimiter`, or `{{`."),
            "RightDelimiter": VariableDoc("`right_delimiter`, or `}}`."),
            "NginxMaxFailsUpstream": VariableDoc("`nginx_max_fails`."),
            "NginxFailTimeoutUpstream": VariableDoc("`nginx_fail_timeout`."),
            "NginxSlowStartUpstream": VariableDoc("`nginx_slow_start`."),
            "HaproxySocketAddr": VariableDoc("`haproxysocketaddr`; empty without a runtime API."),
            "HaproxyAddServerAttributesString": VariableDoc(
                "`haproxy_add_server_attributes_string`."
            ),
            "HaproxyAddServerSSLAttributesString": VariableDoc(
                "`haproxy_add_server_ssl_attributes_string`, for servers of the port type `https`."
            ),
            "HaproxyServerNamePrefix": VariableDoc("`haproxy_server_name_prefix`."),
            "HaproxyServerNameHostPortSeparator": VariableDoc(
                "`haproxy_server_name_host_port_delimiter`."
            ),
            "HaproxyBackendNameSeparator": VariableDoc("`haproxy_backend_name_separator`."),
            "HaproxyBackendIncludeRoutingTagSuffix": VariableDoc(
                "`haproxy_backend_include_routing_tag_suffix`: whether the names of backends "
                "include the host group."
            ),
        },
    ),
    App: StructDoc(
        "An app",
        "A vhost with everything that serves it, merged from all apps and namespaces that name it.",
        '{{{{with index .Apps "api.example.com"}}}}{}{{{{end}}}}',
        {
            "ID": VariableDoc("The vhost, under the original's name for it."),
            "Vhost": VariableDoc("The vhost, in lower case."),
            "Hosts": VariableDoc(
                "All its instances.", "{{range .Hosts}}{{hostport .Host .Port}} {{end}}"
            ),
            "Tags": VariableDoc(
                "The tags of the app in Drove; `index` of a missing tag is empty.",
                '{{index .Tags "team"}}',
            ),
            "Groups": VariableDoc(
                "Its hosts by the value of the routing tag, in lower case. Hosts without the tag "
                "are in the group named after the vhost.",
                "{{range $name, $group := .Groups}}{{$name}}:{{len $group.Hosts}} {{end}}",
            ),
            "RoutingTagKey": VariableDoc("`routing_tag` of its namespace."),
        },
    ),
    HostGroup: StructDoc(
        "A group",
        "The hosts of a vhost that share a value of the routing tag.",
        '{{{{with index (index .Apps "api.example.com").Groups "canary"}}}}{}{{{{end}}}}',
        {
            "Hosts": VariableDoc("Its instances.", "{{range .Hosts}}{{.Port}}{{end}}"),
            "Tags": VariableDoc("The tags of the first app of the group.", "{{len .Tags}}"),
        },
    ),
    Host: StructDoc(
        "A host",
        "The address of an instance.",
        '{{{{with index (index .Apps "api.example.com").Hosts 0}}}}{}{{{{end}}}}',
        {
            "Host": VariableDoc("Its host name or IP address."),
            "Port": VariableDoc("Its port."),
            "PortType": VariableDoc("`http`, `https`, `tcp` or `udp`."),
        },
    ),
    Namespace: StructDoc(
        "A namespace",
        "One Drove cluster.",
        "{{{{with .Namespaces.stage1}}}}{}{{{{end}}}}",
        {
            "LeaderVHost": VariableDoc("`leader_vhost`; empty if not configured."),
            "Leader": VariableDoc("The controller that leads now.", "{{.Leader.Endpoint}}"),
            "RoutingTag": VariableDoc("`routing_tag`."),
        },
    ),
    Leader: StructDoc(
        "A leader",
        "The leading controller; empty strings and 0 while no controller leads.",
        "{{{{with .Namespaces.stage1.Leader}}}}{}{{{{end}}}}",
        {
            "Endpoint": VariableDoc("Its URL, as configured."),
            "Host": VariableDoc("The URL's host."),
            "Port": VariableDoc("The URL's port, or the default port of its scheme."),
        },
    ),
}

GO_FUNCTIONS: Mapping[str, FunctionDoc] = {
    "and": FunctionDoc(
        "and a b…",
        "The first false argument, or the last argument if all are true.",
        '{{and 1 "" 2 | printf "%q"}}',
    ),
    "or": FunctionDoc(
        "or a b…",
        "The first true argument, or the last argument if all are false.",
        '{{or "" "x" "y"}}',
    ),
    "not": FunctionDoc(
        "not a",
        "Whether `a` is false: false, 0, nil or empty.",
        "{{not .HaproxyAddServerAttributesString}}",
    ),
    "eq": FunctionDoc(
        "eq a b…",
        "Whether the first argument equals any of the others.",
        '{{eq .ProxyPlatform "haproxy"}}',
    ),
    "ne": FunctionDoc("ne a b", "Whether `a` and `b` differ.", '{{ne .ProxyPlatform "haproxy"}}'),
    "lt": FunctionDoc(
        "lt a b", "Whether `a` is less than `b`; strings are compared by bytes.", "{{lt 1 2}}"
    ),
    "le": FunctionDoc("le a b", "Whether `a` is less than or equal to `b`.", "{{le 2 2}}"),
    "gt": FunctionDoc("gt a b", "Whether `a` is greater than `b`.", "{{gt 1 2}}"),
    "ge": FunctionDoc("ge a b", "Whether `a` is greater than or equal to `b`.", '{{ge "b" "a"}}'),
    "len": FunctionDoc(
        "len a", "Number of bytes of a string, or of elements of a list or map.", "{{len .Apps}}"
    ),
    "index": FunctionDoc(
        "index a key…",
        "`a[key]`, `a[key][key]` and so on. For a key that is not in the map: the zero value.",
        '{{(index .Apps "web.example.com").Vhost}}',
    ),
    "slice": FunctionDoc("slice a bound…", "Part of a string or list.", '{{slice "gateway" 0 4}}'),
    "print": FunctionDoc(
        "print a…",
        "The arguments as text, with a space between two that are not strings.",
        "{{print 1 2}}",
    ),
    "println": FunctionDoc(
        "println a…",
        "The arguments as text, with spaces between them and a newline at the end.",
        '{{println 1 "x" | len}}',
    ),
    "printf": FunctionDoc(
        "printf format a…", "Formats like Go's `fmt.Sprintf`.", '{{printf "%04d %q" 42 "x"}}'
    ),
    "html": FunctionDoc("html a…", "The arguments as text, escaped for HTML.", '{{html "a<b"}}'),
    "js": FunctionDoc("js a…", "The arguments as text, escaped for JavaScript.", '{{js "it\'s"}}'),
    "urlquery": FunctionDoc(
        "urlquery a…",
        "The arguments as text, escaped for the query of a URL.",
        '{{urlquery "a b&c"}}',
    ),
    "call": FunctionDoc(
        "call function a…",
        "Calls a function that is a value. The gateway's data contains none.",
        "",
    ),
}

GATEWAY_FUNCTIONS: Mapping[str, FunctionDoc] = {
    "hasPrefix": FunctionDoc(
        "hasPrefix s prefix",
        "Whether `s` begins with the prefix.",
        '{{hasPrefix "api.example.com" "api."}}',
    ),
    "hasSuffix": FunctionDoc(
        "hasSuffix s suffix",
        "Whether `s` ends with the suffix.",
        '{{hasSuffix "api.example.com" ".org"}}',
    ),
    "contains": FunctionDoc(
        "contains s part", "Whether `s` contains the part.", '{{contains "abc" "bc"}}'
    ),
    "split": FunctionDoc(
        "split s separator",
        "The parts between the separators; with an empty separator, the characters.",
        '{{index (split "a,b,c" ",") 1}}',
    ),
    "join": FunctionDoc(
        "join parts separator",
        "Joins the parts that `split` returns.",
        '{{join (split "a.b" ".") "-"}}',
    ),
    "trim": FunctionDoc(
        "trim s cutset",
        "`s` without any of the characters of `cutset` at both ends.",
        '{{trim "/a/b/" "/"}}',
    ),
    "replace": FunctionDoc(
        "replace s old new n",
        "`s` with the first `n` occurrences replaced; all of them if `n` is -1.",
        '{{replace "2001:db8::1" ":" "_" -1}}',
    ),
    "tolower": FunctionDoc("tolower s", "`s` in lower case.", '{{tolower "API"}}'),
    "getenv": FunctionDoc(
        "getenv name", "A variable of the gateway's environment, or empty.", '{{getenv "DC"}}'
    ),
    "datetime": FunctionDoc(
        "datetime",
        "The current time, see below. It makes every rendering a new configuration, so avoid it "
        "if you can.",
        '{{datetime.Format "2006-01-02"}}',
    ),
    "hostport": FunctionDoc(
        "hostport host port",
        "`host:port`, with brackets around an IPv6 address.",
        '{{hostport "2001:db8::1" 80}}',
    ),
    "proxyAtLeast": FunctionDoc(
        "proxyAtLeast version",
        "Whether the installed proxy has this version or a newer one; false if unknown.",
        '{{proxyAtLeast "2.8"}}',
    ),
    "hasIPv6": FunctionDoc("hasIPv6", "Whether the machine can listen on IPv6.", "{{hasIPv6}}"),
    "files": FunctionDoc(
        "files directory ending",
        "The names of the files in a directory that have this ending, sorted and without it, such "
        "as those of certificates. The template is rendered again when the cluster changes or a "
        "reload is requested, not when a file is added.",
        '{{range files "/etc/haproxy/certificates" ".pem"}}{{.}} {{end}}',
    ),
}

LUA_FUNCTIONS: Mapping[str, FunctionDoc] = {
    "luaBalancer": FunctionDoc(
        "luaBalancer generation apps",
        "Once in `http {}`, for NGINX with Lua: the balancer with the servers of all apps, as a "
        "list of texts. See [NGINX](../nginx.md).",
        "{{range luaBalancer .Generation .Apps}}{{.}}{{end}}",
    ),
    "luaUpstream": FunctionDoc(
        "luaUpstream name",
        "In `upstream {}`, instead of `server` lines: the vhost's servers, or with VHOST@GROUP "
        'those of a group. `"*"` stands for the vhost that a request names.',
        "{{luaUpstream .Vhost}}",
    ),
    "luaServer": FunctionDoc(
        "luaServer vhost",
        'In `server {}`: 404 once the vhost is removed, 503 while it has no servers. `"*"` is for '
        'the default server, which serves new vhosts until a reload, and `"$host"` for a server '
        "block that lists several vhosts.",
        "{{luaServer .Vhost}}",
    ),
}

TIME_METHODS: Mapping[str, FunctionDoc] = {
    "Format": FunctionDoc(
        ".Format layout",
        "The time as text. The layout shows Go's reference time, Mon Jan 2 15:04:05 MST 2006, in "
        "the desired format.",
        '{{datetime.Format "Mon 15:04 MST"}}',
    ),
    "String": FunctionDoc(
        ".String", "The time as it is printed by default.", "{{datetime.UTC.String}}"
    ),
    "GoString": FunctionDoc(
        ".GoString", "The time as Go source code.", "{{datetime.UTC.GoString}}"
    ),
    "UTC": FunctionDoc(".UTC", "The same moment in UTC.", '{{datetime.UTC.Format "15:04"}}'),
    "Local": FunctionDoc(
        ".Local",
        "The same moment in the machine's time zone.",
        '{{datetime.UTC.Local.Format "15:04"}}',
    ),
    "Location": FunctionDoc(
        ".Location", "The time zone; printed as its name.", "{{datetime.UTC.Location}}"
    ),
    "Unix": FunctionDoc(".Unix", "Seconds since 1970.", "{{datetime.Unix}}"),
    "UnixMilli": FunctionDoc(".UnixMilli", "Milliseconds since 1970.", "{{datetime.UnixMilli}}"),
    "UnixMicro": FunctionDoc(".UnixMicro", "Microseconds since 1970.", "{{datetime.UnixMicro}}"),
    "UnixNano": FunctionDoc(".UnixNano", "Nanoseconds since 1970.", "{{datetime.UnixNano}}"),
    "Year": FunctionDoc(".Year", "The year.", "{{datetime.Year}}"),
    "Month": FunctionDoc(".Month", "The month; printed as its name.", "{{datetime.Month}}"),
    "Day": FunctionDoc(".Day", "The day of the month.", "{{datetime.Day}}"),
    "Hour": FunctionDoc(".Hour", "0 to 23.", "{{datetime.Hour}}"),
    "Minute": FunctionDoc(".Minute", "0 to 59.", "{{datetime.Minute}}"),
    "Second": FunctionDoc(".Second", "0 to 59.", "{{datetime.Second}}"),
    "Nanosecond": FunctionDoc(
        ".Nanosecond", "Nanoseconds within the second.", "{{datetime.Nanosecond}}"
    ),
    "Weekday": FunctionDoc(
        ".Weekday", "The day of the week; printed as its name.", "{{datetime.Weekday}}"
    ),
    "YearDay": FunctionDoc(
        ".YearDay", "The day of the year, starting at 1.", "{{datetime.YearDay}}"
    ),
    "IsDST": FunctionDoc(
        ".IsDST", "Whether daylight saving time is in effect.", "{{datetime.IsDST}}"
    ),
    "IsZero": FunctionDoc(
        ".IsZero", "Whether this is the zero time, the beginning of year 1.", "{{datetime.IsZero}}"
    ),
    "AddDate": FunctionDoc(
        ".AddDate years months days",
        "The time that many years, months and days later.",
        "{{(datetime.AddDate 0 0 1).Weekday}}",
    ),
    "Add": FunctionDoc(
        ".Add duration",
        "The time later by a duration, as returned by `.Sub`.",
        "{{(datetime.Add (datetime.Sub datetime)).Unix}}",
    ),
    "Sub": FunctionDoc(
        ".Sub time",
        "The duration since the given time.",
        "{{(datetime.AddDate 0 0 1).Sub datetime}}",
    ),
    "Round": FunctionDoc(
        ".Round duration",
        "Rounded to the nearest multiple of the duration.",
        "{{(datetime.Round ((datetime.AddDate 0 0 1).Sub datetime)).Unix}}",
    ),
    "Truncate": FunctionDoc(
        ".Truncate duration",
        "Rounded down to a multiple of the duration.",
        "{{(datetime.Truncate ((datetime.AddDate 0 0 1).Sub datetime)).Unix}}",
    ),
    "Before": FunctionDoc(
        ".Before time", "Whether this time is earlier.", "{{datetime.Before datetime}}"
    ),
    "After": FunctionDoc(
        ".After time", "Whether this time is later.", "{{datetime.After datetime}}"
    ),
    "Equal": FunctionDoc(
        ".Equal time", "Whether both are the same moment.", "{{datetime.Equal datetime.UTC}}"
    ),
    "Compare": FunctionDoc(
        ".Compare time",
        "-1 if earlier, 0 if equal, 1 if later.",
        "{{datetime.Compare datetime}}",
    ),
}
