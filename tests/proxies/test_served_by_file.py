"""What a configuration file serves is read from its text, whatever template made it."""

from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Settings
from drove_gateway.config.namespace import NamespaceSettings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.gotemplate import Template
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import EMPTY, App, Host, HostGroup, Topology
from drove_gateway.proxies.haproxy.configuration_text import served_by_file as haproxy
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.served import Served, served_topology
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.nginx.configuration_text import served_by_file as nginx
from drove_gateway.proxies.registry import kind_of
from drove_gateway.templates import shipped

BLUE, GREEN = Host("10.0.0.1", 8001, "http"), Host("web-1.example", 8002, "http")
SECURE = Host("2001:db8::1", 8443, "https")


def app(vhost: str, **groups: Host) -> App:
    names = {name.replace("_", "."): HostGroup((host,), {}) for name, host in groups.items()}
    return App(vhost, vhost, tuple(groups.values()), {}, names, "color")


SHOP = app("shop.example", blue=BLUE, shop_example=GREEN)
API = app("api.example", api_example=SECURE)
APPS = Topology({each.vhost: each for each in (SHOP, API)}, {})


def rendered(template: str, topology: Topology = APPS) -> str:
    settings = Settings(proxy_platform="haproxy" if "haproxy" in template else "nginx")
    functions = template_functions({}, None)
    compiled = Template(shipped(template), funcs=dict(functions))
    return render(compiled, context(topology, settings, "test")).text


def by_haproxy(text: str, *, grouped: bool = False) -> Served:
    return haproxy(text, Naming(), grouped=grouped)


class TestShippedTemplates:
    @pytest.mark.parametrize("kind", ["haproxy", "nginx"])
    def test_vhosts_and_servers_are_read_back(self, kind: str) -> None:
        read = by_haproxy if kind == "haproxy" else nginx
        text = rendered(kind)

        topology = served_topology(read(text), fixed=read(rendered(kind, EMPTY)))

        assert sorted(topology.apps) == ["api.example", "shop.example"]
        assert set(topology.apps["shop.example"].hosts) == {BLUE, GREEN}
        assert topology.apps["api.example"].hosts == (SECURE,)

    def test_the_groups_of_haproxy_are_read_back(self) -> None:
        served = by_haproxy(rendered("haproxy-header-routing"), grouped=True)

        assert served["shop.example"] == {"blue": (BLUE,), "shop.example": (GREEN,)}
        assert served["api.example"] == {"api.example": (SECURE,)}

    @pytest.mark.parametrize("vhost", ["*.shop.example", ".shop.example", "*.eu_1.example"])
    @pytest.mark.parametrize("template", ["haproxy", "haproxy-header-routing", "nginx"])
    def test_wildcards_are_read_back(self, template: str, vhost: str) -> None:
        wildcard = App(vhost, vhost, (BLUE,), {}, {vhost: HostGroup((BLUE,), {})}, "color")
        text = rendered(template, Topology({vhost: wildcard}, {}))
        grouped = template.endswith("routing")
        served = nginx(text) if template == "nginx" else by_haproxy(text, grouped=grouped)

        assert served[vhost] == {vhost: (BLUE,)}

    def test_the_groups_of_nginx_are_read_back(self) -> None:
        served = nginx(rendered("nginx-header-routing"))

        assert served["shop.example"] == {"blue": (BLUE,), "shop.example": (GREEN,)}
        assert served["api.example"] == {"api.example": (SECURE,)}

    def test_upstreams_without_servers_are_not_a_memory(self) -> None:
        """NGINX Plus has the servers in its state files."""
        assert served_topology(nginx(rendered("nginx-plus"))) == EMPTY


class TestHaproxy:
    @pytest.mark.parametrize(
        "rule",
        [
            "use_backend b1 if { hdr(host) -i Web.Example }",
            "use_backend b1 if { req.hdr(host),field(1,:) -m str web.example } !{ ssl_fc }",
            "acl is_web hdr(Host) -i web.example web.example:8080\n use_backend b1 if is_web",
        ],
    )
    def test_a_rule_names_the_vhost_of_a_backend(self, rule: str) -> None:
        text = f"frontend f\n {rule}\nbackend b1\n server s1 10.0.0.1:8001 check\n"
        assert by_haproxy(text) == {"web.example": {"web.example": (BLUE,)}}

    @pytest.mark.parametrize(
        "rule",
        [
            "use_backend b1 if { hdr(host) -m beg web. }",
            "use_backend b1 if { path -i web.example }",
            "use_backend b1",
        ],
    )
    def test_other_rules_name_no_vhost(self, rule: str) -> None:
        text = f"frontend f\n {rule}\nbackend b1\n server s1 10.0.0.1:8001\n"
        assert list(by_haproxy(text)) == ["b1"]

    @pytest.mark.parametrize(
        ("server", "host"),
        [
            ("10.0.0.1:8001", BLUE),
            ("ipv4@10.0.0.1:8001 weight 1", BLUE),
            ("web-1.example:8002", GREEN),
            ("[2001:db8::1]:8443 ssl verify none", SECURE),
            ("2001:db8::1:8443 ssl verify none", SECURE),
        ],
    )
    def test_every_spelling_of_an_address_is_read(self, server: str, host: Host) -> None:
        assert by_haproxy(f"backend a\n server s {server}") == {"a": {"a": (host,)}}

    @pytest.mark.parametrize(
        "line",
        ["server s /run/a.sock", "server s 10.0.0.1:8001 disabled", "server s x:y", "server"],
    )
    def test_what_is_not_a_server_in_traffic_is_not_read(self, line: str) -> None:
        assert by_haproxy(f"backend a\n {line}") == {"a": {"a": ()}}

    def test_a_group_without_a_default_group_belongs_to_the_dns_name_before_it(self) -> None:
        text = "backend a.example_eu_blue\n server s 10.0.0.1:8001"
        assert by_haproxy(text, grouped=True) == {"a.example": {"eu_blue": (BLUE,)}}


class TestNginx:
    @pytest.mark.parametrize(
        "target",
        [
            "proxy_pass http://u1;",
            "proxy_pass http://10.0.0.1:8001/path;",
            "if ($x) { return 403; } set $up 'u1'; proxy_pass http://$up;",
            "proxy_pass http://${routed};",
        ],
    )
    def test_a_target_is_followed_to_its_servers(self, target: str) -> None:
        text = (
            'upstream u1 { server 10.0.0.1:8001 max_fails=1; server 127.0.0.1:1 down; } # }"\n'
            'map $server_name $routed { "web.example" u1; other.example u2; default ""; }\n'
            f"server {{ server_name Web.Example _ ~^x; location / {{ {target} }} }}"
        )
        assert nginx(text) == {"web.example": {"web.example": (BLUE,)}}

    def test_an_upstream_may_be_chosen_by_the_requests_host(self) -> None:
        text = (
            "upstream a.example { server 10.0.0.1:8001; }"
            "server { server_name a.example; location / { proxy_pass http://$host; } }"
        )
        assert nginx(text) == {"a.example": {"a.example": (BLUE,)}}

    def test_an_upstream_of_the_lua_balancer_has_the_servers_of_each_vhost_that_shares_it(
        self,
    ) -> None:
        text = (
            'init_by_lua_block {\nfile.upstream("a.example", "10.0.0.1:8001", nil, false)\n}'
            "upstream all { server 0.0.0.1; balancer_by_lua_block { balance() } }"
            "server { server_name a.example; location / { proxy_pass http://all; } }"
        )
        assert nginx(text) == {"a.example": {"a.example": (BLUE,)}}

    def test_programs_in_lua_are_passed_over(self) -> None:
        text = (
            "server { server_name a.example; access_by_lua_block { local t = {'\\''} -- \"; }\n }"
            " location / { proxy_pass http://10.0.0.1:8001; } }"
        )
        assert nginx(text) == {"a.example": {"a.example": (BLUE,)}}

    def test_maps_that_go_in_circles_end(self) -> None:
        text = (
            "map $a $b { default $a; } map $b $a { default $b; }"
            "server { server_name a.example; location / { proxy_pass http://$a; } }"
        )
        assert nginx(text) == {}


@given(st.text(alphabet="server{};\"'# \n\\$:.ab[]10backen_pox"))
def test_no_text_makes_reading_fail(text: str) -> None:
    by_haproxy(text, grouped=True)
    nginx(text)


async def test_a_kind_reads_its_own_file_without_what_is_not_an_app(tmp_path: Path) -> None:
    template = tmp_path / "nginx.tmpl"
    server = "server {{ server_name {0}; location / {{ proxy_pass http://{1}; }} }}\n"
    template.write_text(
        server.format("static.example", "10.9.9.9:80")
        + "{{range .Apps}}{{.Vhost}}{{end}}"
        + "{{range .Namespaces}}{{.LeaderVHost}}{{end}}"
    )
    config = tmp_path / "nginx.conf"
    hosts = {"static": "10.9.9.9:80", "leader": "10.9.9.8:80", "web": "10.0.0.1:8001"}
    config.write_text("".join(server.format(f"{name}.example", at) for name, at in hosts.items()))
    settings = Settings(
        nginx_config=str(config),
        nginx_template=str(template),
        nginx_cmd="true",
        namespaces=(
            NamespaceSettings(name="n", drove=("http://x:1",), leader_vhost="Leader.example"),
        ),
    )
    outside = this_machine({}, Metrics(), EventLog(structlog.get_logger()))

    assert list((await kind_of(settings).served(outside)).apps) == ["web.example"]
    config.unlink()
    assert await kind_of(settings).served(outside) == EMPTY
