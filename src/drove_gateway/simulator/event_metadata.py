"""The metadata of events, as real controllers (v1.33.3) publish it."""

from typing import Any

from drove_gateway.simulator.workload import (
    CONTAINER_PORT,
    CORES_PER_INSTANCE,
    MEMORY_PER_INSTANCE_MB,
    STATES_WITHOUT_PORTS,
    AppVersion,
    Executor,
    Instance,
)


def app_metadata(app: AppVersion) -> dict[str, Any]:
    """Return the metadata of an app event.

    Real controllers report 0 for CURRENT_INSTANCES, and leave VHOST out for an app without a vhost.
    """
    metadata: dict[str, Any] = {
        "APP_ID": app.app_id,
        "APP_NAME": app.name,
        "APP_VERSION": app.version,
        "CURRENT_STATE": app.state,
        "CURRENT_INSTANCES": 0,
        "PORTS": f"main:{CONTAINER_PORT}:{app.port_type.lower()}",
        "EXECUTABLE": f"registry.local/{app.name}:{app.version}",
        "CPU_COUNT": CORES_PER_INSTANCE,
        "MEMORY": MEMORY_PER_INSTANCE_MB,
        "PLACEMENT_POLICY": "ANY",
    }
    if app.vhost:
        metadata["VHOST"] = app.vhost
    return metadata


def instance_metadata(app: AppVersion, instance: Instance) -> dict[str, Any]:
    """Return the metadata of an instance event. A null ERROR is left out."""
    metadata: dict[str, Any] = {
        "APP_ID": app.app_id,
        "APP_NAME": app.name,
        "INSTANCE_ID": instance.instance_id,
        "EXECUTOR_ID": instance.executor.executor_id,
        "EXECUTOR_HOST": instance.executor.hostname,
        "PORTS": _ports(app, instance),
        "CURRENT_STATE": instance.state,
        "CREATED": instance.created,
    }
    if instance.error:
        metadata["ERROR"] = instance.error
    return metadata


def _ports(app: AppVersion, instance: Instance) -> str:
    if instance.state in STATES_WITHOUT_PORTS:
        return ""
    return f"main:{instance.port}:{app.port_type.lower()}"


def executor_metadata(executor: Executor) -> dict[str, Any]:
    """Return the metadata of an executor event."""
    return {
        "EXECUTOR_ID": executor.executor_id,
        "HOSTNAME": executor.hostname,
        "PORT": executor.port,
    }
