"""Every metric of the gateway, declared once: name, labels, buckets and meaning.

The names, labels and buckets in `ORIGINAL` are the original's, so that its dashboards keep working;
`OWN` are additional metrics. The reference is generated from these declarations.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Literal

import msgspec

from drove_gateway.model.plan import ApplyStage

DOUBLING = tuple(0.05 * 2**step for step in range(10))
"""Ten upper bounds in seconds, each twice the one before, from 0.05 on."""

USUAL = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The default buckets of Go's client, which the original uses unless it sets others."""

NOTICE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a burst of polls to an outage of all controllers."""

KNOWN = {
    "result": ("success", "error"),
    "stage": ("all", "planned", *ApplyStage),
    "api": ("haproxy", "nginx"),
    "subject": ("answer", "app", "vhost", "host", "port", "tag"),
}
"""Label values whose series exist from the start, so that a dashboard shows 0 instead of a gap."""


HAPROXY_OPERATIONS = (
    "add_server",
    "delete_server",
    "get_servers_state",
    "get_servers_state_all_backends",
    "set_server_addr",
    "set_server_health_up",
    "set_server_state_ready",
    "set_server_state_drain",
    "set_server_state_maint",
)
NGINX_OPERATIONS = ("check_if_upstream_exists", "add_http_server", "update_http_servers")
"""The operations that the original counts, by its names."""

RUNTIME_API_DURATION = {
    "haproxy": "haproxy_runtime_api_duration_seconds",
    "nginx": "nginx_plus_runtime_api_duration_seconds",
}
"""The histogram of each runtime API. The original calls only one of them by its product's name."""


class Declared(msgspec.Struct, frozen=True):
    """A metric. Prometheus sees `prefix` and `name`; `buckets` are upper bounds in seconds.

    `operations` are values of the label `operation` that exist from the start.
    """

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = USUAL
    prefix: str = "drove_gateway_"
    operations: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The full name."""
        return self.prefix + self.name


ORIGINAL = (
    Declared(
        "counter",
        "reloads_failed",
        "Configurations that the proxy refused, and reloads that failed.",
    ),
    Declared("counter", "reloads_successful", "Reloads that succeeded."),
    Declared(
        "counter",
        "invalid_subdomain_label_warnings",
        "Vhosts from Drove that are not DNS names and were rejected; counted when new.",
    ),
    Declared(
        "counter",
        "duplicate_subdomain_label_warnings",
        "Vhosts of this namespace that an earlier namespace also serves, so that their hosts are "
        "merged; counted when new.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "endpoint_check_fails",
        "Pings with a response other than 200; controllers that do not lead respond like that.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "endpoint_down_errors",
        "Pings without a response.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_app_sync_failed",
        "Requests for endpoints without a usable response.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_stream_errors",
        "Requests for events without a usable response.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_stream_no_data_warnings",
        "Rounds of pings in which no controller led.",
        ("namespace",),
    ),
    Declared("counter", "drove_events_received", "Events that leaders reported.", ("namespace",)),
    Declared(
        "counter",
        "haproxy_api_calls_successful_total",
        "Commands that HAProxy's runtime API accepted.",
        ("operation",),
        operations=HAPROXY_OPERATIONS,
    ),
    Declared(
        "counter",
        "haproxy_api_calls_failed_total",
        "Commands that HAProxy's runtime API refused or did not respond to.",
        ("operation",),
        operations=HAPROXY_OPERATIONS,
    ),
    Declared(
        "counter",
        "nginx_api_calls_successful_total",
        "Calls that the NGINX Plus API accepted.",
        ("operation",),
        operations=NGINX_OPERATIONS,
    ),
    Declared(
        "counter",
        "nginx_api_calls_failed_total",
        "Calls that the NGINX Plus API refused or did not respond to.",
        ("operation",),
        operations=NGINX_OPERATIONS,
    ),
    Declared(
        "histogram",
        "reload_duration",
        "Duration of successful applies with a reload, from rendering to the proof.",
        buckets=DOUBLING,
    ),
    Declared(
        "histogram",
        "drove_app_refresh_duration",
        "Time to fetch, decode and accept the endpoints of a namespace.",
        ("namespace",),
        DOUBLING,
    ),
    Declared(
        "histogram",
        "template_render_duration_seconds",
        "Time to render the template.",
        ("result",),
    ),
    Declared(
        "histogram",
        RUNTIME_API_DURATION["haproxy"],
        "Time of a batch of changes over HAProxy's runtime API.",
        ("result",),
        prefix="",
    ),
    Declared(
        "histogram",
        RUNTIME_API_DURATION["nginx"],
        "Time of a batch of changes over the NGINX Plus API.",
        ("result",),
        prefix="",
    ),
    Declared(
        "gauge",
        "config_generation_healthy",
        "1 if the proxy accepted the last configuration, possibly without vhosts that it refuses.",
    ),
    Declared("gauge", "template_rendering_healthy", "1 if the template can be rendered."),
    Declared("gauge", "resolver_healthy", "1 if host names can be resolved."),
    Declared(
        "gauge",
        "upstream_updates_via_api_healthy",
        "1 if changes over the runtime API succeed, possibly not for every vhost, or if it is not "
        "in use.",
    ),
    Declared(
        "gauge",
        "all_endpoints_down_errors",
        "1 if no controller of the namespace leads.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_with_routing_tag_total",
        "Apps that have the namespace's routing tag.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_without_routing_tag_total",
        "Apps that do not have the namespace's routing tag.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_ignored_by_realm_total",
        "Apps that realm and realm_suffix exclude.",
        ("namespace",),
    ),
    Declared("gauge", "configured_endpoints_total", "Configured controllers.", ("namespace",)),
    Declared("gauge", "healthy_endpoints_total", "Controllers that lead.", ("namespace",)),
)

OWN = (
    Declared(
        "counter",
        "drove_audit_differences",
        "Apps that a full fetch found changed without an event.",
        ("namespace",),
    ),
    Declared(
        "histogram",
        "drove_notice_duration_seconds",
        "Time from a change in Drove to the poll that showed it, by the event's own time; not "
        "measured until the difference of the clocks is known.",
        ("namespace",),
        NOTICE,
    ),
    Declared(
        "histogram",
        "change_to_traffic_seconds",
        "Time from a change in Drove until it serves, of the slowest change of each apply; "
        "measured where drove_notice_duration_seconds is.",
        buckets=NOTICE,
    ),
    Declared("gauge", "build_info", "Always 1; the labels say what runs.", ("version", "commit")),
    Declared(
        "histogram",
        "apply_duration_seconds",
        "Time to apply a change, by stage; `all` is the total. `planned` is the wait before it, "
        "for other changes and for the plan.",
        ("stage",),
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    ),
    Declared(
        "counter",
        "template_interpreted_renders_total",
        "Renderings by the interpreter, which is about 100 times slower than compiled code; "
        "/v1/health says why.",
    ),
    Declared(
        "histogram",
        "runtime_api_read_duration_seconds",
        "Time to read what the proxy has over its runtime API (`haproxy` or `nginx`).",
        ("api", "result"),
    ),
    Declared(
        "counter",
        "reconcile_failures_total",
        "Changes that were not applied; they are retried. For vhosts that fail alone there is "
        "failed_vhosts.",
    ),
    Declared(
        "gauge",
        "failed_vhosts",
        "Vhosts that the last apply could not bring up to date; they are retried.",
    ),
    Declared(
        "gauge",
        "vhost_failed",
        "1 for each vhost that could not be brought up to date; at most 100 of them.",
        ("vhost",),
    ),
    Declared(
        "gauge",
        "last_apply_timestamp_seconds",
        "Unix time of the last change that was applied completely.",
    ),
    Declared(
        "gauge",
        "last_sync_timestamp_seconds",
        "Unix time at which the namespace's endpoints were last fetched and accepted; 0 for never.",
        ("namespace",),
    ),
    Declared("gauge", "tasks", "Current number of tasks in the gateway's event loop."),
    Declared(
        "gauge",
        "state_persistence_healthy",
        "1 if the state on disk can be written, or is disabled.",
    ),
    Declared(
        "gauge",
        "serving_stored_state",
        "1 while the namespace is served from the stored state because no controller responded.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "held_servers",
        "Servers that are missing from a response but stay in traffic because of the guard.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "vhost_held_servers",
        "The same for each vhost that has held servers; at most 100 of them. "
        "`drove-gateway status` says why, and what ends it.",
        ("namespace", "vhost"),
    ),
    Declared(
        "gauge",
        "draining_servers",
        "Removed servers that still finish requests; only with a runtime API.",
    ),
    Declared(
        "gauge",
        "certificates_healthy",
        "1 if every certificate of the directory can be used and does not expire within a week.",
    ),
    Declared(
        "gauge",
        "certificate_expiry_timestamp_seconds",
        "When a certificate expires, in Unix seconds.",
        ("file",),
    ),
    Declared(
        "gauge",
        "old_workers",
        "Worker processes of the proxy that finish the connections of before a reload.",
    ),
    Declared("gauge", "old_workers_memory_bytes", "The memory that old workers hold, in bytes."),
    Declared(
        "gauge",
        "reload_interval_seconds",
        "How far apart reloads are at present: more than `reload_min_interval_sec` while old "
        "workers are left.",
    ),
    Declared("gauge", "vhosts", "Vhosts that should be served."),
    Declared("gauge", "servers", "Servers that all vhosts together should have."),
    Declared(
        "gauge",
        "rejected",
        "Entries from Drove that are rejected, by what they are.",
        ("namespace", "subject"),
    ),
)

DECLARED = ORIGINAL + OWN


def series(metric: Declared, namespaces: Iterable[str]) -> Iterable[tuple[str, ...]]:
    """The label values of `metric` that are known in advance; none if one of them is not."""
    known: Mapping[str, Iterable[str]] = {
        **KNOWN,
        "namespace": tuple(namespaces),
        "operation": metric.operations,
    }
    return product(*(known.get(label, ()) for label in metric.labels))
