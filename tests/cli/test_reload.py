"""`reload` asks the gateway that runs with the same configuration."""

import asyncio
from pathlib import Path

from tests.cli.conftest import Call
from tests.cli.test_accept import NAMESPACE, gateway
from tests.traffic import free_port


async def test_reload_is_requested_from_the_running_gateway(directory: Path, call: Call) -> None:
    async with gateway(directory, 'admin_token = "let-me"') as api:
        result = await asyncio.to_thread(call, "reload")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("queued at http://127.0.0.1:")
    assert api.asked == ["reload"]


async def test_full_queue_is_an_error(directory: Path, call: Call) -> None:
    async with gateway(directory, "") as api:
        api.queue_has_room = False
        result = await asyncio.to_thread(call, "reload")

    assert result.exit_code == 1
    assert "too many reloads in its queue" in result.stderr


def test_missing_gateway_is_an_error(directory: Path, call: Call) -> None:
    (directory / "nixy.toml").write_text(f"port = {free_port()}\n{NAMESPACE}")
    result = call("reload")

    assert result.exit_code == 1
    assert "no gateway responds at" in result.stderr
