"""State to JSON-ready values, a function for each kind of object that a controller lists."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.events import Event
from drove_gateway.simulator.workload import (
    CONTAINER_PORT,
    CORES_PER_INSTANCE,
    MEMORY_PER_INSTANCE_MB,
    AppVersion,
    Executor,
    Instance,
)

HEALTH_CHECK = {
    "mode": {
        "type": "HTTP",
        "protocol": "HTTP",
        "portName": "main",
        "path": "/",
        "verb": "GET",
        "successCodes": [200],
        "connectionTimeout": "1 second",
        "insecure": False,
    },
    "timeout": "1 second",
    "interval": "3 seconds",
    "attempts": 3,
    "initialDelay": "0 seconds",
}


def event(each: Event) -> dict[str, Any]:
    """Return an event of `/v1/cluster/events`."""
    return {
        "metadata": dict(each.metadata),
        "type": each.type,
        "id": each.id,
        "time": each.time,
    }


def cluster_summary(cluster: Cluster) -> dict[str, Any]:
    """`/v1/cluster`. Only a leader responds, so the leader is known."""
    executors = cluster.executors.values()
    running = sum(len(app.instances) for app in cluster.apps.values())
    cores, memory = sum(e.cores for e in executors), sum(e.memory_mb for e in executors)
    used_cores, used_memory = running * CORES_PER_INSTANCE, running * MEMORY_PER_INSTANCE_MB
    return {
        "leader": cluster.addresses[cluster.leader or 0],
        "state": "MAINTENANCE" if cluster.maintenance else "NORMAL",
        "numExecutors": len(executors),
        "numApplications": len(cluster.apps),
        "numActiveApplications": sum(app.listed for app in cluster.apps.values()),
        "numActiveTasks": 0,
        "numLocalServices": 0,
        "numActiveLocalServices": 0,
        "freeCores": cores - used_cores,
        "usedCores": used_cores,
        "totalCores": cores,
        "freeMemory": memory - used_memory,
        "usedMemory": used_memory,
        "totalMemory": memory,
    }


def applications(cluster: Cluster) -> dict[str, Any]:
    """`/v1/applications`. An app that a new leader does not know yet has state INIT or none."""
    missing = cluster.recovery.missing_apps
    summaries = {}
    for app_id, app in cluster.apps.items():
        summary = _application(app)
        if app_id in missing and app.required:
            if len(missing) == len(cluster.apps):
                del summary["state"]
            else:
                summary["state"] = "INIT"
        summaries[app_id] = summary
    return summaries


def _application(app: AppVersion) -> dict[str, Any]:
    summary = {
        "id": app.app_id,
        "name": app.name,
        "requiredInstances": app.required,
        "healthyInstances": len(app.healthy()),
        "totalCPUs": app.required * CORES_PER_INSTANCE,
        "totalMemory": app.required * MEMORY_PER_INSTANCE_MB,
        "state": app.state,
        "created": app.created,
        "updated": app.updated,
    }
    if app.tags is not None:
        summary["tags"] = dict(app.tags)
    return summary


def specification(app: AppVersion) -> dict[str, Any]:
    """`/v1/applications/{id}/spec`. An app that is killed at once has no `preShutdown`."""
    spec = {
        "name": app.name,
        "version": app.version,
        "type": "SERVICE",
        "executable": {
            "type": "DOCKER",
            "url": f"registry.local/{app.name}:{app.version}",
            "dockerPullTimeout": "1 minute",
        },
        "exposedPorts": [{"name": "main", "port": CONTAINER_PORT, "type": app.port_type}],
        "resources": [
            {"type": "CPU", "count": CORES_PER_INSTANCE},
            {"type": "MEMORY", "sizeInMB": MEMORY_PER_INSTANCE_MB},
        ],
        "placementPolicy": {"type": "ANY"},
        "healthcheck": HEALTH_CHECK,
        "readiness": HEALTH_CHECK,
        "tags": dict(app.tags or {}),
        "exposureSpec": {"vhost": app.vhost, "portName": "main", "mode": "ALL"},
    }
    if app.wait_before_kill:
        spec["preShutdown"] = {"hooks": [], "waitBeforeKill": f"{app.wait_before_kill:g} seconds"}
    return spec


def instance(app: AppVersion, each: Instance) -> dict[str, Any]:
    """Return an instance of an application."""
    port = {"containerPort": CONTAINER_PORT, "hostPort": each.port, "portType": app.port_type}
    return {
        "appId": app.app_id,
        "appName": app.name,
        "instanceId": each.instance_id,
        "executorId": each.executor.executor_id,
        "localInfo": {"hostname": each.executor.hostname, "ports": {"main": port}},
        "resources": [
            {"type": "CPU", "cores": {"0": [2]}},
            {"type": "MEMORY", "memoryInMB": {"0": MEMORY_PER_INSTANCE_MB}},
        ],
        "state": each.state,
        "metadata": {},
        "errorMessage": each.error,
        "created": each.created,
        "updated": each.updated,
    }


def executors(cluster: Cluster) -> list[dict[str, Any]]:
    """`/v1/cluster/executors`."""
    running = Counter(
        each.executor.executor_id
        for app in cluster.apps.values()
        for each in app.instances.values()
    )
    return [_executor(each, running[each.executor_id]) for each in cluster.executors.values()]


def _executor(each: Executor, running: int) -> dict[str, Any]:
    return {
        "executorId": each.executor_id,
        "hostname": each.hostname,
        "port": each.port,
        "transportType": "HTTP",
        "freeCores": each.cores - running * CORES_PER_INSTANCE,
        "usedCores": running * CORES_PER_INSTANCE,
        "freeMemory": each.memory_mb - running * MEMORY_PER_INSTANCE_MB,
        "usedMemory": running * MEMORY_PER_INSTANCE_MB,
        "tags": [each.hostname],
        "state": "ACTIVE",
    }


def executor_detail(cluster: Cluster, each: Executor) -> dict[str, Any]:
    """`/v1/cluster/executors/{id}`."""
    instances = [
        instance(app, running)
        for app in cluster.apps.values()
        for running in app.instances.values()
        if running.executor is each
    ]
    return {
        "type": "EXECUTOR",
        "hostname": each.hostname,
        "port": each.port,
        "transportType": "HTTP",
        "updated": each.updated,
        "state": {
            "executorId": each.executor_id,
            "cpus": _cores(each, instances),
            "memory": _memory(each, instances),
        },
        "instances": instances,
        "tasks": [],
        "serviceInstances": [],
        "tags": [each.hostname],
        "executorState": "ACTIVE",
        "blacklisted": False,
    }


def _cores(each: Executor, instances: Sequence[object]) -> dict[str, Any]:
    used = min(len(instances) * CORES_PER_INSTANCE, each.cores)
    return {
        "type": "CPU",
        "freeCores": {"0": list(range(used, each.cores))},
        "usedCores": {"0": list(range(used))},
    }


def _memory(each: Executor, instances: Sequence[object]) -> dict[str, Any]:
    used = len(instances) * MEMORY_PER_INSTANCE_MB
    return {
        "type": "MEMORY",
        "freeMemory": {"0": each.memory_mb - used},
        "usedMemory": {"0": used},
    }


def state(app: AppVersion) -> dict[str, Any]:
    """An app with its instances, for the control API."""
    return {
        **_application(app),
        "vhost": app.vhost,
        "tags": app.tags,
        "instances": [
            {
                "id": each.instance_id,
                "host": each.executor.hostname,
                "port": each.port,
                "state": each.state,
                "listed": app.listed and each.listed,
            }
            for each in app.instances.values()
        ],
    }
