"""Changes of a cluster, and what clients of the proxy see of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
from bench.rig.cluster import Change, Cluster
from bench.rig.gateway import Gateway
from bench.rig.numbers import Trace, stages
from bench.rig.traffic import Answer, Load

ENDPOINTS = "/v1/endpoints"
_READY_SECONDS = 180.0
_MOST_SECONDS = 60.0
# Answers count as right for good when none was wrong for so long.
_QUIET_SECONDS = 0.4
_LOOK_SECONDS = 0.005
_STRANGER = "a stranger"


class Stage:
    """What takes part. `answers` are those since it was last emptied, `bodies` by instance."""

    def __init__(
        self,
        cluster: Cluster,
        gateway: Gateway,
        load: Load,
        answers: list[Answer],
        bodies: Mapping[str, bytes],
    ) -> None:
        self.cluster = cluster
        self.gateway = gateway
        self.load = load
        self.answers = answers
        self.bodies = bodies

    async def ready(self) -> None:
        """Wait until nothing but good answers came for a while."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            self.answers.clear()
            await asyncio.sleep(1.0)
            if self.answers and all(answer.status == 200 for answer in self.answers):
                return
        raise SystemExit(f"{self.gateway.kind.name}: no good answers in {_READY_SECONDS:g} s")


class Followed(msgspec.Struct, frozen=True):
    """A change and its way, in seconds since controllers told it.

    `right` is the first right answer, `wrong` the last wrong one, where there was any;
    `converged` the later of both. `stages` is empty where the gateway does not tell.
    """

    kind: str
    converged: float
    right: float | None
    wrong: float | None
    failed: int
    timed_out: bool
    stages: Mapping[str, float]


class Expected(msgspec.Struct, frozen=True):
    """Who should answer after a change, and who should not; others may for now.

    `right` is None where no answer tells that it is over, only the end of the wrong ones.
    """

    change: Change
    right: Callable[[str], bool] | None
    wrong: Callable[[str], bool]


async def new_instance(stage: Stage, _: int) -> Expected:
    """The app gets a third instance."""
    change = await stage.cluster.change("scale", app="bench", instances=3)
    return Expected(change, lambda name: name in change.added, lambda _: False)


async def dead_instance(stage: Stage, _: int) -> Expected:
    """One of the three dies, and a stranger listens at its address at once."""
    change = await stage.cluster.change("kill-instance", app="bench", replace=False)
    return Expected(change, None, lambda name: name == _STRANGER)


async def replaced_app(stage: Stage, _: int) -> Expected:
    """Another version on the same vhost; the old one's instances answer for some time."""
    change = await stage.cluster.change("upgrade", name="bench", instances=2)
    return Expected(change, lambda name: name in change.added, lambda name: name in change.removed)


async def new_vhost(stage: Stage, number: int) -> Expected:
    """An app on a vhost that was not there; clients request it already."""
    name = f"new{number}"
    stage.load.vhosts = [f"{name}.local"]
    await asyncio.sleep(_QUIET_SECONDS)
    change = await stage.cluster.change("deploy", name=name, instances=2, real=True)
    return Expected(change, lambda name: name in change.added, lambda _: False)


KINDS: Mapping[str, Callable[[Stage, int], Awaitable[Expected]]] = {
    "new instance": new_instance,
    "dead instance": dead_instance,
    "replaced app": replaced_app,
    "new vhost": new_vhost,
}


async def follow(stage: Stage, kind: str, number: int) -> Followed:
    """Make a change, and watch the answers until they are right for good."""
    stage.load.vhosts = ["bench.local"]
    stage.answers.clear()
    expected = await KINDS[kind](stage, number)
    async with _stranger(stage, expected.change if kind == "dead instance" else None):
        timed_out = not await _over(stage, expected)
    visible = expected.change.visible_at
    right, wrong = _marks(stage, expected)
    converged = max(mark for mark in (right, wrong, visible) if mark is not None)
    return Followed(
        kind=kind,
        converged=_MOST_SECONDS if timed_out else converged - visible,
        right=None if right is None else right - visible,
        wrong=None if wrong is None else wrong - visible,
        failed=sum(answer.status in {0, 502, 503, 504} for answer in stage.answers)
        if kind != "new vhost"
        else 0,
        timed_out=timed_out,
        stages={} if timed_out else await _stages(stage, visible, converged),
    )


async def _over(stage: Stage, expected: Expected) -> bool:
    visible = expected.change.visible_at
    while time.monotonic() < visible + _MOST_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        right, wrong = _marks(stage, expected)
        if right is None and expected.right is not None:
            continue
        if time.monotonic() - max(visible, right or 0.0, wrong or 0.0) > _QUIET_SECONDS:
            return True
    return False


def _marks(stage: Stage, expected: Expected) -> tuple[float | None, float | None]:
    """When the first right answer came, and the last wrong one."""
    right = wrong = None
    for answer in stage.answers:
        if answer.at < expected.change.visible_at:
            continue
        if answer.status != 200 or expected.wrong(answer.instance):
            wrong = answer.at
        elif right is None and expected.right is not None and expected.right(answer.instance):
            right = answer.at
    return right, wrong


async def _stages(stage: Stage, visible: float, converged: float) -> Mapping[str, float]:
    fetches = [
        exchange
        for exchange in await stage.cluster.exchanges(visible)
        if exchange.path == ENDPOINTS and exchange.begun >= visible
    ]
    history = await stage.gateway.history() if fetches else []
    records = [record for record in history if record.begun >= fetches[0].begun]
    if not records:
        return {}
    done = [record for record in records if record.begun <= converged] or records[:1]
    return stages(
        Trace(
            visible=visible,
            asked=fetches[0].begun,
            answered=fetches[0].answered,
            begun=done[0].begun,
            ended=done[-1].ended,
            converged=converged,
        )
    )


@asynccontextmanager
async def _stranger(stage: Stage, death: Change | None) -> AsyncIterator[None]:
    """Someone else at the address of the instance that died, as when its port is given again."""
    if death is None:
        yield
        return
    [name] = death.removed
    place = json.loads(stage.bodies[name])
    met: set[asyncio.Transport] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Stranger(met), place["host"], place["port"], reuse_address=True
    )
    try:
        yield
    finally:
        server.close()
        for transport in list(met):
            transport.abort()


class _Stranger(asyncio.Protocol):
    def __init__(self, met: set[asyncio.Transport]) -> None:
        self._met = met
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        self._met.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport is not None:
            self._met.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        del data
        if self._transport is None:
            return
        self._transport.write(
            f"HTTP/1.1 200 OK\r\nX-Instance-Id: {_STRANGER}\r\nContent-Length: 1\r\n\r\nx".encode()
        )
