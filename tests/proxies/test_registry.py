"""The registry of kinds, and what each kind says of itself."""

from typing import get_args

import pytest

from drove_gateway.config import Settings
from drove_gateway.config.fields import ProxyPlatform
from drove_gateway.config.platforms import PLATFORM_KEYS
from drove_gateway.model.vocabulary import App, Host, HostGroup
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.registry import KINDS, kind_of

HAPROXY = Settings(
    proxy_platform="haproxy",
    haproxy_config="/etc/haproxy/haproxy.cfg",
    haproxy_backend_include_routing_tag_suffix=True,
)
HOSTS = (Host("10.0.0.1", 80, "http"),)
GROUPS = {"blue": HostGroup(HOSTS, {}), "green": HostGroup(HOSTS, {})}


def test_every_platform_of_the_configuration_has_a_kind_and_no_other() -> None:
    assert sorted(KINDS) == sorted(get_args(ProxyPlatform))


def test_the_configuration_knows_the_keys_of_every_kind() -> None:
    assert sorted(PLATFORM_KEYS) == sorted(KINDS)


@pytest.mark.parametrize("platform", get_args(ProxyPlatform))
def test_each_kind_watches_the_template_that_it_renders(platform: ProxyPlatform) -> None:
    kind: ProxyKind = kind_of(Settings(proxy_platform=platform))

    assert kind.file is not None
    assert kind.watched_files == (kind.file.template_path,)
    assert kind.file.program.setting == f"{platform}_cmd"


@pytest.mark.parametrize(
    ("settings", "identity"),
    [
        (Settings(nginx_config="/etc/nginx/nginx.conf"), "nginx /etc/nginx/nginx.conf"),
        (
            Settings(nginx_reload_disabled=True, nginxplusapiaddr="127.0.0.1:8080"),
            "nginx 127.0.0.1:8080",
        ),
        (HAPROXY, "haproxy /etc/haproxy/haproxy.cfg"),
    ],
)
def test_a_proxy_is_identified_by_what_the_gateway_changes(
    settings: Settings, identity: str
) -> None:
    assert kind_of(settings).identity == identity


@pytest.mark.parametrize(
    ("settings", "installed"),
    [
        pytest.param(Settings(), True, id="by reloads"),
        pytest.param(Settings(nginx_reload_disabled=True), True, id="others reload"),
        pytest.param(Settings(nginxplusapiaddr="127.0.0.1:1"), True, id="an API and reloads"),
        pytest.param(
            Settings(nginx_reload_disabled=True, nginxplusapiaddr="127.0.0.1:1"),
            False,
            id="only an API",
        ),
    ],
)
def test_a_file_is_installed_unless_a_runtime_api_does_everything(
    settings: Settings, installed: bool
) -> None:
    file = kind_of(settings).file
    assert file is not None
    assert file.installed is installed


def test_a_vhost_is_served_by_the_backends_of_its_kind() -> None:
    app = App("a", "a.local", HOSTS, {}, GROUPS, "color")

    assert list(kind_of(Settings()).backends(app)) == ["a.local"]
    assert list(kind_of(HAPROXY).backends(app)) == ["a.local_blue", "a.local_green"]
