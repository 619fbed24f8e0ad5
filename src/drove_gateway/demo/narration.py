"""The demo without `--once`: the cluster changes, and the proxy's responses show how fast."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from drove_gateway.demo.checks import served_by_all, served_no_longer
from drove_gateway.demo.clients import Load
from drove_gateway.demo.stage import APPS, LEADER_VHOST, Stage

_BETWEEN_EVENTS_SECONDS = 6.0
_PATIENCE_SECONDS = 60.0

Say = Callable[[str], None]


def introduce(stage: Stage, program: str, say: Say) -> None:
    """Print what runs where, and what to try. `program` runs drove-gateway's commands."""
    port, control = stage.proxy.port, stage.cluster.control.url
    say("A simulated Drove cluster, a real proxy, and the gateway between them:\n")
    for number, url in enumerate(stage.cluster.urls):
        role = "leads" if number == stage.cluster.leader else "stands by"
        say(f"  controller {number}   {url}  ({role})")
    say(f"  simulator      {control}  (move leaders, scale, break things)")
    say(f"  {stage.proxy.kind:<14} http://127.0.0.1:{port}")
    say(f"  gateway        {stage.api}  (health, metrics, status)")
    say(f"  files          {stage.directory}  (nixy.toml, template, logs)\n")
    say("Copy a command into another terminal:\n")
    say(f"  {program} status -f {stage.directory}/nixy.toml")
    say(f"""  curl {control}/scale -d '{{"app": "reports", "instances": 5}}'""")
    for app in APPS:
        say(f"  curl -H 'Host: {stage.vhost(app)}' http://127.0.0.1:{port}/")
    say(f"  curl -H 'Host: {LEADER_VHOST}' http://127.0.0.1:{port}/apis/v1/ping")
    say(f"  curl {stage.api}/v1/health")
    say(f"  curl {stage.api}/v1/status\n")


async def narrate(stage: Stage, load: Load, say: Say) -> None:
    """Change the cluster and print what follows, until cancelled."""
    while True:
        async for app in _events(stage, say):
            what, took = await _outcome(stage, app)
            when = f"{took:.0f} ms later" if took is not None else "not yet: see gateway.log"
            say(f"  {what}, {when}; {load.requests:,} requests so far, {load.failed} failed")
            await asyncio.sleep(_BETWEEN_EVENTS_SECONDS)


async def _outcome(stage: Stage, app: str) -> tuple[str, float | None]:
    """Return what the proxy's responses should show, and the milliseconds until they did."""
    vhost = stage.vhost(app)
    if not any(version.name == app for version in stage.cluster.cluster.apps.values()):
        took = await served_no_longer(stage, app, _PATIENCE_SECONDS)
        return f"{vhost} responds with 404", took
    took = await served_by_all(stage, app, _PATIENCE_SECONDS)
    count = len(stage.cluster.app(app).hosts())
    return f"{vhost} is served by exactly its {count} instances", took


async def _events(stage: Stage, say: Say) -> AsyncIterator[str]:
    """Yield, after each event, the app whose responses show it."""
    cluster = stage.cluster
    yield await _event(say, "web scales from 3 to 5 instances", cluster.scale("web", 5), "web")
    yield await _event(say, "an instance of api dies", cluster.kill_instance(app="api"), "api")
    yield await _event(say, "web scales back to 3", cluster.scale("web", 3), "web")
    yield await _event(say, "shop is deployed on a new vhost", cluster.deploy("shop"), "shop")
    leader = cluster.leader
    if leader is not None:
        dies = cluster.stop_controller(leader)
        await _event(say, f"controller {leader}, the leader, dies; another takes over", dies, "")
        yield await _event(say, "the new leader scales api to 4", cluster.scale("api", 4), "api")
        back = cluster.start_controller(leader)
        await _event(say, f"controller {leader} returns as a stand-by", back, "")
    yield await _event(say, "the new leader scales api back to 3", cluster.scale("api", 3), "api")
    yield await _event(say, "shop and its vhost are removed", cluster.remove_app("shop"), "shop")


async def _event(say: Say, what: str, happening: Awaitable[object], app: str) -> str:
    say(what)
    await happening
    return app
