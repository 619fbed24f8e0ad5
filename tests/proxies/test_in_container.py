"""The proxy as a process, and what it starts with."""

from pathlib import Path
from signal import Signals

import pytest

from drove_gateway.config import Settings, load
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.local import SupervisedProxy
from drove_gateway.proxies.registry import KINDS

DIRECTORY = Path("/run/dg")


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "nixy.toml"
    file.write_text(text)
    return load(file, {"DROVE_CONTROLLERS": "http://controller1:4000"}).settings


def supervised_proxy(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
    kind = KINDS[settings.proxy_platform]
    return kind.in_container.supervised(settings, empty, directory)


def test_nginx_starts_in_the_foreground_with_the_configured_command(tmp_path: Path) -> None:
    found = supervised_proxy(
        settings(tmp_path, 'nginx_cmd = "openresty -p /x"\nnginx_config = "/etc/nginx/nginx.conf"'),
        "events {}",
        DIRECTORY,
    )
    assert found.command[:3] == ("openresty", "-p", "/x")
    assert found.command[-4:] == ("-c", "/etc/nginx/nginx.conf", "-g", "daemon off;")
    assert (found.drain, found.reopen) == (Signals.SIGQUIT, Signals.SIGUSR1)


def test_nginx_begins_with_the_pid_file_of_the_template_and_without_a_port(tmp_path: Path) -> None:
    """`nginx -s reload` looks for the master where the new configuration says."""
    found = supervised_proxy(
        settings(tmp_path, ""), "  pid /run/nginx.pid;\nhttp { listen 80; }", DIRECTORY
    )
    assert found.first is not None
    assert found.first.splitlines() == ["error_log stderr;", "events {}", "pid /run/nginx.pid;"]


def test_a_template_that_stays_in_the_foreground_itself_is_not_told_twice(tmp_path: Path) -> None:
    found = supervised_proxy(settings(tmp_path, ""), "daemon off;\nevents {}", DIRECTORY)
    assert "-g" not in found.command
    assert found.first is not None
    assert "daemon off;" in found.first


def test_haproxy_starts_as_master_and_worker_with_its_sockets(tmp_path: Path) -> None:
    text = (
        'proxy_platform = "haproxy"\nhaproxy_config = "/etc/haproxy/haproxy.cfg"\n'
        'haproxy_master_socket = "/run/m.sock"\nhaproxysocketaddr = "/run/a.sock"\n'
    )
    found = supervised_proxy(settings(tmp_path, text), "", DIRECTORY)
    assert found.command == (
        *("haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"),
        *("-S", "/run/m.sock,mode,600"),
    )
    assert found.first == "global\n    stats socket /run/a.sock mode 600 level admin\n"
    assert (found.drain, found.reopen) == (Signals.SIGUSR1, None)


def test_haproxy_without_a_runtime_api_still_has_the_socket_that_it_wants(tmp_path: Path) -> None:
    text = 'proxy_platform = "haproxy"\nhaproxy_master_socket = "/run/m.sock"\n'
    found = supervised_proxy(settings(tmp_path, text), "", DIRECTORY)
    assert found.first is not None
    assert "stats socket /run/dg/first.sock" in found.first


def test_systemd_cannot_reload_in_a_container(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        supervised_proxy(settings(tmp_path, 'proxy_platform = "haproxy"'), "", DIRECTORY)
    (problem,) = refused.value.problems
    assert 'set haproxy_master_socket = "/run/dg/master.sock"' in problem


def test_a_command_of_ones_own_reloads_without_a_master_socket(tmp_path: Path) -> None:
    text = 'proxy_platform = "haproxy"\nhaproxy_reload_cmd = "/usr/local/bin/reload"\n'
    assert "-S" not in supervised_proxy(settings(tmp_path, text), "", DIRECTORY).command


@pytest.mark.parametrize(
    "text",
    [
        'nginx_reload_disabled = true\nnginxplusapiaddr = "127.0.0.1:8080"\n',
        'proxy_platform = "haproxy"\nhaproxy_reload_disabled = true\nhaproxysocketaddr = "/a"\n',
    ],
)
def test_a_configuration_that_the_gateway_never_writes_is_kept(tmp_path: Path, text: str) -> None:
    assert supervised_proxy(settings(tmp_path, text), "", DIRECTORY).first is None
