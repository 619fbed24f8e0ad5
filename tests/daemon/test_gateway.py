"""A gateway as the daemon puts it together: what its parts report reaches its API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from tests.waiting import until

from drove_gateway.admin.addressee import HEADER, digest
from drove_gateway.config import Settings
from drove_gateway.config.platforms import proxy_named_by
from drove_gateway.daemon.gateway import Gateway, first_status
from drove_gateway.demo.processes import free_ports
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.state.journal import Journal
from drove_gateway.status.publisher import StatusPublisher

SECRET = "0pen-the-door"
APP = AppEndpoints("web", "web-1", "web.example.com", {}, (Host("10.0.0.1", 8080, "http"),))
KNOWN = {"a": Snapshot("a", Leader("http://127.0.0.1:9", "127.0.0.1", 9), (APP,))}


async def never() -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """The settings of a running gateway, whose template is missing and has a secret name."""
    settings = Settings.model_validate(
        {
            "address": "127.0.0.1",
            "port": free_ports(),
            "proxy_platform": "haproxy",
            "haproxy_template": str(tmp_path / f"{SECRET}.tmpl"),
            "haproxy_config": str(tmp_path / "haproxy.cfg"),
            "state_persistence_dir": str(tmp_path / "state"),
            "namespaces": [{"name": "a", "drove": ["http://127.0.0.1:9"]}],
        }
    )
    log = EventLog(structlog.get_logger(), "error")
    publisher = StatusPublisher(first_status(settings))
    environ = {"DOOR_TOKEN": SECRET}
    gateway = Gateway(settings, environ, log, Metrics(), publisher, dict(KNOWN), Journal())
    async with gateway.running(never):
        yield settings


async def get(settings: Settings, path: str, proxy: str) -> tuple[int, Any]:
    """The response to a request for the gateway of `proxy`."""
    url = f"http://127.0.0.1:{settings.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={HEADER: digest(proxy)}) as response,
    ):
        return response.status, await response.json()


async def test_a_problem_says_since_when_it_lasts(settings: Settings) -> None:
    async def noticed() -> bool:
        _, status = await get(settings, "/v1/status", proxy_named_by(settings))
        return bool(status["problems"]) and all(each["since"] for each in status["problems"])

    await until(noticed)


async def test_health_shows_no_secret_of_the_environment(settings: Settings) -> None:
    async def failing() -> bool:
        _, health = await get(settings, "/v1/health", proxy_named_by(settings))
        message = health["Template"]["Message"]
        assert SECRET not in message
        return "….tmpl" in message

    await until(failing)


async def test_a_request_for_another_proxy_is_refused(settings: Settings) -> None:
    code, response = await get(settings, "/v1/status", "haproxy /etc/haproxy/other.cfg")

    assert code == 421
    assert "another gateway responds here" in response["error"]
