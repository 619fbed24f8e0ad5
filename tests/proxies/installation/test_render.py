"""Topology and settings to text: what a template sees, the generation's id, and where lines come
from.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.model.errors import RenderError
from drove_gateway.model.vocabulary import (
    EMPTY,
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.template_data import RenderingData, context

TYPED = json.loads((Path(__file__).parent / "data" / "typed-templates.json").read_text())
GO = ("{{", "}}")

# Every name that the original's templates may use at the top.
TOP = [
    "Xproxy",
    "ProxyPlatform",
    "LeftDelimiter",
    "RightDelimiter",
    "NginxMaxFailsUpstream",
    "NginxFailTimeoutUpstream",
    "NginxSlowStartUpstream",
    "HaproxySocketAddr",
    "HaproxyAddServerAttributesString",
    "HaproxyAddServerSSLAttributesString",
    "HaproxyServerNamePrefix",
    "HaproxyServerNameHostPortSeparator",
    "HaproxyBackendNameSeparator",
    "HaproxyBackendIncludeRoutingTagSuffix",
    "Namespaces",
    "Apps",
]


def typed_data() -> RenderingData:
    """What `context` makes of the settings and the topology that the typed cases are about."""
    data = TYPED["data"]
    apps = json.loads(json.dumps(data["Apps"]).replace('"Tags": null', '"Tags": {}'))
    settings = Settings(
        proxy_platform=data["ProxyPlatform"],
        left_delimiter=data["LeftDelimiter"],
        right_delimiter=data["RightDelimiter"],
        haproxysocketaddr=data["HaproxySocketAddr"],
        haproxy_add_server_attributes_string=data["HaproxyAddServerAttributesString"],
    )
    topology = Topology(
        apps=msgspec.convert(apps, dict[str, App]),
        namespaces=msgspec.convert(data["Namespaces"], dict[str, Namespace]),
    )
    return context(topology, settings, data["Xproxy"])


def compiled(source: str, delims: tuple[str, str] = GO) -> Template:
    functions = gateway_functions({}, lambda: GoTime(0, UTC))
    return Template(source, name="t", delims=delims, funcs=dict(functions))


def text(source: str, data: RenderingData | None = None) -> str:
    return render(compiled(source), data or context(EMPTY, Settings(), "lb1")).text


@pytest.mark.parametrize("case", TYPED["cases"], ids=lambda case: case["name"])
def test_the_data_renders_as_the_typed_structs_of_the_original(case: Mapping[str, Any]) -> None:
    if "error" in case:
        # Go names the package of a type, here there is none.
        with pytest.raises(RenderError, match=re.escape(case["message"].replace("main.", ""))):
            text(case["template"], typed_data())
        return
    expected = re.escape(case["want"])
    if "datetime" in case["template"]:
        expected = re.sub(r"(?<=Generated\\ )[^\n]*", ".*", expected, count=1)
    assert re.fullmatch(expected, text(case["template"], typed_data()))


@pytest.mark.parametrize("name", TOP)
def test_every_name_of_the_original_is_there(name: str) -> None:
    assert "<no value>" not in text(f"{{{{.{name}}}}}")


def test_settings_reach_the_template() -> None:
    settings = Settings(
        nginx_max_fails=3,
        nginx_fail_timeout="7s",
        nginx_slow_start="9s",
        haproxy_server_name_prefix="s",
        haproxy_server_name_host_port_delimiter="-",
        haproxy_backend_name_separator=":",
        haproxy_backend_include_routing_tag_suffix=False,
        haproxy_add_server_ssl_attributes_string="ssl verify required",
    )
    source = (
        "{{.Xproxy}} {{.ProxyPlatform}} {{.NginxMaxFailsUpstream}} {{.NginxFailTimeoutUpstream}} "
        "{{.NginxSlowStartUpstream}} {{.HaproxyServerNamePrefix}} "
        "{{.HaproxyServerNameHostPortSeparator}} {{.HaproxyBackendNameSeparator}} "
        "{{.HaproxyBackendIncludeRoutingTagSuffix}} {{.HaproxyAddServerSSLAttributesString}}"
    )
    expected = "lb1 nginx 3 7s 9s s - : false ssl verify required"
    assert text(source, context(EMPTY, settings, "lb1")) == expected


def test_the_topology_reaches_the_template() -> None:
    hosts = (Host("10.0.0.1", 80, "http"), Host("::1", 81, "https"))
    served = App("v", "v", hosts, {"a": "b"}, {"g": HostGroup(hosts[:1], {"c": "d"})}, "colour")
    leader = Namespace("drove.local", Leader("http://c1:4000", "c1", 4000), "colour")
    data = context(Topology({"v": served}, {"stage": leader}), Settings(), "lb1")
    source = (
        "{{range $vhost, $app := .Apps}}{{$vhost}} {{.ID}} {{.Vhost}} {{.RoutingTagKey}} "
        "{{.Tags.a}}{{range .Hosts}} {{.Host}}|{{.Port}}|{{.PortType}}{{end}}"
        "{{range $name, $group := .Groups}} {{$name}} {{len .Hosts}} {{.Tags.c}}{{end}}{{end}}\n"
        "{{range $name, $namespace := .Namespaces}}{{$name}} {{.LeaderVHost}} {{.RoutingTag}} "
        "{{.Leader.Endpoint}} {{.Leader.Host}} {{.Leader.Port}}{{end}}"
    )
    assert text(source, data) == (
        "v v v colour b 10.0.0.1|80|http ::1|81|https g 1 d\n"
        "stage drove.local colour http://c1:4000 c1 4000"
    )


def test_an_unknown_name_is_an_error_with_file_and_line() -> None:
    with pytest.raises(RenderError, match=r"template: t:2:.*can't evaluate field Nope"):
        text("first\n{{.Nope}}")


def test_the_generation_is_in_the_text() -> None:
    rendered = render(compiled("id {{.Generation}} end"), context(EMPTY, Settings(), "lb1"))
    assert rendered.text == f"id {rendered.generation} end"
    assert re.fullmatch("[0-9a-f]{16}", rendered.generation)


@given(st.text(max_size=30), st.text(max_size=30))
def test_equal_configurations_have_equal_generations_and_others_do_not(
    first: str, other: str
) -> None:
    def generation(xproxy: str) -> str:
        data = context(EMPTY, Settings(), xproxy)
        return render(compiled("{{.Generation}} {{.Xproxy}}"), data).generation

    assert generation(first) == generation(first)
    assert (generation(first) == generation(other)) is (first == other)


def with_servers(*ports: int, tags: Mapping[str, str] = {}) -> RenderingData:
    hosts = tuple(Host("10.0.0.1", port, "http") for port in ports)
    app = App("a.local", "a.local", hosts, tags, {"a.local": HostGroup(hosts, tags)}, "")
    return context(Topology(apps={"a.local": app}, namespaces={}), Settings(), "lb1")


def without_ports(text: str) -> str:
    return re.sub(r":\d+", "", text)


EACH_SERVER = "{{range .Apps}}{{.Vhost}}{{.Tags}}{{range .Hosts}}:{{.Port}}{{end}}{{end}}"


def test_a_generation_shows_that_only_servers_differ() -> None:
    source = compiled(EACH_SERVER)
    before = render(source, with_servers(1, 2), without_ports)
    after = render(source, with_servers(2, 3), without_ports)
    assert before.generation != after.generation
    assert after.is_except_for_runtime(before.generation)
    assert after.is_except_for_runtime(after.generation)


@pytest.mark.parametrize(
    ("source", "data"),
    [
        pytest.param(EACH_SERVER, with_servers(1, tags={"blue": "yes"}), id="tags"),
        pytest.param(EACH_SERVER + "\n", with_servers(1), id="the template"),
        pytest.param(EACH_SERVER, context(EMPTY, Settings(), "lb1"), id="vhosts"),
    ],
)
def test_a_generation_shows_that_more_than_servers_differs(
    source: str, data: RenderingData
) -> None:
    before = render(compiled(EACH_SERVER), with_servers(1), without_ports)
    after = render(compiled(source), data, without_ports)
    assert not after.is_except_for_runtime(before.generation)


def test_without_a_runtime_api_different_servers_are_a_difference() -> None:
    before = render(compiled(EACH_SERVER), with_servers(1))
    after = render(compiled(EACH_SERVER), with_servers(2))
    assert not after.is_except_for_runtime(before.generation)


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param("worker_processes 1;", None, id="none"),
        pytest.param(
            "# drove-gateway: generation http://127.0.0.1:6081/generation\n",
            "http://127.0.0.1:6081/generation",
            id="over http",
        ),
        pytest.param(
            "global\n  #drove-gateway: generation unix:/run/proof.sock:/generation",
            "unix:/run/proof.sock:/generation",
            id="over a socket, indented",
        ),
        pytest.param(
            '# drove-gateway: generation http://127.0.0.1:{{or "" "7"}}/',
            "http://127.0.0.1:7/",
            id="rendered",
        ),
        pytest.param("x # drove-gateway: generation http://a/", None, id="not a line of its own"),
        pytest.param("# drove-gateway: generation somewhere", None, id="not an address"),
    ],
)
def test_a_comment_says_where_the_generation_is_proved(source: str, url: str | None) -> None:
    assert render(compiled(source), context(EMPTY, Settings(), "lb1")).proof_url == url


SOURCE = """\
http {
    {{range .Apps}}
    upstream {{.Vhost}} {
        server {{hostport .Host .Port}} max_fails={{$.NginxMaxFailsUpstream}};
    }
    {{end}}
    return 404;
    listen {{.Xproxy}};
    {{.Whole}}
    listen {{.ProxyPlatform}};
}
"""


@pytest.mark.parametrize(
    ("line", "number"),
    [
        pytest.param("http {", 1, id="literal"),
        pytest.param("    upstream web.example.com {", 3, id="one value"),
        pytest.param("        server 10.0.0.1:80 max_fails=1;", 4, id="several values"),
        pytest.param("  return 404;", 7, id="another indentation"),
        pytest.param("    listen 80;", None, id="two lines match equally well"),
        pytest.param("no such line", None, id="no line"),
        pytest.param("", None, id="empty"),
        pytest.param("}", None, id="too little to tell"),
    ],
)
def test_the_templates_line_behind_a_rendered_line_is_found(line: str, number: int | None) -> None:
    assert TemplateSource("t", SOURCE, GO).line_of(line) == number


def test_the_templates_line_is_found_with_its_own_delimiters() -> None:
    source = SOURCE.replace("{{", "[[").replace("}}", "]]")
    assert TemplateSource("t", source, ("[[", "]]")).line_of("    upstream web.example.com {") == 3


def test_delimiters_are_printed_as_they_are_in_effect() -> None:
    """Unset, the original prints Go's."""
    source = "[[.LeftDelimiter]] [[.RightDelimiter]]"
    template = Template(source, delims=("[[", "]]"))
    assert template.render(context(EMPTY, Settings(), "lb1")) == "{{ }}"
    own = Settings(left_delimiter="[[")
    assert template.render(context(EMPTY, own, "lb1")) == "[[ }}"


def test_hostport_puts_an_ipv6_host_into_brackets_once() -> None:
    """In compiled code too, which has its own form of the function."""
    hosts = tuple(Host(name, 80, "http") for name in ("::1", "[::1]", "10.0.0.1"))
    app = App("a", "a", hosts, {}, {}, "")
    functions = dict(gateway_functions({}, lambda: GoTime(0, UTC, monotonic=0)))
    source = "{{range .Apps}}{{range .Hosts}}{{hostport .Host .Port}} {{end}}{{end}}"
    template = Template(source, funcs=functions)
    text = template.render(context(Topology({"a": app}, {}), Settings(), "lb1"))
    assert text == "[::1]:80 [::1]:80 10.0.0.1:80 "
    assert template.interpreted_because == ""
