"""The commands, called in this process, in a directory of their own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.traffic import free_port

from drove_gateway.cli import main
from drove_gateway.templates import shipped

Call = Callable[..., Result]

ANSWER = [
    {
        "appName": "web",
        "appId": "web-1",
        "vhost": "Web.Example.com",
        "hosts": [
            {"host": "10.0.0.1", "port": 31000, "portType": "HTTP"},
            {"host": "2001:db8::1", "port": 31001, "portType": "HTTP"},
        ],
    }
]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with nothing of Drove in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("DROVE_CONTROLLERS", "PROXY_HTTP_PORT", "GENERATION_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def call(directory: Path) -> Call:
    """Call `drove-gateway` with arguments in that directory."""
    assert directory.is_dir()

    def called(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(main, arguments, env=environ)

    return called


@pytest.fixture
def nixy(directory: Path, nginx: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good configuration for NGINX, whose controllers do not answer, and a saved answer."""
    for name, value in (
        ("NGINX_USER", "none"),
        ("NGINX_PID", f"{directory}/nginx.pid"),
        ("NGINX_ERROR_LOG", f"{directory}/error.log"),
        ("NGINX_ACCESS_LOG", "off"),
        ("PROXY_HTTP_PORT", "18080"),
        ("GENERATION_PORT", "16081"),
    ):
        monkeypatch.setenv(name, value)
    (directory / "nginx.tmpl").write_text(shipped("nginx"))
    (directory / "answer.json").write_text(json.dumps({"status": "SUCCESS", "data": ANSWER}))
    file = directory / "nixy.toml"
    file.write_text(
        f"""
port = {free_port()}
xproxy = "lb1"
state_persistence_dir = "{directory}/state"
nginx_config = "{directory}/nginx.conf"
nginx_template = "{directory}/nginx.tmpl"
nginx_cmd = "{nginx} -p {directory}"
api_timeout = 0.5

[[namespaces]]
name = "stage"
drove = ["http://127.0.0.1:1"]
"""
    )
    return file
