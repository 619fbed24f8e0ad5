"""`drove-gateway explain VHOST`, from saved answers and from live controllers."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from tests.admin.statuses import serving
from tests.cli.beside import printed
from tests.cli.conftest import ANSWER, Call
from tests.cli.test_accept import NAMESPACE, gateway
from tests.cli.test_command import completed
from tests.traffic import free_port

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord
from drove_gateway.simulator import Options, Simulator
from drove_gateway.status.status import with_record

DOWN = ServerState("a.local", "s1", "10.0.0.1:8080", "DOWN (L4CON)", False)


@pytest.mark.parametrize("before", [True, False], ids=["-f before", "-f after"])
def test_a_served_vhost_names_its_apps_and_instances(
    call: Call, nixy: Path, directory: Path, *, before: bool
) -> None:
    file = ("-f", str(nixy))
    command = ("explain", "WEB.example.com", "--endpoints", f"stage={directory}/answer.json")
    result = call(*file, *command) if before else call(*command, *file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "web.example.com should be served by 2 servers.",
        "Namespace stage, as reported by http://127.0.0.1:1:",
        "  app web-1: 2 of 2 hosts accepted",
        "    http 10.0.0.1:31000",
        "    http 2001:db8::1:31001",
    ]


@pytest.mark.usefixtures("nixy")
def test_nearest_vhost_is_suggested_for_an_unknown_vhost(call: Call, directory: Path) -> None:
    saved = ("--endpoints", f"stage={directory}/answer.json")
    result = call("explain", "wep.example.com", *saved)
    assert result.exit_code == 1
    assert "wep.example.com is not served." in result.stdout
    assert "Did you mean web.example.com?" in result.stdout
    assert "Did you mean" not in call("explain", "nothing-like-it", *saved).stdout


def test_rule_that_excludes_an_app_is_named(call: Call, nixy: Path, directory: Path) -> None:
    nixy.write_text(nixy.read_text() + 'realm_suffix = ".example.org"\n')
    result = call("explain", "web.example.com", "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 1
    assert "neither in realm (not set) nor ending in realm_suffix (.example.org)" in result.stdout


@pytest.mark.usefixtures("nixy")
@pytest.mark.parametrize("question", ["http://web.example.com/cart", "WEB-1", "10.0.0.1:31000"])
def test_urls_apps_and_instances_are_understood_without_a_gateway(
    call: Call, directory: Path, question: str
) -> None:
    result = call("explain", question, "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("web.example.com should be served by 2 servers.")


@pytest.mark.usefixtures("nixy")
@pytest.mark.parametrize("saved", [True, False], ids=["saved answer", "running gateway"])
def test_an_empty_question_is_refused_with_what_to_name(
    call: Call, directory: Path, *, saved: bool
) -> None:
    endpoints = ("--endpoints", f"stage={directory}/answer.json") if saved else ()
    result = call("explain", " ", *endpoints)
    assert result.exit_code == 2
    assert "VHOST is empty: name a vhost, a URL, an app, or a host:port" in result.stderr


@pytest.mark.usefixtures("nixy")
def test_rejected_instance_is_named_with_the_reason(call: Call, directory: Path) -> None:
    hosts = [
        {"host": "10.0.0.1", "port": 31000, "portType": "HTTP"},
        {"host": "a b", "port": 1, "portType": "HTTP"},
    ]
    (directory / "answer.json").write_text(json.dumps([{**ANSWER[0], "hosts": hosts}]))
    result = call("explain", "web.example.com", "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 0
    assert "1 of 2 hosts accepted" in result.stdout
    assert "host 'a b' left out" in result.stdout


@pytest.mark.usefixtures("nixy")
def test_unreadable_entries_are_reported_if_a_vhost_is_not_found(
    call: Call, directory: Path
) -> None:
    other = {**ANSWER[0], "appId": "api-1", "vhost": "api.example.com"}
    (directory / "answer.json").write_text(json.dumps([other, {**ANSWER[0], "hosts": 7}]))
    result = call("explain", "web.example.com", "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 1
    assert "rejected: namespace stage, app web-1" in result.stderr


async def explained(call: Call, *arguments: str) -> Result:
    return await asyncio.to_thread(call, "explain", *arguments)


async def test_the_running_gateway_is_asked(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        api.status = serving(api.status)
        api.present = {"a.local": (DOWN,)}
        result = await explained(call, "http://a.local/cart")

    assert result.exit_code == 1
    assert f"vhost a.local, according to the gateway at {api_url(directory)}" in result.stdout
    assert "This is 503 because no server is up: 10.0.0.1:8080 is DOWN (L4CON)." in result.stdout
    assert "What helps: check the instances" in result.stdout
    assert "app a-1: 1 of 1 host accepted" in result.stdout
    assert result.stderr == ""


async def test_a_served_vhost_of_the_gateway_exits_with_0(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        api.status = serving(api.status)
        served = await explained(call, "b-1")
        unknown = await explained(call, "a.locl")
        as_json = await explained(call, "--json", "a.local")

    assert (served.exit_code, unknown.exit_code) == (0, 1)
    assert "app b-1, according to" in served.stdout
    assert "Did you mean a.local?" in unknown.stdout
    assert json.loads(as_json.stdout)["vhosts"][0]["served"]


async def test_what_forced_the_last_reload_of_a_vhost_is_named(directory: Path, call: Call) -> None:
    line = "`acl known hdr(host) a.local` in `frontend http`"
    record = ApplyRecord(1.0, 0.5, (), ("vhost a.local added", line), (), reloaded=True)
    async with gateway(directory, "") as api:
        api.status = with_record(serving(api.status), record)
        result = await explained(call, "a.local")

    shown = " ".join(result.stdout.split())
    assert "Last reload because of it, " in shown
    assert f"ago: vhost a.local added; {line}" in shown


@pytest.mark.usefixtures("nixy")
async def test_without_a_gateway_the_command_says_so_and_asks_the_controllers(call: Call) -> None:
    result = await explained(call, "a.local")

    assert result.exit_code == 1
    assert "what follows is what the controllers list, not what is served" in result.stderr
    assert "no gateway responds" in result.stderr


def api_url(directory: Path) -> str:
    first = (directory / "nixy.toml").read_text().splitlines()[0]
    return f"http://127.0.0.1:{first.removeprefix('port = ')}"


async def test_endpoints_are_fetched_from_live_controllers(nixy: Path, directory: Path) -> None:
    async with Simulator(Options(apps=1, real=False, tags={"team": "red"})) as cluster:
        text = nixy.read_text().replace('["http://127.0.0.1:1"]', json.dumps(cluster.urls))
        nixy.write_text(text)
        out = await printed(directory, "explain", "app1.local")
    assert b"app1.local should be served by 2 servers." in out
    assert b"team = red" in out


async def test_the_shell_completes_vhosts_of_the_running_gateway(directory: Path) -> None:
    async with gateway(directory, "") as api:
        api.status = serving(api.status)
        every = await asyncio.to_thread(completed, "drove-gateway explain ", 2)
        some = await asyncio.to_thread(completed, "drove-gateway accept b", 2)

    assert every == ["a.local", "b.local", "drove.local"]
    assert some == ["b.local"]


def test_the_shell_completes_nothing_without_a_gateway(directory: Path) -> None:
    (directory / "nixy.toml").write_text(f"port = {free_port()}\n{NAMESPACE}")

    assert completed("drove-gateway explain ", 2) == [""]
