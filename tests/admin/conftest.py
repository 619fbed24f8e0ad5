"""An API over a status that the test sets, served on a free port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import structlog

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin import Actions, Sources, serve
from drove_gateway.config import Settings
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import App
from drove_gateway.state.journal import Journal
from drove_gateway.status.status import Status


class Api:
    """The API under test: `status` is what it shows, `asked` the requested actions."""

    def __init__(self) -> None:
        self.status = Status(About("1.2.3", "abc1234", "2026-11-22"), 0.0, {}, "lb1")
        self.metrics = Metrics(["stage"], version="1.2.3")
        self.queue_has_room = True
        self.held: tuple[HeldWithdrawal, ...] = ()
        self.asked: list[str] = []
        self.accepting: list[AcceptRequest] = []
        self.url = ""
        self.present: dict[str, tuple[ServerState, ...]] | None = None
        self.silence = ""
        self.journal = Journal()
        self.sources_in_use = self.sources()

    def sources(self) -> Sources:
        return Sources(
            lambda: self.status, self.metrics, lambda app: (app.vhost,), self._servers, self.journal
        )

    async def _servers(self, app: App) -> tuple[ServerState, ...] | None:
        if self.silence:
            raise RuntimeApiError(self.silence)
        return self.present.get(app.vhost) if self.present is not None else None

    def actions(self) -> Actions:
        return Actions(reload=self._reload, accept=self._accept)

    def _reload(self) -> bool:
        self.asked.append("reload")
        return self.queue_has_room

    async def _accept(self, request: AcceptRequest) -> tuple[HeldWithdrawal, ...]:
        self.asked.append("accept")
        self.accepting.append(request)
        return self.held


@asynccontextmanager
async def listening(api: Api, settings: Settings) -> AsyncIterator[None]:
    """Serve the API with `settings` until the block ends; `api.url` is where."""
    async with serve(
        settings,
        sources=api.sources_in_use,
        actions=api.actions(),
        log=EventLog(structlog.get_logger()),
    ) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    async with listening(api, Settings(port=0)):
        yield api


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
