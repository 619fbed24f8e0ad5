"""`check` renders with the values of the daemon: the `[template]` table, and the environment."""

from pathlib import Path

import pytest
from tests.cli.conftest import Call

from drove_gateway.templates import shipped


@pytest.fixture
def configured(directory: Path, haproxy: Path) -> Path:
    """HAProxy's configuration, whose `[template]` table has a port that does not exist."""
    (directory / "haproxy.tmpl").write_text(shipped("haproxy"))
    nixy = directory / "nixy.toml"
    nixy.write_text(
        f"""
proxy_platform = "haproxy"
haproxy_config = "{directory}/haproxy.cfg"
haproxy_template = "{directory}/haproxy.tmpl"
haproxy_cmd = "{haproxy}"
[[namespaces]]
name = "stage"
drove = ["http://127.0.0.1:1"]
[template]
HAPROXY_USER = "none"
HAPROXY_LOG = "none"
PROXY_HTTP_PORT = 65536
"""
    )
    return nixy


@pytest.mark.usefixtures("configured")
def test_a_value_of_the_table_that_the_proxy_refuses_fails_the_check(call: Call) -> None:
    result = call("check")
    assert result.exit_code == 1
    assert "65536" in result.stderr


@pytest.mark.usefixtures("configured")
def test_an_environment_variable_wins_over_the_table(call: Call) -> None:
    result = call("check", PROXY_HTTP_PORT="18080")
    assert result.exit_code == 0, result.stderr
