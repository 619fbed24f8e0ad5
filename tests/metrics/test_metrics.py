"""What `/v1/metrics` shows: the original's names, labels and buckets, and what counts in them."""

import re

import pytest
from tests.metrics.series import shown

from drove_gateway.drove.metrics import DroveMetrics
from drove_gateway.metrics import Metrics
from drove_gateway.metrics.catalog import DECLARED, ORIGINAL, Declared
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord
from drove_gateway.reconciler.report import ReconcilerMetrics

COUNTERS = [
    "drove_gateway_reloads_failed",
    "drove_gateway_reloads_successful",
    "drove_gateway_invalid_subdomain_label_warnings",
    "drove_gateway_duplicate_subdomain_label_warnings{namespace}",
    "drove_gateway_endpoint_check_fails{namespace}",
    "drove_gateway_endpoint_down_errors{namespace}",
    "drove_gateway_drove_app_sync_failed{namespace}",
    "drove_gateway_drove_stream_errors{namespace}",
    "drove_gateway_drove_stream_no_data_warnings{namespace}",
    "drove_gateway_drove_events_received{namespace}",
    "drove_gateway_haproxy_api_calls_successful_total{operation}",
    "drove_gateway_haproxy_api_calls_failed_total{operation}",
    "drove_gateway_nginx_api_calls_successful_total{operation}",
    "drove_gateway_nginx_api_calls_failed_total{operation}",
]


HISTOGRAMS = [
    "drove_gateway_reload_duration",
    "drove_gateway_drove_app_refresh_duration{namespace}",
    "drove_gateway_template_render_duration_seconds{result}",
    "haproxy_runtime_api_duration_seconds{result}",
    "nginx_plus_runtime_api_duration_seconds{result}",
]


GAUGES = [
    "drove_gateway_config_generation_healthy",
    "drove_gateway_template_rendering_healthy",
    "drove_gateway_resolver_healthy",
    "drove_gateway_upstream_updates_via_api_healthy",
    "drove_gateway_all_endpoints_down_errors{namespace}",
    "drove_gateway_apps_with_routing_tag_total{namespace}",
    "drove_gateway_apps_without_routing_tag_total{namespace}",
    "drove_gateway_apps_ignored_by_realm_total{namespace}",
    "drove_gateway_configured_endpoints_total{namespace}",
    "drove_gateway_healthy_endpoints_total{namespace}",
]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("counter", COUNTERS), ("histogram", HISTOGRAMS), ("gauge", GAUGES)],
)
def test_every_metric_of_the_original_is_there_with_its_type_and_labels(
    kind: str, expected: list[str]
) -> None:
    metrics = Metrics(["stage"])
    metrics.runtime_api("haproxy").call("add_server", True)
    metrics.runtime_api("haproxy").call("add_server", False)
    metrics.runtime_api("nginx").call("update_http_servers", True)
    metrics.runtime_api("nginx").call("update_http_servers", False)
    text = metrics.render().decode()

    for each in expected:
        name, _, label = each.rstrip("}").partition("{")
        sample = f"{name}_count" if kind == "histogram" else name
        assert f"# TYPE {name} {kind}\n" in text
        assert re.search(rf"^{sample}{r'{' + label + '=' if label else ' '}", text, re.MULTILINE)

    assert sorted(expected) == sorted(
        each.shown + (f"{{{','.join(each.labels)}}}" if each.labels else "")
        for each in ORIGINAL
        if each.kind == kind
    )


def test_a_counter_without_total_is_exposed_without_it() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.reload_failed()

    text = metrics.render().decode()

    assert "# TYPE drove_gateway_reloads_failed counter\ndrove_gateway_reloads_failed 3\n" in text
    assert "drove_gateway_reloads_failed_total" not in text
    assert "_created" not in text


def test_durations_have_the_buckets_of_the_original() -> None:
    metrics = Metrics(["stage"])
    metrics.reload_succeeded(0.3)
    metrics.drove_app_refresh_duration("stage", 0.06)
    metrics.drove_notice_duration_seconds("stage", 0.3)
    series = shown(metrics)

    bounds = [
        re.search(r'le="([^"]+)"', each)
        for each in series
        if each.startswith("drove_gateway_reload_duration_bucket")
    ]
    assert [each.group(1) for each in bounds if each] == (
        ["0.05", "0.1", "0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "12.8", "25.6", "+Inf"]
    )
    assert series["drove_gateway_reloads_successful"] == 1
    assert series['drove_gateway_reload_duration_bucket{le="0.2"}'] == 0
    assert series['drove_gateway_reload_duration_bucket{le="0.4"}'] == 1
    assert (
        series['drove_gateway_drove_app_refresh_duration_bucket{namespace="stage",le="0.1"}'] == 1
    )
    assert series['drove_gateway_drove_notice_duration_seconds_sum{namespace="stage"}'] == 0.3


def test_bounds_are_written_as_go_writes_them() -> None:
    text = Metrics().render().decode()

    assert 'haproxy_runtime_api_duration_seconds_bucket{result="success",le="1"} 0\n' in text
    assert 'le="1.0"' not in text


def test_series_with_known_labels_exist_from_the_start() -> None:
    series = shown(Metrics(["stage", "prod"]))

    for namespace in ("stage", "prod"):
        assert series[f'drove_gateway_drove_stream_errors{{namespace="{namespace}"}}'] == 0
        assert series[f'drove_gateway_rejected{{namespace="{namespace}",subject="vhost"}}'] == 0
    for result in ("success", "error"):
        name = "drove_gateway_template_render_duration_seconds_count"
        assert series[f'{name}{{result="{result}"}}'] == 0


def test_series_of_a_removed_namespace_end() -> None:
    metrics = Metrics(["old", "kept"])
    metrics.all_endpoints_down_errors("old", True)
    metrics.drove_events_received("kept", 5)

    metrics.configured(["kept", "new"])

    series = shown(metrics)
    assert not any('"old"' in each for each in series)
    assert series['drove_gateway_drove_events_received{namespace="kept"}'] == 5
    assert series['drove_gateway_drove_events_received{namespace="new"}'] == 0


def test_controller_events_are_counted_by_namespace() -> None:
    metrics = Metrics(["stage"])
    drove: DroveMetrics = metrics
    drove.endpoint_check_fails("stage")
    drove.endpoint_down_errors("stage")
    drove.drove_app_sync_failed("stage")
    drove.drove_stream_errors("stage")
    drove.drove_stream_no_data_warnings("stage")
    drove.drove_events_received("stage", 4)
    drove.all_endpoints_down_errors("stage", True)
    drove.configured_endpoints_total("stage", 3)
    drove.healthy_endpoints_total("stage", 1)
    series = shown(metrics)

    assert {
        name: series[f'drove_gateway_{name}{{namespace="stage"}}']
        for name in (
            "endpoint_check_fails",
            "endpoint_down_errors",
            "drove_app_sync_failed",
            "drove_stream_errors",
            "drove_stream_no_data_warnings",
            "drove_events_received",
            "all_endpoints_down_errors",
            "configured_endpoints_total",
            "healthy_endpoints_total",
        )
    } == {
        "endpoint_check_fails": 1,
        "endpoint_down_errors": 1,
        "drove_app_sync_failed": 1,
        "drove_stream_errors": 1,
        "drove_stream_no_data_warnings": 1,
        "drove_events_received": 4,
        "all_endpoints_down_errors": 1,
        "configured_endpoints_total": 3,
        "healthy_endpoints_total": 1,
    }


def test_runtime_calls_are_counted_by_operation_and_result() -> None:
    metrics = Metrics()
    metrics.runtime_api("haproxy").call("add_server", True)
    metrics.runtime_api("haproxy").call("add_server", True)
    metrics.runtime_api("haproxy").call("delete_server", False)
    metrics.runtime_api("haproxy").duration(True, 0.004)
    metrics.runtime_api("nginx").duration(False, 0.004)
    series = shown(metrics)

    prefix = "drove_gateway_haproxy_api_calls"
    assert series[f'{prefix}_successful_total{{operation="add_server"}}'] == 2
    assert series[f'{prefix}_failed_total{{operation="delete_server"}}'] == 1
    assert series['haproxy_runtime_api_duration_seconds_count{result="success"}'] == 1
    assert series['nginx_plus_runtime_api_duration_seconds_count{result="error"}'] == 1


@pytest.mark.parametrize(
    ("api", "operations"),
    [
        (
            "haproxy",
            """
            add_server delete_server get_servers_state get_servers_state_all_backends
            set_server_addr set_server_health_up set_server_state_ready set_server_state_drain
            set_server_state_maint
            """,
        ),
        ("nginx", "check_if_upstream_exists add_http_server update_http_servers"),
    ],
)
def test_operations_of_the_original_are_counted_from_the_start(api: str, operations: str) -> None:
    series = shown(Metrics())
    for operation in operations.split():
        for result in ("successful", "failed"):
            name = f'drove_gateway_{api}_api_calls_{result}_total{{operation="{operation}"}}'
            assert series[name] == 0, name


def test_reading_is_timed_apart_from_changes() -> None:
    metrics = Metrics()
    metrics.runtime_api("haproxy").read_duration(True, 0.004)
    series = shown(metrics)
    assert series['haproxy_runtime_api_duration_seconds_count{result="success"}'] == 0
    read = "drove_gateway_runtime_api_read_duration_seconds_count"
    assert series[f'{read}{{api="haproxy",result="success"}}'] == 1


def test_apply_is_timed_by_stage() -> None:
    metrics = Metrics()
    reconciler: ReconcilerMetrics = metrics
    reconciler.applied(
        ApplyRecord(
            at=100.0,
            took=0.5,
            triggers=("events",),
            reasons=(),
            steps=(Step("add server", "web/1", "new host"),),
            seconds=((ApplyStage.SERVERS, 0.25),),
            waited=0.125,
            noticed=1.0,
            fetched=0.25,
        )
    )
    series = shown(metrics)

    assert series['drove_gateway_apply_duration_seconds_sum{stage="all"}'] == 0.5
    assert series['drove_gateway_apply_duration_seconds_sum{stage="planned"}'] == 0.125
    assert series["drove_gateway_change_to_traffic_seconds_sum"] == 1.875
    assert series['drove_gateway_apply_duration_seconds_sum{stage="servers"}'] == 0.25
    assert series["drove_gateway_last_apply_timestamp_seconds"] == 100.5
    assert series["drove_gateway_reconcile_failures_total"] == 0


@pytest.mark.parametrize(
    ("bad", "failures"),
    [
        (ApplyRecord(200.0, 1.0, (), (), (), error="refused"), 1),
        # Counted as a failed vhost, so that a tenant's fault raises one alert.
        (ApplyRecord(200.0, 1.0, (), (), (), failed=(("web.local", "full"),)), 0),
    ],
)
def test_failed_apply_is_counted_and_keeps_the_time_of_the_last_success(
    bad: ApplyRecord, failures: int
) -> None:
    metrics = Metrics()
    good = ApplyRecord(100.0, 1.0, (), (), ())

    metrics.applied(good)
    metrics.applied(bad)

    series = shown(metrics)
    assert series["drove_gateway_reconcile_failures_total"] == failures
    assert series["drove_gateway_last_apply_timestamp_seconds"] == 101


def test_failed_vhosts_are_counted_and_named_while_they_fail() -> None:
    metrics = Metrics()
    failed = (("a.local", "refused"), ("a.local", "full"), ("b.local", "refused"))

    metrics.applied(ApplyRecord(100.0, 1.0, (), (), (), failed=failed))
    during = shown(metrics)
    metrics.applied(ApplyRecord(101.0, 1.0, (), (), ()))
    after = shown(metrics)

    assert during["drove_gateway_failed_vhosts"] == 2
    assert during['drove_gateway_vhost_failed{vhost="b.local"}'] == 1
    assert after["drove_gateway_failed_vhosts"] == 0
    assert not [name for name in after if name.startswith("drove_gateway_vhost_failed{")]


def test_label_values_are_escaped() -> None:
    metrics = Metrics(['a"b\\c\nd'])

    assert 'namespace="a\\"b\\\\c\\nd"' in metrics.render().decode()


def test_the_process_and_the_build_are_described() -> None:
    series = shown(Metrics(version="1.2.3", commit="abc"))

    assert series['drove_gateway_build_info{version="1.2.3",commit="abc"}'] == 1
    assert series["process_open_fds"] > 0
    assert any(each.startswith("python_info") for each in series)


def test_every_family_is_exposed_once_and_every_line_is_well_formed() -> None:
    text = Metrics(["stage"]).render().decode()
    types = re.findall(r"^# TYPE (\S+) \S+$", text, re.MULTILINE)
    name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
    label = rf'{name}="(?:[^"\\\n]|\\.)*"'

    assert len(types) == len(set(types))
    for line in text.splitlines():
        assert re.fullmatch(rf"# (HELP|TYPE) {name} .+|{name}({{{label}(,{label})*}})? \S+", line)


@pytest.mark.parametrize(
    "metric",
    [metric for metric in DECLARED if metric.kind == "counter"],
    ids=lambda metric: metric.shown,
)
def test_a_counter_has_its_series_before_the_first_failure(metric: Declared) -> None:
    series = shown(Metrics(["main"]))

    of_the_metric = {name: value for name, value in series.items() if name.startswith(metric.shown)}
    assert of_the_metric
    assert set(of_the_metric.values()) == {0}
