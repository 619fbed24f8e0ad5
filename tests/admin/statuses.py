"""A status as a serving gateway has it, and requests for tests of the API."""

from typing import Any

import aiohttp
import msgspec

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import Progress
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
)
from drove_gateway.status.status import (
    Status,
    with_built,
    with_progress,
)
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import parse_rules

LEADER = Leader("http://c1:10000", "c1", 10000)


C1 = EndpointView("http://c1:10000", True, "OK")


C2 = EndpointView("http://c2:10000", False, "This node is not the leader controller")


STAGE = NamespaceView("stage", (C1, C2), leader=LEADER, last_sync=1700000000.25, syncing=False)


WELL = ProxyHealth(config=HealthSection(), template=HealthSection())


HELD = HeldWithdrawal(
    "stage",
    "the response is suddenly empty",
    12,
    ("a.local",),
    41.25,
    alive=12,
    missing=18.75,
    addresses=("10.0.0.1:8000",),
)


def serving(status: Status) -> Status:
    """A gateway at work: two apps of one namespace applied, and one entry rejected."""
    hosts = (Host("10.0.0.1", 8080, "http"),)
    apps = (
        AppEndpoints("a", "a-1", "a.local", {"env": "canary"}, hosts),
        AppEndpoints("b", "b-1", "b.local", {}, hosts),
        AppEndpoints("c", "c-1", "c;local", {}, hosts),
    )
    built = build(
        {"stage": Snapshot("stage", LEADER, apps)},
        [parse_rules("stage", "", "", "env", "drove.local")],
    )
    status = msgspec.structs.replace(status, namespaces=(STAGE,), proxy=WELL)
    status = with_built(status, built)
    return with_progress(with_progress(status, Progress("applying")), Progress("idle"))


async def get(client: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with client.get(url) as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()
