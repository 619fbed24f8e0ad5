"""Record the metrics that the other parts report, and expose them.

Each part declares the methods it needs in a Protocol of its own, which `Metrics` satisfies. A
method that only records a value is named after its metric.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.metrics import MetricWrapperBase

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.metrics import exposition
from drove_gateway.metrics.catalog import DECLARED, KNOWN, RUNTIME_API_DURATION, Declared, series
from drove_gateway.model.health import CertificateHealth
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.versioned_map import VersionedMap, changed_keys
from drove_gateway.model.vocabulary import App
from drove_gateway.status.status import Status
from drove_gateway.topology.build import TopologyBuild

_BARE = frozenset(
    metric.shown
    for metric in DECLARED
    if metric.kind == "counter" and not metric.name.endswith("_total")
)
_MOST_VHOSTS = 100
_Kind = TypeVar("_Kind", bound=MetricWrapperBase)


class Metrics:
    """The metrics of a gateway, in a registry of their own."""

    def __init__(
        self, namespaces: Iterable[str] = (), *, version: str = "", commit: str = ""
    ) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            metric.name: _counter(metric, self._registry) for metric in _all("counter")
        }
        self._gauges = {metric.name: _gauge(metric, self._registry) for metric in _all("gauge")}
        self._histograms = {
            metric.name: _histogram(metric, self._registry) for metric in _all("histogram")
        }
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._namespaces: frozenset[str] = frozenset()
        self._built: TopologyBuild | None = None
        self._set("build_info", 1, version, commit)
        self.configured(namespaces)

    def configured(self, namespaces: Iterable[str]) -> None:
        """Set the namespaces: the series of new namespaces begin, the others end."""
        before, self._namespaces = self._namespaces, frozenset(namespaces)
        gone = before - self._namespaces
        for metric in (metric for metric in DECLARED if metric.labels):
            for labels in series(metric, gone) if "namespace" in metric.labels else ():
                self._wrapper(metric).remove(*labels)
            for labels in series(metric, self._namespaces):
                self._wrapper(metric).labels(*labels)

    def render(self) -> bytes:
        """Return all metrics in the text format, `exposition.CONTENT_TYPE`."""
        return exposition.text(self._registry.collect(), _BARE).encode()

    def reload_succeeded(self, seconds: float) -> None:
        """Record that a new configuration serves, `seconds` after the apply began."""
        self._count("reloads_successful")
        self._observe("reload_duration", seconds)

    def reload_failed(self) -> None:
        """Record that a configuration was refused, or that a reload failed or is not proven."""
        self._count("reloads_failed")

    def template_rendered(self, ok: bool, seconds: float) -> None:
        self._observe("template_render_duration_seconds", seconds, _result(ok))

    def template_interpreted_renders(self) -> None:
        self._count("template_interpreted_renders_total")

    def applied(self, record: ApplyRecord) -> None:
        """Record an attempt to change the proxy, successful or not."""
        self._observe("apply_duration_seconds", record.took, "all")
        for stage, seconds in record.seconds:
            self._observe("apply_duration_seconds", seconds, stage)
        if record.waited is not None:
            self._observe("apply_duration_seconds", record.waited, "planned")
        if record.serving is not None:
            self._observe("change_to_traffic_seconds", record.serving)
        if not record.error:
            self._failed(tuple(dict.fromkeys(vhost for vhost, _ in record.failed)))
        if record.error:
            self._count("reconcile_failures_total")
        elif not record.failed:
            self._set("last_apply_timestamp_seconds", record.at + record.took)

    def _failed(self, vhosts: tuple[str, ...]) -> None:
        self._set("failed_vhosts", len(vhosts))
        self._gauges["vhost_failed"].clear()
        for vhost in vhosts[:_MOST_VHOSTS]:
            self._set("vhost_failed", 1, vhost)

    def _set_certificates(self, files: Sequence[CertificateHealth]) -> None:
        self._gauges["certificate_expiry_timestamp_seconds"].clear()
        for each in files[:_MOST_VHOSTS]:
            if each.expires is not None:
                self._set("certificate_expiry_timestamp_seconds", each.expires, each.file)

    def mirror(self, status: Status) -> None:
        """Set the gauges that are part of the status.

        A fault of some vhosts is in `failed_vhosts`, and no fault of the whole.
        """
        proxy = status.proxy
        self._set("config_generation_healthy", proxy.config.works)
        self._set("template_rendering_healthy", proxy.template.healthy)
        self._set("resolver_healthy", proxy.resolver.healthy)
        self._set("upstream_updates_via_api_healthy", proxy.upstream_updates.works)
        self._set("draining_servers", proxy.draining)
        self._set("certificates_healthy", proxy.certificates.healthy)
        self._set_certificates(proxy.certificate_files)
        self._set("old_workers", status.reloads.workers.old)
        self._set("old_workers_memory_bytes", status.reloads.workers.old_memory)
        self._set("reload_interval_seconds", status.reloads.interval)
        apps = status.built.topology.apps
        self._set("vhosts", len(apps))
        self._set("servers", sum(len(app.hosts) for app in apps.values()))
        self._set("state_persistence_healthy", not status.stored.problem)
        held = self._held(status.held)
        for view in status.namespaces:
            self._set("held_servers", held.get(view.name, 0), view.name)
            self._set("serving_stored_state", view.name in status.restored, view.name)
            self._set("last_sync_timestamp_seconds", view.last_sync or 0, view.name)

    def _held(self, withdrawals: Sequence[HeldWithdrawal]) -> dict[str, int]:
        """Set the gauge of held vhosts. Return the held servers of each namespace."""
        held: dict[str, int] = {}
        self._gauges["vhost_held_servers"].clear()
        for at, each in enumerate(withdrawals):
            held[each.namespace] = held.get(each.namespace, 0) + each.servers
            if at < _MOST_VHOSTS:
                self._set("vhost_held_servers", each.servers, each.namespace, each.vhosts[0])
        return held

    def tasks(self, count: int) -> None:
        self._set("tasks", count)

    def built(self, built: TopologyBuild) -> None:
        """Record a topology, and count what is new in it since the topology before."""
        before, self._built = self._built, built
        for namespace, counts in built.counts.items():
            self._set("apps_with_routing_tag_total", counts.with_routing_tag, namespace)
            self._set("apps_without_routing_tag_total", counts.without_routing_tag, namespace)
            self._set("apps_ignored_by_realm_total", counts.ignored_by_realm, namespace)
        self._rejected(built, before)
        for namespace, new in _newly_shared(built, before):
            self._count("duplicate_subdomain_label_warnings", namespace, by=new)

    def _rejected(self, built: TopologyBuild, before: TopologyBuild | None) -> None:
        tally = dict.fromkeys(product(built.counts, KNOWN["subject"]), 0)
        for entry in built.rejected:
            label = entry.namespace, entry.subject
            tally[label] = tally.get(label, 0) + 1
        for (namespace, subject), count in tally.items():
            self._set("rejected", count, namespace, subject)
        known = set(before.rejected) if before else set()
        new = {entry for entry in built.rejected if entry.subject == "vhost"} - known
        self._count("invalid_subdomain_label_warnings", by=len(new))

    def endpoint_check_fails(self, namespace: str) -> None:
        self._count("endpoint_check_fails", namespace)

    def endpoint_down_errors(self, namespace: str) -> None:
        self._count("endpoint_down_errors", namespace)

    def drove_app_sync_failed(self, namespace: str) -> None:
        self._count("drove_app_sync_failed", namespace)

    def drove_stream_errors(self, namespace: str) -> None:
        self._count("drove_stream_errors", namespace)

    def drove_stream_no_data_warnings(self, namespace: str) -> None:
        self._count("drove_stream_no_data_warnings", namespace)

    def drove_events_received(self, namespace: str, count: int) -> None:
        self._count("drove_events_received", namespace, by=count)

    def drove_audit_differences(self, namespace: str, count: int) -> None:
        self._count("drove_audit_differences", namespace, by=count)

    def drove_app_refresh_duration(self, namespace: str, seconds: float) -> None:
        self._observe("drove_app_refresh_duration", seconds, namespace)

    def drove_notice_duration_seconds(self, namespace: str, seconds: float) -> None:
        self._observe("drove_notice_duration_seconds", seconds, namespace)

    def all_endpoints_down_errors(self, namespace: str, down: bool) -> None:
        self._set("all_endpoints_down_errors", down, namespace)

    def configured_endpoints_total(self, namespace: str, count: int) -> None:
        self._set("configured_endpoints_total", count, namespace)

    def healthy_endpoints_total(self, namespace: str, count: int) -> None:
        self._set("healthy_endpoints_total", count, namespace)

    def runtime_api(self, api: str) -> "RuntimeApiMetrics":
        """Return the metrics of the runtime API of this name."""
        return RuntimeApiMetrics(
            lambda result, operation: self._count(f"{api}_api_calls_{result}_total", operation),
            lambda ok, seconds: self._observe(RUNTIME_API_DURATION[api], seconds, _result(ok)),
            lambda ok, seconds: self._observe(
                "runtime_api_read_duration_seconds", seconds, api, _result(ok)
            ),
        )

    def _count(self, name: str, *labels: str, by: int = 1) -> None:
        _of(self._counters[name], labels).inc(by)

    def _set(self, name: str, value: float, *labels: str) -> None:
        _of(self._gauges[name], labels).set(value)

    def _observe(self, name: str, seconds: float, *labels: str) -> None:
        _of(self._histograms[name], labels).observe(seconds)

    def _wrapper(self, metric: Declared) -> MetricWrapperBase:
        wrappers = {**self._counters, **self._gauges, **self._histograms}
        return wrappers[metric.name]


def _all(kind: str) -> Iterable[Declared]:
    return (metric for metric in DECLARED if metric.kind == kind)


def _counter(metric: Declared, registry: CollectorRegistry) -> Counter:
    return Counter(metric.shown, metric.help, metric.labels, registry=registry)


def _gauge(metric: Declared, registry: CollectorRegistry) -> Gauge:
    return Gauge(metric.shown, metric.help, metric.labels, registry=registry)


def _histogram(metric: Declared, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        metric.shown, metric.help, metric.labels, registry=registry, buckets=metric.buckets
    )


def _of(wrapper: _Kind, labels: tuple[str, ...]) -> _Kind:
    return wrapper.labels(*labels) if labels else wrapper


def _newly_shared(built: TopologyBuild, before: TopologyBuild | None) -> Iterator[tuple[str, int]]:
    """By namespace, how many of its vhosts an earlier namespace also serves, but did not before."""
    due: set[str] = set()
    earlier: list[Mapping[str, App]] = []
    had_earlier: list[Mapping[str, App]] = []
    for namespace, part in built.parts.items():
        known = before.parts.get(namespace) if before else None
        had = known.apps if known else VersionedMap[App]()
        due.update(changed_keys(had, part.apps))
        yield (
            namespace,
            sum(
                _is_shared(vhost, part.apps, earlier) and not _is_shared(vhost, had, had_earlier)
                for vhost in due
            ),
        )
        earlier.append(part.apps)
        had_earlier.append(had)


def _is_shared(vhost: str, apps: Mapping[str, App], earlier: Sequence[Mapping[str, App]]) -> bool:
    return vhost in apps and any(vhost in others for others in earlier)


class RuntimeApiMetrics:
    """Records the calls of a runtime API."""

    def __init__(
        self,
        count: Callable[[str, str], None],
        changed: Callable[[bool, float], None],
        read: Callable[[bool, float], None],
    ) -> None:
        self._count = count
        self._changed = changed
        self._read = read

    def call(self, operation: str, ok: bool) -> None:
        self._count("successful" if ok else "failed", operation)

    def duration(self, ok: bool, seconds: float) -> None:
        """Record how long a batch of changes took."""
        self._changed(ok, seconds)

    def read_duration(self, ok: bool, seconds: float) -> None:
        """Record how long it took to read what the proxy has."""
        self._read(ok, seconds)


def _result(ok: bool) -> str:
    """The label `result` of a histogram."""
    return "success" if ok else "error"
