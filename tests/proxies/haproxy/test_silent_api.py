"""What the gateway makes of a runtime API that does not respond, or not completely."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence

import pytest
import structlog
from tests.proxies.haproxy.imitation import Model
from tests.proxies.haproxy.test_convergence import RULES, VHOSTS, Cut, wanted
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.runtime.drains import Drains
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.probes import Probes
from drove_gateway.proxies.runtime.resolver import Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import desired_servers
from drove_gateway.proxies.runtime.servers import Batch, Change, ObservedBackends

Run = Callable[[Callable[[str], None]], Coroutine[None, None, None]]


class Silent(Cut):
    """A runtime API that nobody listens at; `asked` counts the attempts to reach it."""

    asked = 0

    async def _exchange(self, commands: Sequence[Command]) -> bytearray:
        del commands
        self.asked += 1
        raise RuntimeApiError("no process listens there")


class PartlyRead(HaproxyAdapter):
    """Its changes succeed, and their backend cannot be read after them."""

    fails = False

    async def carry_out(self, changes: Sequence[Change]) -> Batch:
        batch = await super().carry_out(changes)
        if not self.fails:
            return batch
        problems = {change.backend: "no response" for change in changes}
        return Batch(batch.results, ObservedBackends({}, problems))


@pytest.mark.parametrize("stage", [Stage.PROBING, Stage.DRAINING])
async def test_work_that_is_tried_again_and_again_logs_its_problem_once(stage: Stage) -> None:
    api = Silent(Model())
    engine = _engine(HaproxyAdapter(api, Options()))
    engine.ledger.note("a.example", "s", Entry(stage, 1000.0))
    log = EventLog(structlog.get_logger())
    run: Run
    if stage is Stage.PROBING:
        engine.probes.set()
        run = Probes(engine, clock=lambda: 0.0, log=log).run
    else:
        engine.removals.set()
        run = Drains(engine, clock=lambda: 0.0, log=log).run

    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(run(lambda _: None))
        await until(lambda: api.asked >= 4)
        warnings = [line for line in lines if line["log_level"] == "warning"]
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert len(warnings) == 1


async def test_a_backend_that_cannot_be_read_after_a_change_stays_known() -> None:
    """Else it would count as missing, which a reload repairs."""
    adapter = PartlyRead(Cut(Model({vhost: {} for vhost in VHOSTS})), Options())
    engine = _engine(adapter)
    await engine.bring(wanted({"a.example": {1}}))
    adapter.fails = True

    await engine.bring(wanted({"a.example": {1, 2}}))

    assert engine.seen.keys() == set(VHOSTS)


def _engine(adapter: HaproxyAdapter) -> Engine:
    resolver = Resolver(system_lookup, timeout=1, ttl=1, clock=lambda: 0.0)
    servers = desired_servers(RULES, adapter, resolver, reloads=False)
    return Engine(adapter, servers, resolver, clock=lambda: 0.0)
