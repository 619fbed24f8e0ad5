"""`drove-gateway render`: what would be written, from saved answers or live controllers."""

import json
from pathlib import Path

import pytest
from tests.cli.beside import printed
from tests.cli.conftest import ANSWER, Call

from drove_gateway.simulator import Options, Simulator


def endpoints(directory: Path) -> tuple[str, str]:
    return "--endpoints", f"stage={directory}/answer.json"


@pytest.mark.parametrize("before", [True, False], ids=["-f before", "-f after"])
def test_saved_response_is_rendered(
    call: Call, nixy: Path, directory: Path, *, before: bool
) -> None:
    file, command = ("-f", str(nixy)), ("render", *endpoints(directory))
    result = call(*file, *command) if before else call(*command, *file)
    assert result.exit_code == 0, result.stderr
    assert "upstream web.example.com {" in result.stdout
    assert "server [2001:db8::1]:31001 " in result.stdout
    assert 'X-Proxy "lb1"' in result.stdout
    assert not (directory / "nginx.conf").exists()


@pytest.mark.usefixtures("nixy")
def test_saved_response_may_be_its_data_only(call: Call, directory: Path) -> None:
    (directory / "answer.json").write_text(json.dumps(ANSWER))
    assert "upstream web.example.com {" in call("render", *endpoints(directory)).stdout


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_servers_of_an_app_that_is_listed_twice_are_those_of_both_entries_each_once(
    call: Call, nixy: Path, directory: Path, proxy: str
) -> None:
    (first,) = ANSWER
    common, other = {"host": "10.0.0.1", "port": 31000}, {"host": "10.0.0.2", "port": 31002}
    second = [{**host, "portType": "HTTP"} for host in (common, other)]
    entries = [first, {**first, "hosts": second}, {**first, "vhost": "other.example.com"}]
    (directory / "answer.json").write_text(json.dumps(entries))
    template = "{{range .Apps}}{{.Vhost}}:{{range .Hosts}} {{.Host}}{{end}}\n{{end}}"
    (directory / "hosts.tmpl").write_text(template)
    nixy.write_text(
        f'proxy_platform = "{proxy}"\nhaproxy_template = "hosts.tmpl"\n{nixy.read_text()}'
    )

    result = call("render", *endpoints(directory), "--template", "hosts.tmpl")

    assert result.stdout.splitlines() == [
        "other.example.com: 10.0.0.1 2001:db8::1",
        "web.example.com: 10.0.0.1 10.0.0.2 2001:db8::1",
    ], result.stderr


@pytest.mark.usefixtures("nixy")
def test_rejected_entries_are_reported_on_stderr(call: Call, directory: Path) -> None:
    bad = {**ANSWER[0], "appId": "bad-1", "vhost": "web..example.com"}
    (directory / "answer.json").write_text(json.dumps([*ANSWER, bad]))
    result = call("render", *endpoints(directory))
    assert result.exit_code == 0
    assert "rejected: namespace stage, app bad-1: vhost 'web..example.com'" in result.stderr
    assert "web..example.com" not in result.stdout


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        pytest.param("stage", "is not NAMESPACE=FILE", id="no file"),
        pytest.param("stage=", "is not NAMESPACE=FILE", id="an empty one"),
        pytest.param("other=answer.json", "no namespace 'other' in stage", id="namespace"),
        pytest.param("stage=nowhere.json", "nowhere.json: No such file", id="missing file"),
        pytest.param("stage=nixy.toml", "--endpoints: nixy.toml: ", id="no answer"),
    ],
)
@pytest.mark.usefixtures("nixy")
def test_a_wrong_argument_is_explained(call: Call, argument: str, words: str) -> None:
    result = call("render", "--endpoints", argument)
    assert result.exit_code in {1, 2}
    assert words in result.stderr
    assert "error" in result.stderr.lower()
    assert result.stdout == ""


@pytest.mark.usefixtures("nixy")
def test_broken_template_is_reported_with_its_line(call: Call, directory: Path) -> None:
    (directory / "nginx.tmpl").write_text("one\n{{.Nope}}\n")
    result = call("render", *endpoints(directory))
    assert result.exit_code == 1
    assert "nginx.tmpl:2" in result.stderr


@pytest.mark.usefixtures("nixy")
def test_message_of_each_controller_is_reported_if_none_leads(call: Call) -> None:
    result = call("render")
    assert result.exit_code == 1
    assert "namespace stage: no controller leads: http://127.0.0.1:1: " in result.stderr


async def test_endpoints_are_fetched_from_live_controllers(nixy: Path, directory: Path) -> None:
    async with Simulator(Options(apps=1, real=False, user="u", password="p")) as cluster:
        urls = json.dumps(cluster.urls)
        text = nixy.read_text().replace('["http://127.0.0.1:1"]', urls)
        nixy.write_text(text + 'user = "u"\npass = "p"\n')
        out = await printed(directory, "render")
    assert b"upstream app1.local {" in out


@pytest.mark.parametrize("command", ["render", "check"])
def test_another_template_is_tried_without_being_live(
    call: Call, nixy: Path, directory: Path, command: str
) -> None:
    live = (directory / "nginx.tmpl").read_text()
    (directory / "new.tmpl").write_text(live.replace("# Written by", "# Tried out by"))
    options = ("--template", "new.tmpl", "--endpoints", f"stage={directory}/answer.json")
    result = call(command, "-f", str(nixy), *options, *(("--diff",) if command == "check" else ()))

    assert result.exit_code == 0, result.output
    assert "# Tried out by drove-gateway" in result.output
    assert (directory / "nginx.tmpl").read_text() == live


def test_sockets_that_render_does_not_use_are_not_mentioned(
    call: Call, nixy: Path, directory: Path
) -> None:
    absent = f'proxy_platform = "haproxy"\nhaproxysocketaddr = "{directory}/none.sock"\n'
    nixy.write_text(f"{absent}haproxy_template = 'nginx.tmpl'\n{nixy.read_text()}")
    assert call("render", *endpoints(directory)).stderr == ""
    assert "haproxysocketaddr" in call("check", *endpoints(directory)).stderr
