"""The demo with `--once`: each step changes the cluster and is verified through the proxy."""

from collections.abc import Awaitable, Callable

import msgspec

from drove_gateway.demo.clients import ExpectedResponses
from drove_gateway.demo.stage import APPS, LEADER_VHOST, Stage

_STEP_SECONDS = 20.0
_LEADER = ExpectedResponses(statuses=frozenset({200, 404}))
_NO_SUCH_VHOST = ExpectedResponses(statuses=frozenset({404}))


class Result(msgspec.Struct, frozen=True):
    """A step, and the milliseconds until responses of the proxy showed it; None: never."""

    step: str
    milliseconds: float | None


Check = Callable[[Stage], Awaitable[float | None]]


async def every_vhost_responds(stage: Stage) -> float | None:
    """Every instance of each app responds, and the leader at its own vhost."""
    took = 0.0
    for app in APPS:
        milliseconds = await served_by_all(stage, app)
        if milliseconds is None:
            return None
        took += milliseconds
    leader = await stage.clients.right(LEADER_VHOST, lambda: _LEADER, _STEP_SECONDS)
    return None if leader is None else took + leader


async def scale_up(stage: Stage) -> float | None:
    await stage.cluster.scale("web", 6)
    return await served_by_all(stage, "web")


async def scale_down(stage: Stage) -> float | None:
    await stage.cluster.scale("web", 2)
    return await served_by_all(stage, "web")


async def kill_instance(stage: Stage) -> float | None:
    """Kill an instance; the cluster starts a replacement, which must receive requests."""
    await stage.cluster.kill_instance(app="api")
    await stage.cluster.settled()
    return await served_by_all(stage, "api")


async def deploy_vhost(stage: Stage) -> float | None:
    await stage.cluster.deploy("shop", instances=2)
    return await served_by_all(stage, "shop")


async def destroy_app(stage: Stage) -> float | None:
    await stage.cluster.remove_app("reports")
    return await served_no_longer(stage, "reports")


async def fail_over(stage: Stage) -> float | None:
    """Kill the leader; a change by the next leader must reach the proxy."""
    leader = stage.cluster.leader
    if leader is not None:
        await stage.cluster.stop_controller(leader)
    await stage.cluster.scale("web", 4)
    return await served_by_all(stage, "web")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("every instance responds at its vhost", every_vhost_responds),
    ("web scales up from 3 to 6", scale_up),
    ("web scales down from 6 to 2", scale_down),
    ("an instance of api dies and is replaced", kill_instance),
    ("shop is deployed on a new vhost", deploy_vhost),
    ("reports is destroyed, and so is its vhost", destroy_app),
    ("the leader dies, the next scales web to 4", fail_over),
)


async def served_by_all(stage: Stage, app: str, seconds: float = _STEP_SECONDS) -> float | None:
    """Return the milliseconds until exactly the app's healthy instances respond; None if never."""

    def listed() -> ExpectedResponses:
        hosts = stage.cluster.app(app).hosts()
        return ExpectedResponses(instances=frozenset(instance.instance_id for instance in hosts))

    return await stage.clients.right(stage.vhost(app), listed, seconds)


async def served_no_longer(stage: Stage, app: str, seconds: float = _STEP_SECONDS) -> float | None:
    """Return the milliseconds until the app's vhost responds with 404; None if never."""
    return await stage.clients.right(stage.vhost(app), lambda: _NO_SUCH_VHOST, seconds)
