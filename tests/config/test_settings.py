"""The keys, their defaults and what is made of them."""

import pytest
from pydantic import BaseModel, ValidationError

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.config.addresses import TcpSocket, UnixSocket
from drove_gateway.config.fields import Section
from drove_gateway.config.general import General
from drove_gateway.config.haproxy import Haproxy
from drove_gateway.config.namespace import NamespaceKeys
from drove_gateway.config.nginx import Nginx
from drove_gateway.config.sentences import keys_of

# The four tables of the original's documentation, in their order.
GENERAL = {
    "address": "127.0.0.1",
    "port": 6000,
    "port_use_tls": False,
    "port_tls_certfile": "",
    "port_tls_keyfile": "",
    "loglevel": "info",
    "xproxy": "",
    "api_timeout": 10,
    "dns_resolution_timeout_sec": 2,
    "event_refresh_interval_sec": 5,
    "proxy_platform": "nginx",
    "left_delimiter": "",
    "right_delimiter": "",
}
NGINX = {
    "nginx_config": "./nginx-test.conf",
    "nginx_template": "./nginx-header.tmpl",
    "nginx_cmd": "nginx",
    "nginx_ignore_check": False,
    "nginx_reload_disabled": False,
    "nginxplusapiaddr": "",
    "nginx_max_fails": 0,
    "nginx_fail_timeout": "1s",
    "nginx_slow_start": "0s",
}
HAPROXY = {
    "haproxy_config": "/etc/haproxy/haproxy.cfg",
    "haproxy_template": "/etc/haproxy/haproxy.tmpl",
    "haproxy_cmd": "haproxy",
    "haproxy_reload_cmd": "systemctl reload haproxy",
    "haproxy_ignore_check": False,
    "haproxy_reload_disabled": False,
    "haproxysocketaddr": "",
    "haproxy_disable_large_backend_count_optimisation": False,
    "haproxy_server_name_prefix": "server",
    "haproxy_server_name_host_port_delimiter": "_",
    "haproxy_backend_name_separator": "_",
    "haproxy_backend_include_routing_tag_suffix": None,
    "haproxy_add_server_attributes_string": "",
    "haproxy_add_server_ssl_attributes_string": "ssl verify none",
}
NAMESPACE = (
    "name",
    "drove",
    "user",
    "pass",
    "access_token",
    "realm",
    "realm_suffix",
    "routing_tag",
    "leader_vhost",
)


@pytest.mark.parametrize(
    ("section", "documented"), [(General, GENERAL), (Nginx, NGINX), (Haproxy, HAPROXY)]
)
def test_every_documented_key_exists_with_its_default(
    section: type[Section], documented: dict[str, object]
) -> None:
    assert section().model_dump() == documented
    assert list(section.model_fields) == list(documented)


def test_every_documented_key_of_a_namespace_exists() -> None:
    assert keys_of(NamespaceKeys) == NAMESPACE


def test_what_a_namespace_may_leave_out_is_empty() -> None:
    namespace = NamespaceSettings(name="stage1", drove=("http://controller1:10000",))
    assert (namespace.user, namespace.realm, namespace.leader_vhost) == ("", "", "")
    assert namespace.password.get_secret_value() == ""
    assert namespace.access_token.get_secret_value() == ""


@pytest.mark.parametrize("section", [Settings, NamespaceSettings])
def test_every_key_says_what_it_means(section: type[BaseModel]) -> None:
    assert [name for name, field in section.model_fields.items() if not field.description] == []


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_equal_configurations_are_equal_settings() -> None:
    table = {"name": "stage1", "drove": ["http://controller1:10000"], "pass": "secret"}
    first = Settings.model_validate({"namespaces": [table]})
    assert first == Settings.model_validate({"namespaces": [table]})
    assert first != Settings.model_validate({"namespaces": [{**table, "pass": "other"}]})


def test_commands_may_carry_arguments() -> None:
    settings = Settings(nginx_cmd="docker exec nginx  nginx", haproxy_cmd=" /opt/haproxy ")
    assert settings.nginx_argv == ("docker", "exec", "nginx", "nginx")
    assert settings.haproxy_argv == ("/opt/haproxy",)
    assert settings.haproxy_reload_argv == ("systemctl", "reload", "haproxy")


def test_delimiters_are_go_s_unless_set() -> None:
    assert Settings().delimiters == ("{{", "}}")
    assert Settings(left_delimiter="<%", right_delimiter="%>").delimiters == ("<%", "%>")


def test_the_socket_address_is_read() -> None:
    assert Settings().haproxy_socket is None
    assert Settings(haproxysocketaddr="/run/a.sock").haproxy_socket == UnixSocket("/run/a.sock")
    assert Settings(haproxysocketaddr="ha:9999").haproxy_socket == TcpSocket("ha", 9999)


def test_a_port_may_be_a_number_or_text() -> None:
    assert Settings.model_validate({"port": "6000"}).port == 6000
    assert Settings.model_validate({"port": 0}).port == 0


@pytest.mark.parametrize(
    ("written", "level"), [("INFO", "info"), ("warning", "warn"), ("debug", "debug")]
)
def test_log_levels_are_taken_in_any_case(written: str, level: str) -> None:
    assert Settings.model_validate({"loglevel": written}).loglevel == level
