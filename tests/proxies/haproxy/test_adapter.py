"""Changes become commands of HAProxy's runtime API."""

import time
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.haproxy.imitation import Model, Server, serve

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.runtime.servers import Action, Batch, Change

CHECKED = Options(attributes="check inter 1s")
S = "server_10.0.0.1_80"


def change(action: Action, name: str = S, *, https: bool = False, busy: bool = False) -> Change:
    return Change(action, "b", name, "why", "10.0.0.1", 80, https, busy=busy)


async def carried_out(
    directory: Path, changed: Change, options: Options, model: Model
) -> tuple[list[str], Batch]:
    """The commands that change something, and what they came to."""
    commands: list[str] = []

    def answer(command: str) -> str:
        commands.append(command)
        return model.answer(command)

    socket = directory / "s"
    async with serve(socket, answer):
        api = RuntimeApi(
            UnixSocket(str(socket)),
            timeout=2,
            clock=time.monotonic,
            metrics=CountingMetrics(),
            log=EventLog(structlog.get_logger()),
        )
        batch = await HaproxyAdapter(api, options).carry_out([changed])
    return [command for command in commands if not command.startswith("show")], batch


@pytest.mark.parametrize(
    ("changed", "options", "commands"),
    [
        (
            change(Action.ADD),
            Options(),
            [f"add server b/{S} 10.0.0.1:80", f"set server b/{S} state ready"],
        ),
        (
            change(Action.ADD),
            CHECKED,
            [
                f"add server b/{S} 10.0.0.1:80 check inter 1s",
                f"enable health b/{S}",
                f"set server b/{S} state ready",
            ],
        ),
        (
            change(Action.PROBE),
            CHECKED,
            [
                f"add server b/{S} 10.0.0.1:80 check inter 1s",
                f"enable health b/{S}",
                f"set server b/{S} state drain",
            ],
        ),
        (
            change(Action.ADD, https=True),
            Options(attributes="on-marked-down shutdown-sessions"),
            [
                f"add server b/{S} 10.0.0.1:80 on-marked-down shutdown-sessions ssl verify none",
                f"set server b/{S} state ready",
            ],
        ),
        (
            Change(Action.ADD, "b", S, "why", "2001:db8::1", 80),
            Options(),
            [f"add server b/{S} [2001:db8::1]:80", f"set server b/{S} state ready"],
        ),
        (change(Action.MOVE), Options(), [f"set server b/{S} addr 10.0.0.1 port 80"]),
        (
            change(Action.REPLACE),
            Options(),
            [
                f"set server b/{S} state maint",
                f"del server b/{S}",
                f"add server b/{S} 10.0.0.1:80",
                f"set server b/{S} state ready",
            ],
        ),
        (change(Action.READY), Options(), [f"set server b/{S} state ready"]),
        (change(Action.DRAIN), Options(), [f"set server b/{S} state drain"]),
        (
            change(Action.DELETE),
            Options(),
            [f"set server b/{S} state maint", f"del server b/{S}"],
        ),
        (
            change(Action.DELETE, busy=True),
            Options(),
            [
                f"set server b/{S} state maint",
                f"shutdown sessions server b/{S}",
                f"del server b/{S}",
            ],
        ),
    ],
    ids=[
        "add",
        "add checked",
        "probe",
        "add https",
        "add ipv6",
        "move",
        "replace",
        "ready",
        "drain",
        "delete",
        "delete busy",
    ],
)
async def test_a_change_becomes_commands(
    short_path: Path, changed: Change, options: Options, commands: list[str]
) -> None:
    adds = changed.action in {Action.ADD, Action.PROBE}
    model = Model({"b": {} if adds else {S: Server("10.0.0.7", 80)}})
    sent, batch = await carried_out(short_path, changed, options, model)
    assert sent == commands
    assert [result.state for result in batch.results] == ["done"]


async def test_a_server_with_connections_cannot_be_deleted_yet(short_path: Path) -> None:
    model = Model({"b": {S: Server("10.0.0.1", 80, used=1)}})
    _, batch = await carried_out(short_path, change(Action.DELETE), Options(), model)
    assert [result.state for result in batch.results] == ["busy"]


async def test_a_backend_that_is_missing_refuses_without_requesting_a_reload(
    short_path: Path,
) -> None:
    _, batch = await carried_out(short_path, change(Action.ADD), Options(), Model({}))
    (result,) = batch.results
    assert (result.state, result.problem) == ("refused", "HAProxy has no backend b")
    assert batch.observed is not None
    assert batch.observed.backends == {}


def test_names_are_made_of_all_settings_and_have_no_colons() -> None:
    naming = Naming(server_prefix="drove", host_port_delimiter="-")
    assert naming.server(Host("10.0.0.1", 80, "http")) == "drove-10.0.0.1-80"
    assert Naming().server(Host("2001:db8::1", 80, "http")) == "server_2001_db8__1_80"
