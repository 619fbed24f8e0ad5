"""The demo in one go: each step changes the cluster and is verified by answers of the proxy."""

from collections.abc import Awaitable, Callable

import msgspec

from drove_gateway.demo.clients import until
from drove_gateway.demo.stage import APPS, LEADER_VHOST, Stage

_STEP_SECONDS = 20.0
# In turn, so that this many requests meet every instance several times.
_ROUNDS_PER_INSTANCE = 4


class Result(msgspec.Struct, frozen=True):
    """A step, and the milliseconds until the proxy's answers showed it; None if they never did."""

    step: str
    milliseconds: float | None


Check = Callable[[Stage], Awaitable[float | None]]


async def every_vhost_answers(stage: Stage) -> float | None:
    """Each app by all of its instances, and the leader by its own vhost."""
    took = 0.0
    for app in APPS:
        one = await served_by_all(stage, app)
        if one is None:
            return None
        took += one
    leader = await until(lambda: _has_status(stage, LEADER_VHOST, 200, 404), _STEP_SECONDS)
    return None if leader is None else took + leader


async def scale_up(stage: Stage) -> float | None:
    await stage.cluster.scale("web", 6)
    return await served_by_all(stage, "web")


async def scale_down(stage: Stage) -> float | None:
    await stage.cluster.scale("web", 2)
    return await served_by_all(stage, "web")


async def kill_instance(stage: Stage) -> float | None:
    """Kill it outright; the cluster starts another one, which must get its share."""
    await stage.cluster.kill_instance(app="api")
    await stage.cluster.settled()
    return await served_by_all(stage, "api")


async def deploy_vhost(stage: Stage) -> float | None:
    await stage.cluster.deploy("shop", instances=2)
    return await served_by_all(stage, "shop")


async def destroy_app(stage: Stage) -> float | None:
    await stage.cluster.remove_app("reports")
    return await until(lambda: _has_status(stage, stage.vhost("reports"), 404), _STEP_SECONDS)


async def fail_over(stage: Stage) -> float | None:
    """Kill the leader; what the next one starts must arrive."""
    leader = stage.cluster.leader
    if leader is not None:
        await stage.cluster.stop_controller(leader)
    await stage.cluster.scale("web", 4)
    return await served_by_all(stage, "web")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("every vhost is answered by every instance", every_vhost_answers),
    ("web scales up from 3 to 6", scale_up),
    ("web scales down from 6 to 2", scale_down),
    ("an instance of api dies and is replaced", kill_instance),
    ("shop is deployed, a new vhost", deploy_vhost),
    ("reports is destroyed, its vhost goes", destroy_app),
    ("the leader dies, the next one scales web to 4", fail_over),
)


async def served_by_all(stage: Stage, app: str, seconds: float = _STEP_SECONDS) -> float | None:
    """Milliseconds until exactly the app's healthy instances answer, and nothing fails."""

    async def so() -> bool:
        expected = frozenset(one.instance_id for one in stage.cluster.app(app).hosts())
        rounds = _ROUNDS_PER_INSTANCE * max(1, len(expected))
        instances, statuses = await stage.clients.answering(stage.vhost(app), rounds)
        return instances == expected and statuses == {200}

    return await until(so, seconds)


async def _has_status(stage: Stage, vhost: str, *statuses: int) -> bool:
    _, seen = await stage.clients.answering(vhost, _ROUNDS_PER_INSTANCE)
    return seen <= set(statuses)
