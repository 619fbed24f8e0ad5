"""The status as JSON: what `/v1/config`, `/v1/health` and `/v1/status` show. Pure.

Names and shape of the first two are the original's; what is added has names of its own.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import App, Leader, Rejection
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.status.status import Status
from drove_gateway.topology.guard import HeldWithdrawal

Json: TypeAlias = Mapping[str, Any]

MOST_REJECTED = 100
GO_ZERO_TIME = "0001-01-01T00:00:00Z"
"""How Go's time.Time that was never set looks in JSON."""


def config(status: Status) -> Json:
    """What is served and from what: the original's keys, then apps, namespaces and settings."""
    applied = status.applied.apps
    topology = status.built.topology
    return {
        "LastKnownVhosts": {"Vhosts": dict.fromkeys(sorted(applied), True)},
        "LastKnownBackends": {
            name: True
            for vhost in sorted(applied)
            for name in _backend_names(applied[vhost], status.config)
        },
        "LastReloadTimestamp": _go_time(status.last_reload),
        "LastUpstreamAPIUpdateTimestamp": _go_time(status.last_server_update),
        "StaticData": {"Xproxy": status.xproxy},
        "Apps": dict(topology.apps.items()),
        "Namespaces": {view.name: _namespace_config(status, view) for view in status.namespaces},
        "Settings": status.config,
    }


def _backend_names(app: App, config: Mapping[str, Any]) -> Iterable[str]:
    """As the proxy names them: the vhost, or with HAProxy one name for each group."""
    if config.get("proxy_platform") != "haproxy":
        return (app.vhost,)
    naming = Naming(
        backend_separator=config.get("haproxy_backend_name_separator", "_"),
        routing_tag_suffix=config.get("haproxy_backend_include_routing_tag_suffix", True),
    )
    return sorted(naming.backends(app))


def health(status: Status) -> Json:
    """The original's sections, then what is left out of the answers, held back, or retried."""
    proxy = status.proxy
    rejected = status.built.rejected
    return {
        "Config": proxy.config,
        "Template": proxy.template,
        "UpstreamUpdatesViaAPI": proxy.upstream_updates,
        "ResolverHealth": proxy.resolver,
        "NamespaceHealth": {
            view.name: {"Namespace": view.name, "Healthy": view.healthy, "Message": view.message}
            for view in status.namespaces
        },
        "NamespaceEndpoints": {
            view.name: [
                {
                    "Namespace": view.name,
                    "Endpoint": endpoint.url,
                    "Healthy": endpoint.healthy,
                    "Message": endpoint.message,
                }
                for endpoint in view.endpoints
            ]
            for view in status.namespaces
        },
        "Rejected": {
            "Count": len(rejected),
            "First": [_go_rejection(one) for one in rejected[:MOST_REJECTED]],
        },
        "Held": [_go_held(one) for one in status.held],
        "Reconciler": {
            "State": status.progress.state,
            "Error": status.progress.error,
            "NextTry": _time(status.progress.due),
        },
        "StoredState": _go_stored(status),
    }


def full(status: Status) -> Json:
    """Everything that a dashboard needs to explain what the gateway does, newest first."""
    topology = status.built.topology
    return {
        "version": status.about.version,
        "commit": status.about.commit,
        "date": status.about.date,
        "started": _time(status.started),
        "healthy": status.healthy,
        "vhosts": len(topology.apps),
        "servers": sum(len(app.hosts) for app in topology.apps.values()),
        "draining": status.proxy.draining,
        "reconciler": {
            "state": status.progress.state,
            "error": status.progress.error,
            "attempts": status.progress.attempts,
            "next_try": _time(status.progress.due),
        },
        "proxy": _proxy(status.proxy),
        "namespaces": [_namespace(status, view) for view in status.namespaces],
        "rejected": {
            "count": len(status.built.rejected),
            "first": list(status.built.rejected[:MOST_REJECTED]),
        },
        "held": [held(one) for one in status.held],
        "stored_state": _stored(status),
        "last_reload": _time(status.last_reload),
        "last_server_update": _time(status.last_server_update),
        "history": [_record(one) for one in status.history],
    }


def held(one: HeldWithdrawal) -> Json:
    """A withdrawal that the guard holds, or held until it was accepted."""
    return {
        "namespace": one.namespace,
        "reason": one.reason,
        "servers": one.servers,
        "vhosts": list(one.vhosts),
        "believed_in_seconds": round(one.remaining, 1),
    }


def _namespace_config(status: Status, view: NamespaceView) -> Json:
    part = status.built.parts.get(view.name)
    shown = status.built.topology.namespaces.get(view.name)
    return {
        "Leader": view.leader or Leader(),
        "LeaderVHost": shown.leader_vhost if shown else "",
        "RoutingTag": shown.routing_tag if shown else "",
        "Apps": dict(part.apps.items()) if part else {},
        "LastSyncTimestamp": _go_time(view.last_sync),
    }


def _namespace(status: Status, view: NamespaceView) -> Json:
    counts = status.built.counts.get(view.name)
    return {
        "name": view.name,
        "healthy": view.healthy,
        "message": view.message,
        "leader": view.leader.endpoint if view.leader else None,
        "endpoints": list(view.endpoints),
        "last_sync": _time(view.last_sync),
        "last_error": view.last_error,
        "syncing": view.syncing,
        "held": view.held,
        "settling": view.settling,
        "apps": counts,
    }


def _proxy(proxy: ProxyHealth) -> Json:
    sections = {
        "config": proxy.config,
        "template": proxy.template,
        "upstream_updates": proxy.upstream_updates,
        "resolver": proxy.resolver,
    }
    return {
        name: {"healthy": one.healthy, "message": one.message} for name, one in sections.items()
    }


def _record(one: ApplyRecord) -> Json:
    return {
        "at": _time(one.at),
        "seconds": round(one.took, 6),
        "triggers": list(one.triggers),
        "reload_reasons": list(one.reasons),
        "reload_waits": one.reload_waits,
        "steps": list(one.steps),
        "failed": [{"vhost": vhost, "reason": reason} for vhost, reason in one.failed],
        "left_out": one.left_out,
        "stages": {stage: round(seconds, 6) for stage, seconds in one.seconds},
        "error": one.error,
    }


def _go_rejection(one: Rejection) -> Json:
    return {
        "Namespace": one.namespace,
        "App": one.app_id,
        "Subject": one.subject,
        "Value": one.value,
        "Reason": one.reason,
    }


def _go_held(one: HeldWithdrawal) -> Json:
    return {
        "Namespace": one.namespace,
        "Reason": one.reason,
        "Servers": one.servers,
        "Vhosts": list(one.vhosts),
        "BelievedInSeconds": round(one.remaining, 1),
    }


def _go_stored(status: Status) -> Json:
    stored = _stored(status)
    return {
        "Healthy": stored["healthy"],
        "Message": stored["message"],
        "LastWritten": stored["last_written"],
        "ServedFromIt": stored["served_from_it"],
    }


def _stored(status: Status) -> Json:
    """The state on disk, and the namespaces that are served from it, with the time it is of."""
    stored = status.stored
    served = {name: _time(changed) for name, changed in status.restored.items()}
    asleep = "" if stored.path else "state_persistence_enabled is false"
    return {
        "healthy": not stored.problem,
        "message": stored.problem or stored.set_aside or asleep or "OK",
        "last_written": _time(stored.written),
        "served_from_it": served,
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _go_time(seconds: float | None) -> str:
    return _time(seconds) or GO_ZERO_TIME
