"""The container's environment, and what it requires."""

import tomllib
from pathlib import Path

import pytest

from drove_gateway.config import load
from drove_gateway.container.setup import (
    Choice,
    ContainerSetup,
    container_setup,
)
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.local import ContainerPlace
from drove_gateway.proxies.registry import CONTAINERS

TEMPLATES = {
    "nginx": "the shipped one for NGINX",
    "nginx-lua": "the shipped one for NGINX with Lua",
    "haproxy": "the shipped one for HAProxy",
}
CHOICES = {name: Choice(CONTAINERS[name], template) for name, template in TEMPLATES.items()}
PLACE = ContainerPlace(Path("/run/dg"), Path("/var/lib/dg"), root=False, stdout=True)
CLUSTER = {"DROVE_CONTROLLERS": "http://controller1:4000,http://controller2:4000"}


def made(environ: dict[str, str], *, root: bool = False, stdout: bool = True) -> ContainerSetup:
    place = ContainerPlace(PLACE.directory, PLACE.state, root=root, stdout=stdout)
    return container_setup(environ, place, CHOICES)


def refused(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        made(environ)
    return error.value.problems


def written(environ: dict[str, str]) -> dict[str, object]:
    return tomllib.loads(made(environ).generated[PLACE.directory / "nixy.toml"])


def test_without_controllers_and_without_a_file_both_ways_are_reported() -> None:
    (problem,) = refused({"DROVE_USERNAME": "reader"})
    assert problem.startswith("DROVE_CONTROLLERS is not set")
    assert "-e DROVE_CONTROLLERS=http://controller1:4000,http://controller2:4000" in problem
    assert "set CONFIG_FILE_PATH" in problem


def test_empty_variables_count_as_unset() -> None:
    (problem,) = refused({"DROVE_CONTROLLERS": "", "CONFIG_FILE_PATH": ""})
    assert problem.startswith("DROVE_CONTROLLERS is not set")


def test_controllers_make_a_configuration_for_nginx() -> None:
    assert written(CLUSTER) == {
        "address": "0.0.0.0",
        "port": "6000",
        "proxy_platform": "nginx",
        "state_persistence_dir": "/var/lib/dg",
        "nginx_config": "/run/dg/nginx.conf",
        "nginx_template": "/run/dg/nginx.tmpl",
        "nginx_cmd": "nginx -c /run/dg/nginx.conf",
    }
    assert made(CLUSTER).generated[Path("/run/dg/nginx.tmpl")] == TEMPLATES["nginx"]


def test_nginx_with_lua_is_changed_over_its_socket() -> None:
    environ = {**CLUSTER, "PROXY_PLATFORM": "nginx-lua"}
    values = written(environ)
    assert values["proxy_platform"] == "nginx"
    assert values["nginxplusapiaddr"] == "unix:/run/dg/nginx-api.sock"
    assert made(environ).generated[Path("/run/dg/nginx-lua.tmpl")] == TEMPLATES["nginx-lua"]


def test_haproxy_is_reloaded_over_its_master_socket_and_changed_over_its_runtime_api() -> None:
    environ = {**CLUSTER, "PROXY_PLATFORM": "haproxy"}
    values = written(environ)
    assert values["proxy_platform"] == "haproxy"
    assert values["haproxysocketaddr"] == "/run/dg/admin.sock"
    assert values["haproxy_master_socket"] == "/run/dg/master.sock"
    assert made(environ).generated[Path("/run/dg/haproxy.tmpl")] == TEMPLATES["haproxy"]


def test_what_is_generated_holds_no_secret_and_is_complete_with_the_environment(
    tmp_path: Path,
) -> None:
    environ = {
        **CLUSTER,
        "DROVE_USERNAME": "reader",
        "DROVE_PASSWORD": "s3cret",
        "DROVE_CLUSTER_NAME": "stage",
        "NGINX_DROVE_VHOST": "drove.local",
    }
    wanted = made(environ)
    text = wanted.generated[wanted.file]
    assert "s3cret" not in text
    assert "reader" not in text

    file = tmp_path / "nixy.toml"
    file.write_text(text)
    loaded = load(file, wanted.environ)
    (namespace,) = loaded.settings.namespaces
    (warning,) = loaded.warnings
    assert "anyone who can reach the HTTP API" in warning.text
    assert namespace.drove == ("http://controller1:4000", "http://controller2:4000")
    assert (namespace.name, namespace.user) == ("stage", "reader")
    assert namespace.password.get_secret_value() == "s3cret"
    assert namespace.leader_vhost == "drove.local"


def test_the_proxy_does_not_learn_what_the_gateway_logs_in_with() -> None:
    environ = {**CLUSTER, "DROVE_USERNAME": "reader", "DROVE_PASSWORD": "s3cret", "TZ": "UTC"}
    seen = made(environ).proxy_environ
    assert seen["TZ"] == "UTC"
    assert "DROVE_USERNAME" not in seen
    assert "DROVE_PASSWORD" not in seen


def test_a_mounted_file_is_used_as_it_is() -> None:
    wanted = made({"CONFIG_FILE_PATH": "/etc/drove/gateway/gateway.toml"})
    assert wanted.file == Path("/etc/drove/gateway/gateway.toml")
    assert wanted.generated == {}


def test_a_mounted_template_takes_the_place_of_the_shipped_one() -> None:
    environ = {**CLUSTER, "TEMPLATE_FILE_PATH": "/etc/drove/gateway/nginx.tmpl"}
    wanted = made(environ)
    assert set(wanted.generated) == {wanted.file}
    assert wanted.environ["TEMPLATE_FILE_PATH"] == "/etc/drove/gateway/nginx.tmpl"


@pytest.mark.parametrize(
    ("listen", "address", "port"),
    [
        ("127.0.0.1:6001", "127.0.0.1", "6001"),
        ("[::1]:6001", "::1", "6001"),
        (":6001", "0.0.0.0", "6001"),
    ],
)
def test_where_the_gateway_listens_can_be_said(listen: str, address: str, port: str) -> None:
    values = written({**CLUSTER, "GATEWAY_LISTEN": listen})
    assert (values["address"], values["port"]) == (address, port)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GATEWAY_LISTEN", "6001:", "must be ADDRESS:PORT"),
        ("GATEWAY_LISTEN", "here:70000", "must be ADDRESS:PORT"),
        ("PROXY_PLATFORM", "envoy", "must be nginx, nginx-lua or haproxy"),
        ("STOP_TIMEOUT_SEC", "soon", "must be a whole number of seconds"),
        ("STOP_TIMEOUT_SEC", "-1", "must be a whole number of seconds"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, message: str) -> None:
    (problem,) = refused({**CLUSTER, name: value})
    assert problem == f'{name} = "{value}": {message}' + problem.partition(message)[2]


def test_all_problems_are_reported_at_once() -> None:
    assert len(refused({"PROXY_PLATFORM": "envoy", "STOP_TIMEOUT_SEC": "soon"})) == 3


def test_the_end_has_a_deadline_below_that_of_docker_stop() -> None:
    assert made(CLUSTER).stop_timeout == 8
    assert made({**CLUSTER, "STOP_TIMEOUT_SEC": "60"}).stop_timeout == 60


def test_logs_go_where_the_container_engine_reads_them() -> None:
    environ = made(CLUSTER).environ
    assert environ["NGINX_ERROR_LOG"] == "stderr warn"
    assert environ["NGINX_ACCESS_LOG"] == "/dev/stdout upstream"
    assert environ["HAPROXY_LOG"] == "stdout format raw local0 info"


def test_a_standard_output_that_nginx_could_not_open_must_not_stop_it() -> None:
    assert made(CLUSTER, stdout=False).environ["NGINX_ACCESS_LOG"] == "off"


def test_the_port_of_the_originals_image_is_the_default() -> None:
    assert made(CLUSTER).environ["PROXY_HTTP_PORT"] == "7000"
    assert made({**CLUSTER, "PROXY_HTTP_PORT": "80"}).environ["PROXY_HTTP_PORT"] == "80"


def test_only_root_can_give_workers_another_user() -> None:
    environ = made(CLUSTER, root=False).environ
    assert (environ["NGINX_USER"], environ["HAPROXY_USER"]) == ("none", "none")
    assert "NGINX_USER" not in made(CLUSTER, root=True).environ
