"""How the status changes from event to event."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest

from drove_gateway.model.about import About
from drove_gateway.model.health import (
    PENDING,
    FaultOfSome,
    HealthSection,
    ProxyHealth,
    of_names,
    of_some,
)
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.status.status import (
    HISTORY,
    MOST_STEPS,
    Status,
    with_built,
    with_namespace,
    with_progress,
    with_proxy,
    with_record,
    with_settings,
)
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules

LED = NamespaceView("stage", (EndpointView("http://c1:10000", True, "OK"),))
DOWN = NamespaceView("stage", (EndpointView("http://c1:10000", False, "refused"),))
WELL = ProxyHealth(config=HealthSection(), template=HealthSection())


def status() -> Status:
    return Status(About("1.0"), 0.0, {}, "lb1", namespaces=(DOWN,))


def built(*vhosts: str) -> TopologyBuild:
    apps = tuple(
        AppEndpoints("app", f"{vhost}-1", vhost, {}, (Host("10.0.0.1", 80, "http"),))
        for vhost in vhosts
    )
    return build({"stage": Snapshot("stage", Leader(), apps)}, [NamespaceRules("stage")])


def record(at: float = 10.0, took: float = 1.0, *, steps: int = 0, **more: Any) -> ApplyRecord:
    return ApplyRecord(
        at,
        took,
        ("namespace stage",),
        ("vhost a.local is new",),
        tuple(Step("add server", f"web/{number}", "new host") for number in range(steps)),
        seconds=((ApplyStage.RELOAD, took),),
        **{"reloaded": "error" not in more, **more},
    )


def test_a_gateway_is_healthy_when_its_proxy_and_every_namespace_are() -> None:
    now = with_proxy(with_namespace(status(), LED), WELL)

    assert now.healthy
    assert not with_namespace(now, DOWN).healthy


@pytest.mark.parametrize("section", ["config", "template", "upstream_updates", "resolver"])
def test_one_unhealthy_section_makes_the_gateway_unhealthy(section: str) -> None:
    now = with_namespace(status(), LED)

    assert not with_proxy(now, msgspec.structs.replace(WELL, **{section: PENDING})).healthy


@pytest.mark.parametrize("section", ["config", "template", "upstream_updates", "resolver"])
def test_a_fault_of_some_vhosts_leaves_the_gateway_healthy(section: str) -> None:
    now = with_namespace(status(), LED)
    fault = of_some(HealthSection(healthy=False, message="a.local is"), {"a.local"}, ("a", "b"))

    assert with_proxy(now, msgspec.structs.replace(WELL, **{section: fault})).healthy
    assert json.loads(msgspec.json.encode(fault)) == {"Healthy": False, "Message": "a.local is"}


def test_a_fault_of_every_vhost_is_the_gateways() -> None:
    fault = HealthSection(healthy=False, message="unknown hosts")
    apps = built("a.local", "b.local").topology
    both = of_names(fault, {"10.0.0.1"}, apps)

    assert not isinstance(both, FaultOfSome)
    assert not isinstance(of_names(fault, {"x"}, None), FaultOfSome)
    assert isinstance(of_names(fault, {"10.0.0.9"}, apps), FaultOfSome)
    assert isinstance(of_names(fault, {"10.0.0.1"}, built("a.local").topology), FaultOfSome)


def test_gateway_is_not_healthy_at_the_start() -> None:
    assert not status().healthy


def test_view_of_a_known_namespace_is_replaced_and_of_an_unknown_ignored() -> None:
    other = NamespaceView("other", ())

    assert with_namespace(status(), LED).namespaces == (LED,)
    assert with_namespace(status(), other).namespaces == (DOWN,)


def test_new_settings_keep_the_views_of_remaining_namespaces() -> None:
    before = with_namespace(status(), LED)
    fresh = NamespaceView("stage", (EndpointView("http://c1:10000"),))
    new = NamespaceView("prod", (EndpointView("http://p1:10000"),))

    after = with_settings(before, {"loglevel": "debug"}, "lb2", (new, fresh))

    assert after.namespaces == (new, LED)
    assert (after.config, after.xproxy) == ({"loglevel": "debug"}, "lb2")


def test_namespace_with_other_controllers_starts_with_a_new_view() -> None:
    moved = NamespaceView("stage", (EndpointView("http://c9:10000"),))

    assert with_settings(with_namespace(status(), LED), {}, "lb1", (moved,)).namespaces == (moved,)


def test_topology_counts_as_applied_when_the_reconciler_is_idle() -> None:
    now = with_built(status(), built("a.local"))
    now = with_progress(now, Progress("applying"))
    now = with_built(now, built("a.local", "b.local"))
    assert set(now.applied.apps) == set()

    now = with_progress(now, Progress("idle"))

    assert set(now.applied.apps) == {"a.local"}
    assert set(now.built.topology.apps) == {"a.local", "b.local"}


@pytest.mark.parametrize("state", ["retrying", "pacing"])
def test_partially_applied_topology_does_not_count_as_applied(
    state: Literal["retrying", "pacing"],
) -> None:
    now = with_built(status(), built("a.local"))
    now = with_progress(with_progress(now, Progress("applying")), Progress("idle"))
    now = with_built(now, built("b.local"))

    now = with_progress(with_progress(now, Progress("applying")), Progress(state, 99.0, 1, "no"))

    assert set(now.applied.apps) == {"a.local"}


def test_failed_vhost_does_not_keep_others_from_counting_as_applied() -> None:
    now = with_progress(with_built(status(), built("a.local")), Progress("applying"))
    now = with_record(now, record(0.0))
    first = now.applied.apps["a.local"]
    again = built("a.local", "b.local", "c.local")
    now = with_progress(with_built(now, again), Progress("applying"))

    now = with_record(now, record(1.0, failed=(("a.local", "refused"), ("c.local", "refused"))))

    assert set(now.applied.apps) == {"a.local", "b.local"}
    assert now.applied.apps["a.local"] is first


@pytest.mark.parametrize("incomplete", [{"error": "no"}, {"reload_waits": True}])
def test_change_that_failed_or_waits_for_its_reload_does_not_count_as_applied(
    incomplete: Mapping[str, Any],
) -> None:
    now = with_progress(with_built(status(), built("a.local")), Progress("applying"))

    assert set(with_record(now, record(0.0, **incomplete)).applied.apps) == set()


def test_history_is_bounded_and_has_the_newest_entry_first() -> None:
    now = status()
    for at in range(HISTORY + 5):
        now = with_record(now, record(float(at)))

    assert len(now.history) == HISTORY
    assert now.history[0].at == HISTORY + 4


def test_history_keeps_part_of_a_large_change_and_counts_the_rest() -> None:
    (kept,) = with_record(status(), record(steps=MOST_STEPS + 7)).history

    assert len(kept.steps) == MOST_STEPS
    assert kept.left_out == 7


def test_reload_and_server_update_set_their_times() -> None:
    seconds = ((ApplyStage.SERVERS, 0.4),)
    reloaded = with_record(status(), record(10.0, 2.0))
    served = with_record(reloaded, ApplyRecord(20.0, 0.5, (), (), (), seconds=seconds))

    assert (reloaded.last_reload, reloaded.last_server_update) == (12.0, None)
    assert (served.last_reload, served.last_server_update) == (12.0, 20.5)


def test_failed_reload_does_not_set_the_time_of_the_last_reload() -> None:
    assert with_record(status(), record(error="refused")).last_reload is None


def test_configuration_that_already_serves_does_not_count_as_reload() -> None:
    kept = msgspec.structs.replace(record(), reloaded=False)

    assert with_record(status(), kept).last_reload is None
