"""Backend names follow the template, or HAProxy, where the configuration leaves them open."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.haproxy.gateway import Gateway, grouped, topology
from tests.proxies.haproxy.imitation import Model, serve
from tests.traffic import Instance, get

from drove_gateway.config import Settings
from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.backend_form import makes_groups, with_backend_form
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.registry import kind_of
from drove_gateway.templates import shipped

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]

ORIGINAL = """{{range $id, $app := .Apps}}
backend {{$app.Vhost}}
    {{- range $app.Hosts}}
    server {{$.HaproxyServerNamePrefix}}_{{replace .Host ":" "_" -1}}_{{.Port}} {{.Host}}:{{.Port}}
    {{- end}}
{{end}}"""
"""The form of the original's example: one backend for each vhost."""

GROUPS = """{{range $app := .Apps}}{{range $name, $group := $app.Groups}}
backend {{$app.Vhost}}{{$.HaproxyBackendNameSeparator}}{{$name}}
{{- range $group.Hosts}}
    server {{$.HaproxyServerNamePrefix}}_{{.Host}}_{{.Port}} {{.Host}}:{{.Port}}
{{- end}}{{end}}{{end}}"""


def settings(**more: Any) -> Settings:
    namespace = {"name": "stage", "drove": ["http://c:1"], "routing_tag": "env"}
    return Settings.model_validate({"proxy_platform": "haproxy", "namespaces": [namespace], **more})


@pytest.mark.parametrize(
    ("source", "groups"),
    [
        (ORIGINAL, False),
        (GROUPS, True),
        (shipped("haproxy"), False),
        (shipped("haproxy-header-routing"), True),
        ("{{range .Apps}}{{.Nope}}{{end}}", False),
        ("{{range .Apps}}{{range .Groups}}{{.Nope}}{{end}}{{end}}", True),
        ("{{", False),
    ],
)
@pytest.mark.parametrize("separator", ["_", "-", "."])
def test_template_shows_which_names_it_makes(source: str, groups: bool, separator: str) -> None:
    assert makes_groups(source, settings(haproxy_backend_name_separator=separator)) is groups


@pytest.mark.parametrize(
    ("source", "wildcards"),
    [
        (ORIGINAL, False),
        (ORIGINAL.replace("{{$app.Vhost}}", '{{replace $app.Vhost "*" "." 1}}'), True),
        (shipped("haproxy"), True),
        (shipped("haproxy-header-routing"), True),
        ('{{replace "*" }}', False),
        ('{{range .Apps}}{{.Nope "*"}}{{end}}', False),
    ],
)
def test_template_shows_whether_it_serves_wildcards(
    source: str, wildcards: bool, tmp_path: Path
) -> None:
    template = tmp_path / "t"
    template.write_text(source)
    naming = kind_of(settings(haproxy_template=str(template))).naming
    assert naming is not None
    assert naming.wildcards is wildcards


def test_without_a_template_no_wildcards_are_served() -> None:
    """With `haproxy_reload_disabled`, somebody else's configuration chooses the backend."""
    more = {"haproxy_reload_disabled": True, "haproxysocketaddr": "/run/haproxy.sock"}
    naming = kind_of(settings(**more)).naming
    assert naming is not None
    assert not naming.wildcards


@pytest.mark.parametrize("explicit", [True, False])
def test_an_explicit_setting_is_obeyed(explicit: bool, tmp_path: Path) -> None:
    template = tmp_path / "t"
    template.write_text(ORIGINAL if explicit else GROUPS)
    given = settings(
        haproxy_template=str(template), haproxy_backend_include_routing_tag_suffix=explicit
    )
    assert with_backend_form(given) is given


def test_a_template_that_is_not_a_file_counts_as_the_originals(tmp_path: Path) -> None:
    form = with_backend_form(settings(haproxy_template=str(tmp_path)))
    assert form.haproxy_backend_include_routing_tag_suffix is False


async def test_originals_template_with_a_routing_tag_scales_without_a_reload(
    make_gateway: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    """In the original, a missing key means names without groups."""
    frontend = (
        "global\n  stats socket {{.HaproxySocketAddr}} level admin\n"
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
        'frontend f\n  bind :{{getenv "PROXY_HTTP_PORT"}}\n'
        "  use_backend %[req.hdr(host),lower]\n"
    )
    template = tmp_path / "original.tmpl"
    template.write_text(frontend + ORIGINAL)
    resolved = with_backend_form(settings(haproxy_template=str(template)))
    gateway = make_gateway(template=str(template), **_form(resolved))
    first, second = await spawn(2)
    await gateway.start(topology(grouped("a.example", {"a.example": [first]})))
    begun = len(gateway.reloads)
    await gateway.reach(topology(grouped("a.example", {"a.example": [first], "blue": [second]})))
    answers = {await get(gateway.port, "a.example") for _ in range(4)}
    assert answers == {(200, first.name), (200, second.name)}
    assert len(gateway.reloads) == begun


def _form(resolved: Settings) -> dict[str, Any]:
    key = "haproxy_backend_include_routing_tag_suffix"
    return {key: getattr(resolved, key)}


@pytest.mark.parametrize("existing", ["a.example", "a.example_blue"])
async def test_without_a_template_the_names_are_those_that_haproxy_has(
    short_path: Path, existing: str
) -> None:
    blue = grouped("a.example", {"blue": []})
    model = Model({existing: {}})
    async with serve(short_path / "s", model.answer):
        api = RuntimeApi(
            UnixSocket(str(short_path / "s")),
            timeout=2,
            clock=time.monotonic,
            metrics=CountingMetrics(),
            log=EventLog(structlog.get_logger()),
        )
        adapter = HaproxyAdapter(api, Options(naming=Naming(routing_tag_suffix=None)))
        await adapter.identify()
        assert list(adapter.backends(blue)) == [existing]
