"""The doctor before simulated controllers, and as a command."""

import asyncio
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from drove_gateway.cli.doctor.diagnosis import Diagnosis, diagnosis
from drove_gateway.cli.doctor.examination import examine, time_to_traffic
from drove_gateway.cli.doctor.text import lines
from drove_gateway.config import Settings, load
from drove_gateway.model.finding import Finding
from drove_gateway.simulator.faults import Fault
from drove_gateway.simulator.options import Options
from drove_gateway.simulator.simulator import Simulator
from drove_gateway.status.document import HistoryEntry
from drove_gateway.templates import shipped

QUIET = Options(apps=3, instances=2, real=False)
GOOD = """global
    hard-stop-after 10m
defaults
    mode http
    option idle-close-on-response
frontend web
    bind :80
"""


def settings(directory: Path, *urls: str, proxy: str = GOOD, more: str = "") -> Settings:
    (directory / "haproxy.cfg").write_text(proxy)
    (directory / "haproxy.tmpl").write_text(shipped("haproxy"))
    file = directory / "nixy.toml"
    file.write_text(
        f"""port = 0
proxy_platform = "haproxy"
haproxy_config = "{directory}/haproxy.cfg"
haproxy_template = "{directory}/haproxy.tmpl"
state_persistence_enabled = false
event_refresh_interval_sec = 1
api_timeout = 2
{more}
[[namespaces]]
name = "main"
drove = {json.dumps(urls)}
"""
    )
    return load(file, {}).settings


def checks(found: Diagnosis) -> dict[str, tuple[str, ...]]:
    return {finding.check: finding.subjects for finding in found.findings}


async def test_a_cluster_without_a_fault_has_no_finding(tmp_path: Path) -> None:
    async with Simulator(Options(apps=3, real=False, wait_before_kill=30)) as cluster:
        found = await examine(settings(tmp_path, *cluster.urls))

    assert found == Diagnosis()


async def test_faults_of_apps_and_proxy_are_found_together_the_worst_first(tmp_path: Path) -> None:
    options = Options(apps=3, real=False, tags={"colour": "blue"})
    proxy = GOOD.replace("hard-stop-after 10m", "maxconn 100")
    async with Simulator(options) as cluster:
        found = await examine(settings(tmp_path, *cluster.urls, proxy=proxy))

    assert list(checks(found)) == ["wait_before_kill", "hard_stop_after", "unread_tag"]
    assert checks(found)["wait_before_kill"][0] == "app1-1 (app1.local, namespace main): 0 s"
    assert found.hurts
    assert found.not_examined == ()


async def test_a_controller_whose_clock_differs_is_found(tmp_path: Path) -> None:
    options = Options(real=False, wait_before_kill=30, clock_skews=(0, 45, -7))
    async with Simulator(options) as cluster:
        found = await examine(settings(tmp_path, *cluster.urls))

    assert checks(found) == {
        "clock_difference": (
            f"{cluster.urls[1]}: 45 s ahead of this machine",
            f"{cluster.urls[2]}: 7 s behind this machine",
        )
    }


async def test_nothing_is_changed(tmp_path: Path) -> None:
    async with Simulator(QUIET) as cluster:
        used = settings(tmp_path, *cluster.urls)
        before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        await examine(used)

    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


async def test_without_a_leader_the_rest_is_examined_and_the_gap_is_named(tmp_path: Path) -> None:
    found = await examine(settings(tmp_path, "http://127.0.0.1:1", proxy="frontend web\n"))

    assert list(checks(found)) == ["idle_close_on_response", "hard_stop_after"]
    (gap,) = found.not_examined
    assert "namespace main: no controller leads: http://127.0.0.1:1" in gap


@pytest.mark.parametrize("kind", ["status", "garbage", "truncated", "cut", "wrong-types", "html"])
async def test_specifications_that_cannot_be_read_are_counted(tmp_path: Path, kind: str) -> None:
    async with Simulator(QUIET) as cluster:
        cluster.faults.add(Fault(kind=kind, route="spec"))  # type: ignore[arg-type]
        found = await examine(settings(tmp_path, *cluster.urls))

    assert "wait_before_kill" not in checks(found)
    (gap,) = found.not_examined
    assert gap.startswith("specifications of 3 apps of namespace main: ")


async def test_slow_specifications_are_waited_for_only_so_long(tmp_path: Path) -> None:
    async with Simulator(QUIET) as cluster:
        cluster.faults.add(Fault(kind="slow", route="spec", delay=5))
        async with asyncio.timeout(4):
            found = await examine(settings(tmp_path, *cluster.urls), patience=0.2)

    assert "not all responses within 0.2 s" in found.not_examined[0]


def certificate(path: Path, *, days: int) -> None:
    key, period = str(path.with_suffix(".key")), str(days)
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a")
    subprocess.run(
        (*command, "-days", period, "-keyout", key, "-out", str(path)),
        check=True,
        capture_output=True,
    )


async def test_certificates_of_the_proxy_and_of_the_controllers_are_read(tmp_path: Path) -> None:
    certificate(tmp_path / "a.pem", days=5)
    proxy = f"{GOOD}    bind :443 ssl crt {tmp_path}/a.pem crt {tmp_path}/missing.pem\n"
    found = await examine(settings(tmp_path, "https://127.0.0.1:1", proxy=proxy))

    assert checks(found)["certificate_expires"] == (f"{tmp_path}/a.pem: expires in 5 days",)
    assert f"certificate {tmp_path}/missing.pem: No such file or directory" in found.not_examined
    assert any(gap.startswith("certificate of https://127.0.0.1:1: ") for gap in found.not_examined)


def entry(seconds: float, error: str = "") -> HistoryEntry:
    return HistoryEntry(datetime.now(UTC), seconds, error=error)


def test_the_time_to_traffic_is_a_late_poll_a_fetch_and_the_slowest_applies(
    tmp_path: Path,
) -> None:
    used = settings(tmp_path, more='haproxysocketaddr = "/run/h.sock"')
    history = [entry(0.01)] * 50 + [entry(0.4), entry(90, "refused")]

    time = time_to_traffic(used, history, [0.2, None])

    assert time.seconds == pytest.approx(1.1 + 0.2 + 0.4)
    assert time.source == "measured in 51 applies"


def test_an_interval_in_a_namespace_has_no_effect_and_does_not_count(tmp_path: Path) -> None:
    used = settings(tmp_path, more='haproxysocketaddr = "/run/h.sock"')
    text = (tmp_path / "nixy.toml").read_text() + "event_refresh_interval_sec = 60\n"
    (tmp_path / "nixy.toml").write_text(text)

    in_namespace = load(tmp_path / "nixy.toml", {}).settings

    assert in_namespace.namespaces[0].event_refresh_interval_sec == 60
    assert time_to_traffic(in_namespace, (), ()) == time_to_traffic(used, (), ())


async def test_tags_are_not_examined_without_the_template_that_may_read_them(
    tmp_path: Path,
) -> None:
    options = Options(apps=1, real=False, wait_before_kill=30, tags={"colour": "blue"})
    async with Simulator(options) as cluster:
        used = settings(tmp_path, *cluster.urls)
        (tmp_path / "haproxy.tmpl").unlink()
        found = await examine(used)

    [problem] = found.not_examined
    assert found.findings == ()
    assert problem.startswith("tags, because of the template ")
    assert problem.endswith("haproxy.tmpl: No such file or directory")


def test_without_a_runtime_api_a_change_may_wait_for_the_next_reload(tmp_path: Path) -> None:
    time = time_to_traffic(settings(tmp_path, more="reload_min_interval_sec = 9"), (), ())

    assert time.seconds == pytest.approx(1.1 + 9 + 0.5)
    assert time.source == "assumed apply of 0.5 s"


FINDINGS = diagnosis(
    [
        Finding("unread_tag", "note", "Tags are unread.", ("a", "b"), "Correct them."),
        Finding("nothing", "error", "Not found.", (), "Rest."),
        Finding("shared_address", "error", "Shared.", tuple(map(str, range(12))), "Check."),
    ],
    ["apps: no \x1b[31mleader"],
)


def test_the_text_lists_the_worst_first_and_counts_long_lists() -> None:
    text = list(lines(FINDINGS, everything=False))

    assert text[0] == "!! shared_address: Shared."
    assert text[11:13] == ["     and 2 more; --all lists them", "   > Check."]
    assert "-  unread_tag: Tags are unread." in text
    assert text[-3] == "?  not examined: apps: no �[31mleader"
    assert text[-1] == "Found 1 problem. Not everything could be examined."
    assert "     11" in lines(FINDINGS, everything=True)


def test_the_command_exits_with_4_if_something_will_hurt(call: Call, directory: Path) -> None:
    settings(directory, "http://127.0.0.1:1", proxy="frontend web\n")

    result = call("doctor")

    assert result.exit_code == 4
    assert result.stdout.startswith("!! idle_close_on_response: ")


def test_the_command_exits_with_1_if_not_everything_could_be_examined(
    call: Call, directory: Path
) -> None:
    settings(directory, "http://127.0.0.1:1")

    result = call("doctor")

    assert result.exit_code == 1
    assert "Nothing was found that will hurt. Not everything could be examined." in result.stdout


def test_json_has_every_finding_for_programs(call: Call, directory: Path) -> None:
    settings(directory, "http://127.0.0.1:1", proxy="frontend web\n")

    document = json.loads(call("doctor", "--json").stdout)

    assert document["findings"][0]["check"] == "idle_close_on_response"
    assert document["findings"][0]["subjects"] == ["frontend web"]
    assert len(document["not_examined"]) == 1


def test_a_configuration_that_cannot_be_used_is_an_error(call: Call, directory: Path) -> None:
    (directory / "nixy.toml").write_text("port = many")

    assert call("doctor").exit_code == 1
