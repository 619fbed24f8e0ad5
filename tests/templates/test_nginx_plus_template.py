"""The shipped template for NGINX Plus: what it renders, and that NGINX takes it.

NGINX itself does not know `state` and `api`; for its check they are replaced by what it knows.
"""

import re
import subprocess
from pathlib import Path

import pytest
from tests.proxies.nginx.plus.rig import rigged, topology
from tests.standins.nginx_plus.conf import parse
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.traffic import free_port

import drove_gateway
from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.render import Rendered, render
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.installation.version import Version

SHIPPED = Path(drove_gateway.__file__).parent / "templates" / "nginx-plus.tmpl"


def app(vhost: str, *hosts: Host) -> App:
    return App(vhost, vhost, hosts, {}, {vhost: HostGroup(hosts, {})}, "")


CLUSTER = Topology(
    apps={
        "plain.example": app("plain.example", Host("10.0.0.1", 80, "http")),
        "secure.example": app("secure.example", Host("2001:db8::1", 443, "https")),
        "raw.example": app("raw.example", Host("10.0.0.2", 25, "tcp")),
    },
    namespaces={
        "one": Namespace("Drove.example", Leader("http://10.9.0.1:4000", "10.9.0.1", 4000), ""),
        "two": Namespace("two.example", Leader(), ""),
    },
)


def rendered(version: Version = (1, 25, 5), **environ: str) -> Rendered:
    functions = template_functions(environ, version)
    template = Template(SHIPPED.read_text(), name=SHIPPED.name, funcs=dict(functions))
    return render(template, context(CLUSTER, Settings(), "lb1", environ))


def test_upstreams_are_dynamic_and_hold_no_servers() -> None:
    upstreams = parse(rendered().text).upstreams
    assert upstreams.keys() == {"plain.example", "secure.example", "leader@drove.example"}
    plain = upstreams["plain.example"]
    assert plain.zone == "plain.example"
    assert plain.state == "/var/lib/nginx/state/plain.example.conf"
    assert plain.servers == []


def test_servers_that_come_and_go_do_not_change_the_configuration() -> None:
    functions = dict(template_functions({}, (1, 25, 5)))
    template = Template(SHIPPED.read_text(), name=SHIPPED.name, funcs=functions)
    texts = {
        render(template, context(topology({"a.example": servers}), Settings(), "lb1")).text
        for servers in (["10.0.0.1:80"], ["10.0.0.2:80", "10.0.0.3:80"])
    }
    assert len(texts) == 1


def test_vhosts_leader_and_proof_are_there() -> None:
    made = rendered()
    assert made.proof_url == "http://127.0.0.1:6081/generation"
    assert "server_name drove.example;" in made.text
    assert "server 10.9.0.1:4000;" in made.text
    assert "two.example" not in made.text
    assert "proxy_pass https://secure.example;" in made.text
    assert "upstream raw.example" not in made.text
    assert "api write=on;" in made.text


def test_what_differs_between_machines_comes_from_the_environment() -> None:
    text = rendered(
        PROXY_HTTP_PORT="8000",
        NGINX_API_PORT="8001",
        GENERATION_PORT="8002",
        NGINX_STATE_DIR="/srv/state",
        NGINX_ZONE_SIZE="1m",
        NGINX_USER="none",
    ).text
    for line in (
        "listen 8000;",
        "listen 127.0.0.1:8001;",
        "listen 127.0.0.1:8002;",
        "state /srv/state/plain.example.conf;",
        "zone plain.example 1m;",
    ):
        assert line in text
    assert "\nuser " not in text


@pytest.mark.parametrize("version", [(1, 25, 5), (1, 31, 3)], ids=["R32", "newest"])
def test_nginx_takes_all_that_it_knows(nginx: Path, short_path: Path, version: Version) -> None:
    text = rendered(
        version,
        PROXY_HTTP_PORT=str(free_port()),
        NGINX_API_PORT=str(free_port()),
        GENERATION_PORT=str(free_port()),
        NGINX_USER="none",
        NGINX_PID=f"{short_path}/nginx.pid",
        NGINX_ERROR_LOG="stderr",
        NGINX_ACCESS_LOG="off",
    ).text
    text = re.sub(r"state \S+;", "server 127.0.0.1:9;", text).replace(
        "api write=on;", "return 200;"
    )
    (short_path / "nginx.conf").write_text(text)
    checked = subprocess.run(
        [nginx, "-p", short_path, "-e", "stderr", "-c", short_path / "nginx.conf", "-t"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


async def test_the_driver_fills_what_the_template_makes(tmp_path: Path) -> None:
    async with running(NginxPlus()) as plus:
        environ = {"GENERATION_PORT": str(plus.traffic_port), "NGINX_USER": "none"}
        async with rigged(plus, tmp_path, template=SHIPPED, environ=environ) as rig:
            await rig.apply(topology({"a.example": ["10.0.0.1:80"], "b.example": ["10.0.0.2:80"]}))
            assert plus.servers("a.example") == ["10.0.0.1:80"]
            await rig.apply(topology({"b.example": ["10.0.0.3:80"]}))
            assert plus.upstreams.keys() == {"b.example", "leader@drove.example"}
            assert plus.reloads == 2
            assert rig.driver.health().config.healthy
