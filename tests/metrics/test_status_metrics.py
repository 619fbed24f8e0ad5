"""Gauges of the status and of what is served, held and rejected."""

import msgspec
from tests.metrics.series import built, shown, snapshot

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.health import FaultOfSome, HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.records import StoredState
from drove_gateway.status.status import Status


def test_the_proxys_health_is_four_gauges() -> None:
    metrics = Metrics()
    proxy = ProxyHealth(config=HealthSection(), template=HealthSection(False, "line 3: no"))
    metrics.mirror(Status(About("1.0"), 0.0, {}, "lb1", proxy=proxy))
    series = shown(metrics)

    assert series["drove_gateway_config_generation_healthy"] == 1
    assert series["drove_gateway_template_rendering_healthy"] == 0
    assert series["drove_gateway_upstream_updates_via_api_healthy"] == 1
    assert series["drove_gateway_resolver_healthy"] == 1


def test_the_fault_of_a_vhost_leaves_configuration_and_runtime_api_healthy() -> None:
    metrics = Metrics()
    fault = FaultOfSome(healthy=False, message="a.local: refused")
    proxy = ProxyHealth(config=fault, upstream_updates=fault, resolver=fault)
    metrics.mirror(Status(About("1.0"), 0.0, {}, "lb1", proxy=proxy))
    series = shown(metrics)

    assert series["drove_gateway_config_generation_healthy"] == 1
    assert series["drove_gateway_upstream_updates_via_api_healthy"] == 1
    # No vhost fails while a last known address serves.
    assert series["drove_gateway_resolver_healthy"] == 0


def test_apps_are_counted_by_routing_tag_and_realm() -> None:
    metrics = Metrics(["stage"])
    apps = snapshot("stage", "a.local", "b.local", "c.test", tags={"env": "canary"}, hosts=3)

    made = built(apps, realm_suffix=".local", routing_tag="env")
    metrics.built(made)
    metrics.mirror(Status(About("1.0"), 0.0, {}, "lb1", built=made))

    series = shown(metrics)
    assert series["drove_gateway_vhosts"] == 2
    assert series["drove_gateway_servers"] == 6
    assert series['drove_gateway_apps_with_routing_tag_total{namespace="stage"}'] == 2
    assert series['drove_gateway_apps_without_routing_tag_total{namespace="stage"}'] == 0
    assert series['drove_gateway_apps_ignored_by_realm_total{namespace="stage"}'] == 1


def test_an_invalid_vhost_is_counted_once_and_shown_while_it_lasts() -> None:
    metrics = Metrics(["stage"])
    name = 'drove_gateway_rejected{namespace="stage",subject="vhost"}'

    metrics.built(built(snapshot("stage", "bad;vhost", "a.local")))
    metrics.built(built(snapshot("stage", "bad;vhost")))
    assert shown(metrics)[name] == 1
    metrics.built(built(snapshot("stage", "a.local")))

    series = shown(metrics)
    assert series["drove_gateway_invalid_subdomain_label_warnings"] == 1
    assert series[name] == 0


def test_vhost_of_two_namespaces_is_counted_once_for_the_later_namespace() -> None:
    metrics = Metrics(["one", "two"])
    both = built(snapshot("one", "a.local", "b.local"), snapshot("two", "b.local", "c.local"))

    metrics.built(both)
    metrics.built(both)

    series = shown(metrics)
    assert series['drove_gateway_duplicate_subdomain_label_warnings{namespace="one"}'] == 0
    assert series['drove_gateway_duplicate_subdomain_label_warnings{namespace="two"}'] == 1


def test_time_of_the_last_sync_is_a_metric() -> None:
    metrics = Metrics(["stage"])
    name = 'drove_gateway_last_sync_timestamp_seconds{namespace="stage"}'
    assert shown(metrics)[name] == 0

    view = NamespaceView("stage", (), last_sync=1700000000.5)
    metrics.mirror(Status(About("1.0"), 0.0, {}, "lb1", namespaces=(view,)))

    assert shown(metrics)[name] == 1700000000.5


def test_serving_the_stored_state_is_a_metric() -> None:
    metrics = Metrics(["one", "two"])
    views = (NamespaceView("one", ()), NamespaceView("two", ()))
    status = Status(About("1.0"), 0.0, {}, "lb1", namespaces=views, restored={"two": 1.0})

    metrics.mirror(status)
    assert shown(metrics)["drove_gateway_state_persistence_healthy"] == 1
    assert shown(metrics)['drove_gateway_serving_stored_state{namespace="one"}'] == 0
    assert shown(metrics)['drove_gateway_serving_stored_state{namespace="two"}'] == 1

    metrics.mirror(msgspec.structs.replace(status, stored=StoredState(problem="full"), restored={}))
    assert shown(metrics)["drove_gateway_state_persistence_healthy"] == 0
    assert shown(metrics)['drove_gateway_serving_stored_state{namespace="two"}'] == 0


def test_draining_servers_are_a_metric() -> None:
    metrics = Metrics()
    status = Status(About("1.0"), 0.0, {}, "lb1", proxy=ProxyHealth(draining=3))

    metrics.mirror(status)
    assert shown(metrics)["drove_gateway_draining_servers"] == 3


def test_held_servers_are_a_metric() -> None:
    metrics = Metrics(["one", "two"])
    views = (NamespaceView("one", ()), NamespaceView("two", ()))
    status = Status(About("1.0"), 0.0, {}, "lb1", namespaces=views)
    held = HeldWithdrawal("two", "the response is suddenly empty", 12, ("a.local",), 41.25)

    metrics.mirror(msgspec.structs.replace(status, held=(held,)))
    assert shown(metrics)['drove_gateway_held_servers{namespace="one"}'] == 0
    assert shown(metrics)['drove_gateway_held_servers{namespace="two"}'] == 12
    vhost = 'drove_gateway_vhost_held_servers{namespace="two",vhost="a.local"}'
    assert shown(metrics)[vhost] == 12

    metrics.mirror(status)
    assert shown(metrics)['drove_gateway_held_servers{namespace="two"}'] == 0
    assert vhost not in shown(metrics)
