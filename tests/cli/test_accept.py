"""`accept` talks to the gateway that runs with the same configuration."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from tests.admin.conftest import Api
from tests.admin.test_server import certificate
from tests.cli.conftest import Call
from tests.traffic import free_port

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin import serve
from drove_gateway.config import load
from drove_gateway.log.event_log import EventLog

HELD = HeldWithdrawal("stage", "the response is suddenly empty", 12, ("a.local", "b.local"), 41.25)
NAMESPACE = '[[namespaces]]\nname = "stage"\ndrove = ["http://127.0.0.1:1"]\n'


@asynccontextmanager
async def gateway(directory: Path, keys: str) -> AsyncIterator[Api]:
    """A gateway's API with a configuration of `keys`, which is left in nixy.toml."""
    path = directory / "nixy.toml"
    path.write_text(f"port = {free_port()}\n{keys}\n{NAMESPACE}")
    api = Api()
    async with serve(
        load(path, {}).settings,
        sources=api.sources(),
        actions=api.actions(),
        log=EventLog(structlog.get_logger()),
    ):
        yield api


async def test_accepted_withdrawals_are_printed(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        api.held = (HELD,)
        result = await asyncio.to_thread(call, "accept")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "accepted      namespace stage: 12 servers of a.local, b.local",
        "              held until now because the response is suddenly empty",
    ]
    assert api.asked == ["accept"]


async def test_names_and_dry_run_are_passed_on_with_the_user(
    directory: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "jo")
    async with gateway(directory, "") as api:
        api.held = (HELD,)
        result = await asyncio.to_thread(call, "accept", "--dry-run", "a.local", "stage")

    assert result.stdout.startswith("would remove  namespace stage: 12 servers")
    [request] = api.accepting
    assert (set(request.names), request.dry_run) == ({"a.local", "stage"}, True)
    assert request.caller == "jo (127.0.0.1)"


async def test_name_of_which_nothing_is_held_is_an_error(directory: Path, call: Call) -> None:
    async with gateway(directory, ""):
        result = await asyncio.to_thread(call, "accept", "c.local")

    assert (result.exit_code, result.stdout) == (1, "nothing is held of c.local\n")


async def test_accept_without_held_withdrawals_says_so(directory: Path, call: Call) -> None:
    async with gateway(directory, ""):
        result = await asyncio.to_thread(call, "accept", "-f", "nixy.toml")

    assert (result.exit_code, result.stdout) == (0, "nothing is held\n")


async def test_the_token_of_the_configuration_is_sent(directory: Path, call: Call) -> None:
    async with gateway(directory, 'admin_token = "let-me"') as api:
        assert (await asyncio.to_thread(call, "accept")).exit_code == 0
        file = directory / "nixy.toml"
        file.write_text(file.read_text().replace("let-me", "something-else"))
        refused = await asyncio.to_thread(call, "accept")

    assert refused.exit_code == 1
    assert "the request has a wrong token" in refused.stderr
    assert "let-me" not in refused.output
    assert api.asked == ["accept"]


async def test_it_trusts_the_configured_certificate(directory: Path, call: Call) -> None:
    cert, key = certificate(directory, "gateway")
    files = f'port_tls_certfile = "{cert}"\nport_tls_keyfile = "{key}"'
    async with gateway(directory, f"port_use_tls = true\n{files}") as api:
        assert (await asyncio.to_thread(call, "accept")).exit_code == 0
        other, other_key = certificate(directory, "other")
        file = directory / "nixy.toml"
        file.write_text(
            file.read_text().replace(str(cert), str(other)).replace(str(key), str(other_key))
        )
        refused = await asyncio.to_thread(call, "accept")

    assert refused.exit_code == 1
    assert "no gateway responds" in refused.stderr
    assert api.asked == ["accept"]


@pytest.mark.parametrize(
    ("port_of", "message"),
    [
        pytest.param(free_port, "no gateway responds at http://127.0.0.1:", id="nobody there"),
        pytest.param(lambda: 0, "port = 0 means any free port", id="no port of its own"),
    ],
)
def test_unreachable_gateway_is_reported(
    directory: Path, call: Call, port_of: Callable[[], int], message: str
) -> None:
    port = port_of()
    (directory / "nixy.toml").write_text(f"port = {port}\n{NAMESPACE}")

    result = call("accept")

    assert result.exit_code == 1
    assert message in result.stderr
