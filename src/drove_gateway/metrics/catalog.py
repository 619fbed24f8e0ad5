"""Every metric that the gateway itself counts: name, labels, buckets and meaning, each once.

The names, labels and buckets of `ORIGINAL` are the original's, so that its dashboards go on
working; `OWN` are further ones. The reference is made from these declarations.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Literal

import msgspec

from drove_gateway.model.plan import ApplyStage

DOUBLING = tuple(0.05 * 2**step for step in range(10))
"""Upper bounds in seconds: 0.05 doubling, ten of them."""

USUAL = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The default buckets of Go's client, which the original uses where it names none."""

KNOWN = {
    "result": ("success", "error"),
    "stage": ("all", *ApplyStage),
    "subject": ("answer", "app", "vhost", "host", "port", "tag"),
}
"""Label values whose series exist from the start, so that a dashboard shows 0 and not a gap."""


class Declared(msgspec.Struct, frozen=True):
    """One metric. `name` stands behind `prefix`; `buckets` are upper bounds in seconds."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = USUAL
    prefix: str = "drove_gateway_"

    @property
    def shown(self) -> str:
        """The name that Prometheus sees."""
        return self.prefix + self.name


ORIGINAL = (
    Declared("counter", "reloads_failed", "Reloads, or the check before them, that failed."),
    Declared("counter", "reloads_successful", "Reloads that succeeded."),
    Declared(
        "counter",
        "invalid_subdomain_label_warnings",
        "Vhosts that Drove sent, that are no DNS names and were left out; counted when new.",
    ),
    Declared(
        "counter",
        "duplicate_subdomain_label_warnings",
        "Vhosts of this namespace that an earlier one serves too, so that their hosts are merged; "
        "counted when new.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "endpoint_check_fails",
        "Pings that a controller answered with something else than 200; stand-bys do.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "endpoint_down_errors",
        "Pings that a controller did not answer at all.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_app_sync_failed",
        "Times that the endpoints were asked for and gave nothing usable.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_stream_errors",
        "Times that the events were asked for and gave nothing usable.",
        ("namespace",),
    ),
    Declared(
        "counter",
        "drove_stream_no_data_warnings",
        "Rounds of pings that found no controller to ask for events.",
        ("namespace",),
    ),
    Declared("counter", "drove_events_received", "Events that a leader reported.", ("namespace",)),
    Declared(
        "counter",
        "haproxy_api_calls_successful_total",
        "Commands that HAProxy's runtime API carried out.",
        ("operation",),
    ),
    Declared(
        "counter",
        "haproxy_api_calls_failed_total",
        "Commands that HAProxy's runtime API refused or did not answer.",
        ("operation",),
    ),
    Declared(
        "counter",
        "nginx_api_calls_successful_total",
        "Calls that the NGINX Plus API carried out.",
        ("operation",),
    ),
    Declared(
        "counter",
        "nginx_api_calls_failed_total",
        "Calls that the NGINX Plus API refused or did not answer.",
        ("operation",),
    ),
    Declared(
        "histogram",
        "reload_duration",
        "Seconds that a successful apply with a reload took, from rendering to the proof.",
        buckets=DOUBLING,
    ),
    Declared(
        "histogram",
        "drove_app_refresh_duration",
        "Seconds that fetching, decoding and accepting a namespace's endpoints took.",
        ("namespace",),
        DOUBLING,
    ),
    Declared(
        "histogram",
        "template_render_duration_seconds",
        "Seconds that rendering the template took.",
        ("result",),
    ),
    Declared(
        "histogram",
        "haproxy_runtime_api_duration_seconds",
        "Seconds that bringing all backends up to date over HAProxy's runtime API took.",
        ("result",),
        prefix="",
    ),
    Declared(
        "histogram",
        "nginx_plus_runtime_api_duration_seconds",
        "Seconds that bringing all upstreams up to date over the NGINX Plus API took.",
        ("result",),
        prefix="",
    ),
    Declared("gauge", "config_generation_healthy", "1 when the last configuration was accepted."),
    Declared("gauge", "template_rendering_healthy", "1 when the template could be rendered."),
    Declared("gauge", "resolver_healthy", "1 when host names can be resolved."),
    Declared(
        "gauge",
        "upstream_updates_via_api_healthy",
        "1 when the runtime API does what it is told, or is not in use.",
    ),
    Declared(
        "gauge",
        "all_endpoints_down_errors",
        "1 when no controller of the namespace leads.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_with_routing_tag_total",
        "Apps that carry the namespace's routing tag.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_without_routing_tag_total",
        "Apps that do not carry the namespace's routing tag.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "apps_ignored_by_realm_total",
        "Apps that realm and realm_suffix leave out.",
        ("namespace",),
    ),
    Declared(
        "gauge", "configured_endpoints_total", "Controllers that are configured.", ("namespace",)
    ),
    Declared("gauge", "healthy_endpoints_total", "Controllers that lead.", ("namespace",)),
)

OWN = (
    Declared("gauge", "build_info", "Always 1; says what runs.", ("version", "commit")),
    Declared(
        "histogram",
        "apply_duration_seconds",
        "Seconds that applying a change took, by stage; `all` is the whole.",
        ("stage",),
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    ),
    Declared(
        "counter",
        "template_interpreted_renders_total",
        "Renderings that the interpreter did, about 100 times slower than compiled code; health "
        "says why.",
    ),
    Declared(
        "counter",
        "reconcile_failures_total",
        "Times that a change was not applied, or not for every vhost; each is tried again.",
    ),
    Declared(
        "gauge",
        "failed_vhosts",
        "Vhosts that the last apply could not bring up to date; each is tried again.",
    ),
    Declared(
        "gauge",
        "vhost_failed",
        "1 for each of these vhosts, the first 100 of them.",
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
        "Unix time at which the namespace's endpoints were last fetched and accepted; 0 is never.",
        ("namespace",),
    ),
    Declared("gauge", "tasks", "Tasks of the gateway's event loop, as of now."),
    Declared(
        "gauge", "state_persistence_healthy", "1 when the state on disk is kept, or need not."
    ),
    Declared(
        "gauge",
        "serving_stored_state",
        "1 while the namespace is served from the stored state, since no controller answered.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "held_servers",
        "Servers that an answer lacks and that the guard keeps all the same.",
        ("namespace",),
    ),
    Declared(
        "gauge",
        "draining_servers",
        "Removed servers that finish their running requests; with a runtime API.",
    ),
    Declared("gauge", "vhosts", "Vhosts that should be served."),
    Declared("gauge", "servers", "Hosts of all vhosts that should be served."),
    Declared(
        "gauge",
        "rejected",
        "Things that Drove sends and that are left out, by what they are.",
        ("namespace", "subject"),
    ),
)

DECLARED = ORIGINAL + OWN


def series(one: Declared, namespaces: Iterable[str]) -> Iterable[tuple[str, ...]]:
    """The label values of `one` that are known beforehand; none where a label's are not."""
    known: Mapping[str, Iterable[str]] = {**KNOWN, "namespace": tuple(namespaces)}
    return product(*(known.get(label, ()) for label in one.labels))
