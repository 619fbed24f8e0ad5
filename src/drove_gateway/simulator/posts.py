"""POST requests of Drove's own clients to the leader: operations on apps, maintenance mode."""

import json
import re
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.operations import Change, Operations
from drove_gateway.simulator.responses import (
    ApiResponse,
    failed,
    invalid,
    success,
)
from drove_gateway.simulator.workload import AppVersion

Work: TypeAlias = Coroutine[Any, Any, Change]


OPERATIONS = "/v1/applications/operations"
MAINTENANCE_SET = "/v1/cluster/maintenance/set"
POST_PATHS = frozenset({OPERATIONS, MAINTENANCE_SET, "/v1/cluster/maintenance/unset"})

OPERATION_TYPES = (
    "CREATE",
    "DESTROY",
    "RECOVER",
    "REPLACE_INSTANCES",
    "SCALE",
    "START_INSTANCES",
    "STOP_INSTANCES",
    "SUSPEND",
)
_OPERATION_CLASS = "com.phonepe.drove.models.operation.ApplicationOperation"


class Posts:
    """Accepts operations at once and carries them out in the background, as controllers do.

    An operation on an app that is still busy with another is accepted as well, and dropped.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._busy: set[str] = set()

    def respond(self, path: str, body: bytes) -> ApiResponse:
        """Respond to a POST to one of `POST_PATHS`."""
        if path == OPERATIONS:
            return self._operation(body)
        return self._maintenance(path == MAINTENANCE_SET)

    def _maintenance(self, on: bool) -> ApiResponse:
        cluster = self._operations.cluster
        cluster.set_maintenance(on)
        state = "MAINTENANCE" if on else "NORMAL"
        return success({"state": state, "updated": cluster.maintenance_updated})

    def _operation(self, body: bytes) -> ApiResponse:
        if problem := unreadable(body):
            return invalid(problem, message="JSON validation failure")
        try:
            app_id, work = self._work(json.loads(body))
        except SimulatorError as error:
            return failed(str(error))
        except (ValueError, LookupError, TypeError) as error:
            return invalid(f"unreadable operation: {error!r}")
        if app_id in self._busy or self._operations.is_busy(app_id):
            work.close()
        else:
            self._busy.add(app_id)
            self._operations.fleet.spawn(self._carry_out(app_id, work))
        return success({"appId": app_id})

    async def _carry_out(self, app_id: str, work: Work) -> None:
        """Carry out what was accepted. A failure shows in the app's state only, as in Drove."""
        try:
            with suppress(SimulatorError):
                await work
        finally:
            self._busy.discard(app_id)

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
            case "SCALE" | "START_INSTANCES" | "SUSPEND" | "RECOVER":
                return do.scale(app_id, _wanted_size(app, operation))
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


def _wanted_size(app: AppVersion, operation: dict[str, Any]) -> int:
    match operation["type"]:
        case "SCALE":
            return int(operation["requiredInstances"])
        case "START_INSTANCES":
            return app.required + int(operation["instances"])
        case "SUSPEND":
            return 0
        case _:
            return app.required


def unreadable(body: bytes) -> str:
    """Return why a body is not an operation that Drove knows; empty when it is."""
    try:
        operation = json.loads(body)
    except ValueError:
        token = re.match(r"\w*", body.decode(errors="replace").lstrip())
        return (
            f"Unrecognized token '{token[0] if token else ''}': was expecting (JSON String, "
            "Number, Array, Object or token 'null', 'true' or 'false')"
        )
    if not isinstance(operation, dict) or "type" not in operation:
        return (
            f"Could not resolve subtype of [simple type, class {_OPERATION_CLASS}]: "
            "missing type id property 'type'"
        )
    if operation["type"] in OPERATION_TYPES:
        return ""
    return (
        f"Could not resolve type id '{operation['type']}' as a subtype of `{_OPERATION_CLASS}`: "
        f"known type ids = [{', '.join(OPERATION_TYPES)}]"
    )
