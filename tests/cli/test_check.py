"""`drove-gateway check`: all is well, or what is not."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.beside import printed
from tests.cli.conftest import Call

from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped


def listing(directory: Path) -> set[str]:
    """The files in `directory`, without those that NGINX's own check makes."""
    made = {"error.log", "nginx.pid"}
    return {path.name for path in directory.iterdir() if not path.is_dir()} - made


@pytest.mark.usefixtures("nixy")
def test_template_is_rendered_with_a_sample_app_without_controllers(
    call: Call, directory: Path
) -> None:
    before = listing(directory)
    result = call("check")
    assert result.exit_code == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "ok",
        "ok",
        "ok",
        "--",
        "no",
    ]
    assert "sample data: no controller responds" in result.stdout
    assert "no controller leads" in result.stderr
    assert listing(directory) == before


@pytest.mark.parametrize("name", ["haproxy", "haproxy-header-routing"])
def test_haproxys_own_check_is_run(
    call: Call, directory: Path, haproxy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAPROXY_USER", "none")
    monkeypatch.setenv("HAPROXY_LOG", "none")
    (directory / "haproxy.tmpl").write_text(shipped(name))
    (directory / "nixy.toml").write_text(
        f"""
proxy_platform = "haproxy"
haproxy_config = "{directory}/haproxy.cfg"
haproxy_template = "{directory}/haproxy.tmpl"
haproxy_cmd = "{haproxy}"
[[namespaces]]
name = "stage"
drove = ["http://127.0.0.1:1"]
"""
    )
    result = call("check")
    assert result.exit_code == 0, result.stderr
    assert f"{haproxy} -f {directory}/haproxy.cfg -c" in result.stdout


@pytest.mark.usefixtures("nixy")
def test_a_template_that_cannot_be_compiled_is_a_warning(call: Call, directory: Path) -> None:
    template = directory / "nginx.tmpl"
    template.write_text(template.read_text() + "{{if and true ($x := 1)}}{{end}}")
    result = call("check")
    assert result.exit_code == 0, result.stderr
    assert "warning: the template is rendered by the interpreter" in result.stderr
    assert "a variable is declared or assigned inside parentheses" in result.stderr


@pytest.mark.usefixtures("nixy")
def test_refused_configuration_is_reported_in_the_proxys_words(call: Call, directory: Path) -> None:
    (directory / "nginx.conf").write_text("# the operator's\n")
    template = directory / "nginx.tmpl"
    template.write_text(template.read_text().replace("server_tokens off", "server_tokens maybe"))
    before = listing(directory)
    result = call("check")
    assert result.exit_code == 1
    assert 'invalid value "maybe"' in result.stderr
    assert f"{directory}/nginx.conf:" in result.stderr
    assert "nginx refuses the new configuration" in result.stderr
    assert listing(directory) == before
    assert (directory / "nginx.conf").read_text() == "# the operator's\n"


@pytest.mark.usefixtures("nixy")
def test_relative_includes_are_found_beside_the_target(call: Call, directory: Path) -> None:
    (directory / "own.conf").write_text("server_tokens off;\n")
    template = directory / "nginx.tmpl"
    text = template.read_text().replace("server_tokens off;", "include own.conf;")
    template.write_text(text)
    assert call("check").exit_code == 0


@pytest.mark.parametrize(
    ("template", "words"),
    [
        pytest.param("{{if}}", "nginx.tmpl:1", id="cannot be parsed"),
        pytest.param("\n{{.Nope}}", "nginx.tmpl:2", id="cannot be executed"),
        pytest.param(None, "nginx.tmpl, which nginx_template names: No such file", id="missing"),
    ],
)
@pytest.mark.usefixtures("nixy")
def test_a_template_that_cannot_be_used_is_named(
    call: Call, directory: Path, template: str | None, words: str
) -> None:
    path = directory / "nginx.tmpl"
    path.unlink() if template is None else path.write_text(template)
    result = call("check")
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("no-such-nginx", "no program 'no-such-nginx'", id="missing"),
        pytest.param("./hanging", "did not end within", id="hanging"),
    ],
)
def test_check_fails_if_the_proxys_check_cannot_run(
    call: Call, nixy: Path, command: str, words: str
) -> None:
    hanging = nixy.with_name("hanging")
    hanging.write_text("#!/bin/sh\nsleep 600\n")
    hanging.chmod(0o755)
    lines = [line for line in nixy.read_text().splitlines() if not line.startswith("nginx_cmd")]
    extra = f'nginx_cmd = "{command}"\ncommand_timeout_sec = 0.3\n'
    nixy.write_text(extra + "\n".join(lines))
    result = call("check")
    assert result.exit_code == 1
    assert words in result.stderr


def test_disabled_check_is_reported(call: Call, nixy: Path) -> None:
    nixy.write_text("nginx_ignore_check = true\n" + nixy.read_text())
    result = call("check")
    assert result.exit_code == 0
    assert "disabled in the configuration" in result.stdout


@pytest.mark.usefixtures("nixy")
def test_the_environment_alone_is_a_configuration(call: Call, directory: Path) -> None:
    (directory / "nixy.toml").unlink()
    result = call("check", DROVE_CONTROLLERS="http://127.0.0.1:1", DROVE_CLUSTER_NAME="stage")
    assert "from the environment" in result.stdout


async def test_check_uses_the_responses_of_live_controllers(nixy: Path, directory: Path) -> None:
    async with Simulator(Options(apps=2, instances=3, real=False)) as cluster:
        urls = json.dumps(cluster.urls)
        nixy.write_text(nixy.read_text().replace('["http://127.0.0.1:1"]', urls))
        out = await printed(directory, "check")
    assert b"rendered 2 vhosts with 6 servers from the controllers" in out


@pytest.mark.parametrize(("password", "code"), [("p", 0), ("wrong", 3)])
async def test_refused_credentials_have_an_exit_code_of_their_own(
    call: Call, nixy: Path, password: str, code: int
) -> None:
    async with Simulator(Options(apps=1, real=False, user="u", password="p")) as cluster:
        text = nixy.read_text().replace('["http://127.0.0.1:1"]', json.dumps(cluster.urls))
        nixy.write_text(f'{text}user = "u"\npass = "{password}"\n')
        result = await asyncio.to_thread(call, "check")
    assert result.exit_code == code, result.stderr
    assert ("the controllers refuse the credentials" in result.stderr) is (code == 3)
    assert "wrong" not in result.stderr


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--strict",), 4)])
def test_a_warning_fails_a_strict_check_only(
    call: Call, nixy: Path, option: tuple[str, ...], code: int
) -> None:
    nixy.write_text("left_over = 1\n" + nixy.read_text())
    answer = nixy.with_name("answer.json")
    assert call("check", "--endpoints", f"stage={answer}", *option).exit_code == code


def test_a_strict_check_without_warnings_succeeds(call: Call, nixy: Path) -> None:
    answer = nixy.with_name("answer.json")
    result = call("check", "--endpoints", f"stage={answer}", "--strict")
    assert result.exit_code == 0, result.stderr


@pytest.mark.usefixtures("nixy")
def test_a_line_that_loses_requests_is_a_warning_with_its_place(
    call: Call, directory: Path
) -> None:
    template = directory / "nginx.tmpl"
    text = template.read_text()
    copy = directory / "new.tmpl"
    copy.write_text(text.replace("worker_shutdown_timeout 10m", "worker_shutdown_timeout 1s"))

    result = call("check", "--template", "new.tmpl")

    line = text[: text.index("worker_shutdown_timeout")].count("\n") + 1
    assert result.exit_code == 0
    assert "warning: new.tmpl at line" in result.stderr
    assert f"worker_shutdown_timeout 1s;, from line {line} of new.tmpl" in result.stderr
    assert "ends requests that take longer, at each reload" in result.stderr
