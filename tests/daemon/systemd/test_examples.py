"""The shipped units say what the daemon does."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from drove_gateway.config import Settings
from drove_gateway.daemon.app import STOP_SECONDS
from drove_gateway.daemon.systemd import LATEST_READINESS_SECONDS
from drove_gateway.process.signals import HANDLED

EXAMPLES = Path(__file__).parents[3] / "examples" / "systemd"
PACKAGED = Path(__file__).parents[3] / "packaging" / "common"


def assignments(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text().splitlines():
        name, found, value = line.partition("=")
        if found and not line.startswith("#"):
            yield name, value


def test_the_unit_waits_for_readiness_and_watches() -> None:
    unit = dict(assignments(EXAMPLES / "drove-gateway.service"))

    assert unit["Type"] == "notify"
    assert int(unit["WatchdogSec"]) > 0
    assert unit["Restart"] == "always"
    assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID"


@pytest.mark.parametrize(
    "unit",
    [EXAMPLES / "drove-gateway.service", PACKAGED / "drove.gateway.service"],
    ids=["documented", "for the original's configuration"],
)
def test_a_start_of_the_unit_has_a_limit_that_readiness_comes_before(unit: Path) -> None:
    assert int(dict(assignments(unit))["TimeoutStartSec"]) > 2 * LATEST_READINESS_SECONDS


def test_the_unit_owns_the_directory_of_the_state_and_gives_the_gateway_time_to_end() -> None:
    unit = dict(assignments(EXAMPLES / "drove-gateway.service"))
    settings = Settings()

    assert f"/var/lib/{unit['StateDirectory']}" == settings.state_persistence_dir
    assert int(unit["TimeoutStopSec"]) > 2 * STOP_SECONDS


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_the_drop_ins_send_signals_that_are_taken_and_never_hinder_the_proxy(proxy: str) -> None:
    commands = list(assignments(EXAMPLES / f"{proxy}.service.d" / "drove-gateway.conf"))
    sent = [(name, command) for name, command in commands if "--signal=" in command]

    assert [name for name, _ in sent] == ["ExecStartPre", "ExecStartPost", "ExecStop"]
    for _, command in commands:
        assert command.startswith("-") or not command
    for _, command in sent:
        word = next(word for word in command.split() if word.startswith("--signal="))
        assert signal.Signals[word.removeprefix("--signal=")] in HANDLED


def test_nginx_is_stopped_after_the_gateway_was_notified() -> None:
    """Debian's unit has its own ExecStop, which would otherwise come first."""
    commands = assignments(EXAMPLES / "nginx.service.d" / "drove-gateway.conf")
    first, notification, stop = [command for name, command in commands if name == "ExecStop"]

    assert first == ""
    assert "--signal=SIGUSR1" in notification
    assert "start-stop-daemon" in stop
