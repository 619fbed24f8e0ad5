"""POST requests of Drove's own clients to the leader: operations on apps, maintenance mode."""

import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.operations import Change, Operations
from drove_gateway.simulator.responses import (
    ApiResponse,
    failed,
    invalid,
    not_found,
    success,
)
from drove_gateway.simulator.workload import AppVersion

Work: TypeAlias = Coroutine[Any, Any, Change]


class Posts:
    """Accepts operations at once and carries them out in the background, as controllers do."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def respond(self, path: str, body: bytes) -> ApiResponse:
        """Respond to a POST of a path below `/apis`."""
        if path == "/v1/applications/operations":
            return self._operation(body)
        if path in {"/v1/cluster/maintenance/set", "/v1/cluster/maintenance/unset"}:
            return self._maintenance(path.endswith("/set"))
        return not_found()

    def _maintenance(self, on: bool) -> ApiResponse:
        cluster = self._operations.cluster
        cluster.set_maintenance(on)
        state = "MAINTENANCE" if on else "NORMAL"
        return success({"state": state, "updated": cluster.maintenance_updated})

    def _operation(self, body: bytes) -> ApiResponse:
        try:
            operation = json.loads(body)
            app_id, work = self._work(operation)
        except SimulatorError as error:
            return failed(str(error))
        except (ValueError, LookupError, TypeError) as error:
            return invalid(f"unreadable operation: {error!r}")
        self._operations.fleet.spawn(_quietly(work))
        return success({"appId": app_id})

    def _work(self, operation: dict[str, Any]) -> tuple[str, Work]:
        if operation["type"] == "CREATE":
            return self._create(operation["spec"])
        app = self._operations.cluster.apps.get(operation["appId"])
        if app is None:
            raise SimulatorError(f"App {operation['appId']} not found")
        return app.app_id, self._work_on(app, operation)

    def _work_on(self, app: AppVersion, operation: dict[str, Any]) -> Work:
        do, app_id = self._operations, app.app_id
        ids = operation.get("instanceIds") or ()
        match operation["type"]:
            case "SCALE":
                return do.scale(app_id, int(operation["requiredInstances"]))
            case "START_INSTANCES":
                return do.scale(app_id, app.required + int(operation["instances"]))
            case "SUSPEND":
                return do.scale(app_id, 0)
            case "REPLACE_INSTANCES":
                return do.replace_instances(app_id, ids)
            case "STOP_INSTANCES":
                return do.stop_instances(app_id, ids, respawn=not operation.get("skipRespawn"))
            case "DESTROY" if not app.required:
                return do.remove_app(app_id)
            case "DESTROY":
                raise SimulatorError(f"App {app_id} is not in MONITORING state")
            case unknown:
                raise ValueError(f"type {unknown!r}")

    def _create(self, spec: dict[str, Any]) -> tuple[str, Work]:
        name, version = str(spec["name"]), str(spec["version"])
        if f"{name}-{version}" in self._operations.cluster.apps:
            raise SimulatorError(f"App {name}-{version} already exists")
        work = self._operations.deploy(
            name,
            version=version,
            vhost=spec.get("exposureSpec", {}).get("vhost"),
            tags=spec.get("tags"),
            instances=0,
        )
        return f"{name}-{version}", work


async def _quietly(work: Work) -> None:
    """Carry out what was accepted. A failure shows in the app's state only, as in Drove."""
    with suppress(SimulatorError):
        await work
