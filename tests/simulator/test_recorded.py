"""The simulator beside responses of real controllers, field by field."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.simulator.raw_http import RawResponse, exchange
from tests.simulator.recordings import recording

from drove_gateway.simulator import Options, Simulator

LEADER, FOLLOWER, AUTH = recording("leader"), recording("follower"), recording("auth")
EVENTS = recording("events-one-of-each-kind")

# What was posted is not part of the recordings.
POSTED = {
    "op-not-json": b"not json",
    "op-empty-object": b"{}",
    "op-scale-unknown": b'{"type": "SCALE_INSTANCES"}',
}
VARYING = frozenset({"Date", "Content-Length"})
# Maps from names that each cluster has for itself: their values are compared, not their keys.
MAPS = frozenset({"eventsCount", "applications"})
# Only some events of a kind have these: an app's vhost, an instance's error.
OPTIONAL = frozenset({"VHOST", "ERROR"})


async def deploy_recorded_apps(sim: Simulator) -> None:
    """Two of the recorded apps have tags. Their newest events are those of operations."""
    await sim.deploy("app1", tags={"colour": "blue", "team": "x"})
    await sim.deploy("app2")
    await sim.deploy("web", tags={"colour": "blue"})
    for app in ("app1", "app2", "web"):
        await sim.stop_instances(app, [])
    sim.maintenance(False)
    for app in ("app1", "app2"):
        await sim.stop_instances(app, [])


async def respond(sim: Simulator, controller: int, name: str, recorded: Any) -> RawResponse:
    port = sim.controllers[controller].port
    body = POSTED.get(name, b"")
    return await exchange(port, recorded["request"], recorded["request_headers"], body)


def header_lines(headers: Any) -> set[tuple[str, str]]:
    """The header lines, without the values that differ from one response to the next."""
    pairs = [tuple(each.split(": ", 1)) if isinstance(each, str) else each for each in headers]
    return {(name, "" if name in VARYING else value) for name, value in pairs}


def shape(value: Any, name: str = "") -> Any:
    """The names and types of a JSON value. A list has the shapes of its items."""
    if isinstance(value, dict) and name in MAPS:
        return [sorted({json.dumps(shape(each), sort_keys=True) for each in value.values()})]
    if isinstance(value, dict):
        return {key: shape(each, key) for key, each in value.items() if key not in OPTIONAL}
    if isinstance(value, list):
        return sorted({json.dumps(shape(each), sort_keys=True) for each in value})
    return type(value).__name__


def assert_same_headers(got: RawResponse, recorded: Any) -> None:
    assert (got.status, got.reason) == (recorded["status"], recorded["reason"])
    assert header_lines(got.headers) == header_lines(recorded["headers"])
    names = [name for name, _ in got.headers if name != "Connection"]
    assert "Date" not in names[1:], "Date comes first"


def assert_same_content(got: RawResponse, recorded: Any, name: str) -> None:
    if recorded["status"] != 200 or name.endswith(("-options", "-head")):
        assert got.body.decode() == (recorded["body"] or "")
        return
    real, ours = json.loads(recorded["body"]), got.json
    assert (ours["status"], ours.get("message")) == (real["status"], real.get("message"))
    assert shape(ours.get("data"), name) == shape(real.get("data"), name)


@pytest.mark.parametrize("name", LEADER)
async def test_the_leader_responds_as_a_real_leader(name: str) -> None:
    recorded = LEADER[name]
    async with Simulator(Options(real=False)) as sim:
        await deploy_recorded_apps(sim)
        got = await respond(sim, 0, name, recorded)
    assert_same_headers(got, recorded)
    assert_same_content(got, recorded, name)


@pytest.mark.parametrize("name", FOLLOWER)
async def test_a_follower_responds_as_a_real_follower(name: str) -> None:
    recorded = FOLLOWER[name]
    async with Simulator(Options(real=False)) as sim:
        got = await respond(sim, 1, name, recorded)
    assert_same_headers(got, recorded)
    assert got.body.decode() == (recorded["body"] or "")


# Roles are not simulated: every known user may do everything.
KNOWN = {name: each for name, each in AUTH.items() if "read-only" not in name}


@pytest.mark.parametrize("name", KNOWN)
async def test_credentials_are_checked_as_by_real_controllers(name: str) -> None:
    recorded = KNOWN[name]
    user = "guest" if name.endswith("lowercase") else "admin"
    options = Options(apps=1, real=False, user=user, password=user, vhost="sec.local")
    async with Simulator(options) as sim:
        got = await respond(sim, 0 if name.startswith("leader") else 1, name, recorded)
    assert got.status == recorded["status"]
    assert header_lines(got.headers) == header_lines(recorded["headers"])
    if recorded["status"] != 200:
        assert got.body.decode() == recorded["body"]


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
async def test_large_responses_are_chunked(accepted: str) -> None:
    recorded = recording("leader-large-answer-headers")
    async with Simulator(Options(apps=200, instances=10, real=False)) as sim:
        got = await exchange(
            sim.controllers[0].port,
            "GET /apis/v1/endpoints",
            {"Accept-Encoding": accepted},
        )
    encoded = {("Content-Encoding", "gzip")} if accepted == "gzip" else set()
    assert header_lines(got.headers) == header_lines(recorded["headers"]) | encoded
    assert len(got.body) > 32_768
    assert len(got.json["data"]) == 200


def kinds(events: Any) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Each kind of event: its type, and the state that it announces."""
    return {(event["type"], event["metadata"].get("CURRENT_STATE", "")): event for event in events}


async def test_events_have_the_metadata_of_real_events() -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=3)
        await sim.replace_instances("web")
        await sim.stop_instances("web", [next(iter(sim.app("web").instances))], respawn=True)
        await sim.settled()
        await sim.deploy("api", instances=1)
        await sim.remove_app("api")
        await sim.kill_instance(app="web", replace=False)
        await sim.settled()
        sim.maintenance(True)
        sim.maintenance(False)
        path = "GET /apis/v1/cluster/events/latest?lastSyncTime=0"
        got = await exchange(sim.controllers[0].port, path, {})
    ours, real = kinds(got.json["data"]["events"]), kinds(EVENTS)
    assert set(real) - set(ours) == set()
    for kind, event in real.items():
        assert shape(ours[kind]) == shape(event), kind
