"""A total loss of 100,000 servers: the gateway stays responsive while it is judged and probed."""

import asyncio
import time

import structlog
from structlog.testing import CapturingLogger
from tests.acceptance.pulse import LONGEST_STALL_SECONDS, Pulse
from tests.acceptance.test_probing import Names, Servers
from tests.waiting import until

from drove_gateway.acceptance.acceptance import Acceptance
from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.acceptance.probing import Probing
from drove_gateway.daemon.status_reports import StatusReports
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.status.publisher import StatusPublisher
from drove_gateway.status.status import Status
from drove_gateway.topology.namespace_build import NamespaceRules

VHOSTS, SERVERS = 10_000, 10


def everything() -> Snapshot:
    apps = tuple(
        AppEndpoints(f"app{n}", f"app{n}-1", f"app{n}.local", {}, hosts(n)) for n in range(VHOSTS)
    )
    return Snapshot("stage", Leader("http://c1:4000", "c1", 4000), apps)


def hosts(app: int) -> tuple[Host, ...]:
    address = f"10.0.{app % 50}.{app % 250 + 1}"
    return tuple(Host(address, SERVERS * (app % 6000) + n + 1, "http") for n in range(SERVERS))


async def test_total_loss_never_stalls_the_gateway() -> None:
    publisher = StatusPublisher(Status(About("1.0"), 0.0, {}, "lb1"))
    log = EventLog(structlog.wrap_logger(CapturingLogger(), processors=[]))
    dead = {f"10.0.{n}.{m + 1}" for n in range(50) for m in range(250)}
    probing = Probing(Names(), clock=time.monotonic, connect=Servers(dead=dead).connect)
    acceptance = Acceptance(
        (NamespaceRules("stage"),),
        GuardLimits(vhost=0.5, namespace=0.2, overall=0.2, exempt=5, hold=60.0),
        lambda *_: None,
        clock=time.monotonic,
        publish=StatusReports(publisher, Metrics(["stage"]), log, lambda _: None).accepted,
        probing=probing,
    )
    whole = everything()
    nothing = Snapshot("stage", whole.leader, ())
    async with Pulse.beating() as pulse:
        await acceptance.take(whole)
        assert not (await acceptance.take(nothing)).complete
        working = asyncio.create_task(probing.run(acceptance.look_again))
        await until(lambda: not publisher.current.held, 120)
        working.cancel()
        await asyncio.wait((working,))
    assert publisher.current.built.topology.apps == {}
    assert pulse.longest < LONGEST_STALL_SECONDS
