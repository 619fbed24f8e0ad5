"""What Drove's own clients POST to the leader: operations on apps, and maintenance mode."""

import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from drove_gateway.simulator.answers import Answer, failed, invalid, not_found, success
from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.operations import Operations


class Requests:
    """Accepts operations as controllers do: at once, and carries them out in the background."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def post(self, path: str, body: bytes) -> Answer:
        """Answer a POST of a path below `/apis`."""
        if path == "/v1/applications/operations":
            return self._operation(body)
        if path in {"/v1/cluster/maintenance/set", "/v1/cluster/maintenance/unset"}:
            return self._maintenance(path.endswith("/set"))
        return not_found()

    def _maintenance(self, on: bool) -> Answer:
        cluster = self._operations.cluster
        cluster.set_maintenance(on)
        state = "MAINTENANCE" if on else "NORMAL"
        return success({"state": state, "updated": cluster.maintenance_updated})

    def _operation(self, body: bytes) -> Answer:
        try:
            operation = json.loads(body)
            app_id, work = self._work(operation)
        except SimulatorError as error:
            return failed(str(error))
        except (ValueError, LookupError, TypeError) as error:
            return invalid(f"unreadable operation: {error!r}")
        self._operations.fleet.spawn(work)
        return success({"appId": app_id})

    def _work(self, operation: dict[str, Any]) -> tuple[str, Coroutine[Any, Any, None]]:
        kind = operation["type"]
        if kind == "CREATE":
            return self._create(operation["spec"])
        app = self._operations.cluster.apps.get(operation["appId"])
        if app is None:
            raise SimulatorError(f"App {operation['appId']} not found")
        do = self._operations
        ids = operation.get("instanceIds") or ()
        if kind == "SCALE":
            work = do.scale(app.app_id, int(operation["requiredInstances"]))
        elif kind == "START_INSTANCES":
            work = do.scale(app.app_id, app.required + int(operation["instances"]))
        elif kind == "SUSPEND":
            work = do.scale(app.app_id, 0)
        elif kind == "REPLACE_INSTANCES":
            work = do.replace_instances(app.app_id, ids)
        elif kind == "STOP_INSTANCES":
            work = do.stop_instances(app.app_id, ids, respawn=not operation.get("skipRespawn"))
        elif kind == "DESTROY":
            if app.required:
                raise SimulatorError(f"App {app.app_id} is not in MONITORING state")
            work = do.remove_app(app.app_id)
        else:
            raise ValueError(f"type {kind!r}")
        return app.app_id, _quietly(work)

    def _create(self, spec: dict[str, Any]) -> tuple[str, Coroutine[Any, Any, None]]:
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
        return f"{name}-{version}", _quietly(work)


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    """Carry out what was accepted. When it fails, the app's state tells, as in Drove."""
    with suppress(SimulatorError):
        await work
