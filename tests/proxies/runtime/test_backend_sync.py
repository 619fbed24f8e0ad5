"""Whole backends are brought to a proxy, also after a batch that broke off."""

import asyncio
import os
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.waiting import until

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.installation.installation import NoInstallation
from drove_gateway.proxies.runtime.added_backends import AddedBackends
from drove_gateway.proxies.runtime.backend_sync import BackendSync
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers
from drove_gateway.proxies.runtime.servers import (
    Action,
    Batch,
    Change,
    ObservedBackends,
    ObservedServer,
    Result,
)

WITHOUT = "defaults vhosts\n    mode http\n"
WITH = f"{WITHOUT}backend a.example from vhosts\n    server server_a_80 10.0.0.1:80\n"
LOG = EventLog(structlog.get_logger())


class BreakingAdapter(HaproxyAdapter):
    """A HAProxy of 3.4 that carries out what it gets; while it is `broken`, nobody hears of it."""

    def __init__(self) -> None:
        super().__init__(
            RuntimeApi(
                UnixSocket("/nonexistent"),
                timeout=1,
                clock=time.monotonic,
                metrics=CountingMetrics(),
                log=LOG,
            ),
            Options(),
        )
        self.broken = False
        self.refuses: set[str] = set()
        self.published = {"a.example", "operator.example"}
        self.servers = {"a.example": ["server_a_80"], "operator.example": []}

    @property
    def makes_backends(self) -> bool:
        return True

    async def unpublished(self, backends: Collection[str]) -> Collection[str]:
        return set(backends) - self.published

    async def observe(
        self,
        backends: Collection[str] | None,  # noqa: ARG002
        *,
        exact: Collection[str] = (),  # noqa: ARG002
    ) -> ObservedBackends:
        return ObservedBackends(
            {
                backend: [ObservedServer(name, "10.0.0.1", 80) for name in names]
                for backend, names in self.servers.items()
            }
        )

    async def carry_out(self, changes: Sequence[Change]) -> Batch:
        for change in changes:
            if change.action is Action.ADD_BACKEND:
                self.servers[change.backend] = []
            if change.action is Action.PUBLISH:
                self.published.add(change.backend)
            if change.action is Action.UNPUBLISH:
                self.published.discard(change.backend)
            if change.action is Action.DELETE_BACKEND:
                del self.servers[change.backend]
        if self.broken:
            raise RuntimeApiError("the connection broke off")
        results = [
            Result("needs reload", f"{change.name} is refused")
            if change.name in self.refuses
            else Result()
            for change in changes
        ]
        return Batch(results, await self.observe(None))


async def started(
    adapter: HaproxyAdapter, added: AddedBackends | None = None
) -> tuple[Engine, BackendSync]:
    resolver = Resolver(lookup, timeout=1, ttl=30, clock=time.monotonic)
    servers = desired_servers(RuntimeRules(), adapter, resolver, reloads=True)
    engine = Engine(adapter, servers, resolver, clock=time.monotonic)
    engine.seen = dict((await adapter.observe(None)).backends)
    engine.trusted = True
    found = BackendSync(
        engine,
        adapter.texts,
        resolver,
        NoInstallation("HAProxy"),
        added or AddedBackends(),
        patience=1.0,
        clock=time.monotonic,
        log=LOG,
    )
    found.loaded()
    return engine, found


async def lookup(name: str) -> list[str]:
    raise OSError(f"no resolver for {name}")


async def test_a_vhost_that_returns_after_a_removal_broke_off_is_published_again() -> None:
    """HAProxy may have carried out what it did not confirm."""
    adapter = BreakingAdapter()
    engine, sync = await started(adapter)
    adapter.broken = True
    assert "broke off" in await sync.bring(WITH, WITHOUT)
    assert "a.example" not in adapter.published
    adapter.broken = False
    assert sync.reasons
    engine.trusted = True
    assert await sync.bring(WITH, WITH) == ""
    assert "a.example" in adapter.published
    assert not sync.reasons


async def test_a_backend_without_servers_that_is_published_stays() -> None:
    adapter = BreakingAdapter()
    _, sync = await started(adapter)
    assert await sync.bring(WITH, WITH) == ""
    assert not sync.leaving
    assert "operator.example" in adapter.published


async def test_an_unpublished_backend_without_servers_is_deleted_however_often_texts_change() -> (
    None
):
    adapter = BreakingAdapter()
    adapter.published.discard("operator.example")
    _, sync = await started(adapter)
    assert await sync.bring(WITH, WITH) == ""
    assert await sync.bring(WITH, WITHOUT) == ""
    assert sync.leaving.keys() == {"operator.example", "a.example"}


OTHERS = (
    f"{WITH}backend b.example from vhosts\n    server server_b_80 10.0.0.2:80\n"
    "backend c.example from vhosts\n    server server_c_80 10.0.0.3:80\n"
)


async def test_a_backend_without_all_its_servers_is_not_published() -> None:
    adapter = BreakingAdapter()
    adapter.refuses = {"server_b_80"}
    _, sync = await started(adapter)
    assert await sync.bring(WITH, OTHERS) == "server_b_80 is refused"
    assert "b.example" not in adapter.published
    assert "c.example" in adapter.published


async def test_a_backend_that_a_killed_run_had_added_is_removed_when_nobody_wants_it(
    tmp_path: Path,
) -> None:
    """It is published, and neither the file nor the cluster has it."""
    killed = AddedBackends(tmp_path / "state" / "added.json")
    await killed.add(["gone.example", "a.example"])
    adapter = BreakingAdapter()
    adapter.servers |= {"gone.example": ["server_g_80"], "others.example": ["server_o_80"]}
    adapter.published |= {"gone.example", "others.example"}
    added = AddedBackends(tmp_path / "state" / "added.json")
    added.recall()
    _, sync = await started(adapter, added)
    assert await sync.bring(WITH, WITH) == ""
    assert sync.leaving.keys() == {"gone.example"}
    assert adapter.published == {"a.example", "operator.example", "others.example"}


async def test_a_backend_is_noted_before_it_is_added(tmp_path: Path) -> None:
    adapter = BreakingAdapter()
    added = AddedBackends(tmp_path / "added.json")
    _, sync = await started(adapter, added)
    adapter.broken = True
    assert "broke off" in await sync.bring(WITH, OTHERS)
    again = AddedBackends(tmp_path / "added.json")
    again.recall()
    assert again.names == {"b.example", "c.example"}
    again.retain(["c.example"])

    def stored() -> bool:
        added.recall()
        return added.names == {"c.example"}

    await until(stored)


async def test_a_disk_that_hangs_delays_a_new_backend_for_a_moment(tmp_path: Path) -> None:
    pipe = tmp_path / ".added.json.tmp"
    os.mkfifo(pipe)
    adapter = BreakingAdapter()
    _, sync = await started(adapter, AddedBackends(tmp_path / "added.json"))
    bringing = asyncio.create_task(sync.bring(WITH, OTHERS))
    await until(bringing.done, 5)
    assert "b.example" in adapter.published
    # Release the thread.
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("content", ["", "{", "3", '"text"', "[1, null]"])
def test_a_damaged_note_of_added_backends_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "added.json"
    path.write_text(content)
    added = AddedBackends(path)
    added.recall()
    assert added.names == frozenset()
