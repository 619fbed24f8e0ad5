"""The responses of the leading controller to each GET: state to JSON, without the gateway's code.

Routes are those that gateways and `drove-cli` use.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from drove_gateway.simulator import views
from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.workload import AppVersion, Instance

JSON = "application/json"
MAX_LONG = 2**63 - 1
MAX_INT = 2**31 - 1

Query: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A whole HTTP response, not yet compressed. `dated` says whether it has a `Date` header."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    dated: bool = True


class NotFoundError(Exception):
    """Raised when a query parameter is not a number: the web framework responds as to no route."""


class RefusedError(Exception):
    """Raised when a route has no content. `response` is what the controller sends instead."""

    def __init__(self, response: ApiResponse) -> None:
        super().__init__(response.status)
        self.response = response


def success(data: Any) -> ApiResponse:
    """Return the envelope of a good response."""
    return ApiResponse(200, encode({"status": "SUCCESS", "data": data, "message": "success"}))


def failed(message: str, *, status: int = 200) -> ApiResponse:
    """Return the envelope of a failure: it has no `data`, since null fields are left out."""
    return ApiResponse(status, encode({"status": "FAILED", "message": message}))


def invalid(error: str, *, message: str = "Command validation failure") -> ApiResponse:
    """Return 400, as for a negative `lastSyncTime`."""
    body = {"validationErrors": [error]}
    return ApiResponse(400, encode({"status": "FAILED", "data": body, "message": message}))


def server_error(failure: str) -> ApiResponse:
    """Return 500, as for an exception inside."""
    body = {"failure": failure}
    message = "Unexpected Server error"
    return ApiResponse(500, encode({"status": "FAILED", "data": body, "message": message}))


def not_leader() -> ApiResponse:
    """Return the response of a follower to everything, and of everyone when nobody leads."""
    return failed("This node is not the leader controller", status=400)


def unauthorized() -> ApiResponse:
    """Return the 401 of the web framework: plain text."""
    return ApiResponse(
        401,
        b"Credentials are required to access this resource.",
        "text/plain",
        {"WWW-Authenticate": 'Basic realm="realm"'},
    )


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


class Responses:
    """The read side of the API. Encoded endpoints are kept until they change.

    With `app_filter` off, `?app=` is ignored, as by old controllers.
    """

    def __init__(self, cluster: Cluster, *, app_filter: bool = True) -> None:
        self._cluster = cluster
        self._app_filter = app_filter
        self._fragments: dict[str, tuple[AppVersion, int, bytes]] = {}
        self._endpoints: tuple[int, ApiResponse] | None = None

    def get(self, path: str, query: Query) -> ApiResponse:
        """Respond to a GET of a path below `/apis`.

        Raises NotFoundError where the web framework responds with its page for an unknown path.
        """
        if match := ENDPOINTS.fullmatch(path):
            filtered = query.get("app", ()) if self._app_filter else ()
            return self.endpoints([match[1]] if match[1] else filtered)
        try:
            for pattern, view in ROUTES:
                if match := pattern.fullmatch(path):
                    return success(view(self._cluster, match.groups(), query))
        except RefusedError as refused:
            return refused.response
        raise NotFoundError

    def endpoints(self, names: Sequence[str] = ()) -> ApiResponse:
        """Return `/v1/endpoints` of all applications, or of those with the given names."""
        if names:
            return self._listing(names)
        revision = self._cluster.revision
        if not self._endpoints or self._endpoints[0] != revision:
            self._endpoints = (revision, self._listing(None))
        return self._endpoints[1]

    def _listing(self, names: Sequence[str] | None) -> ApiResponse:
        listed = self._cluster.listed(names)
        return endpoints_response([self._fragment(app, hosts) for app, hosts in listed])

    def _fragment(self, app: AppVersion, hosts: list[Instance]) -> bytes:
        if not self._cluster.recovery.done:
            return encode(endpoint(app, hosts))
        known = self._fragments.get(app.app_id)
        if known and known[0] is app and known[1] == app.revision:
            return known[2]
        fragment = encode(endpoint(app, hosts))
        self._fragments[app.app_id] = (app, app.revision, fragment)
        return fragment


def endpoints_response(fragments: Sequence[bytes]) -> ApiResponse:
    """Return the response of `/v1/endpoints` from its encoded apps."""
    body = b'{"status":"SUCCESS","data":[' + b",".join(fragments) + b'],"message":"success"}'
    return ApiResponse(200, body)


def endpoint(app: AppVersion, hosts: Sequence[Instance]) -> dict[str, Any]:
    """Return an entry of `/v1/endpoints`."""
    entry: dict[str, Any] = {"appName": app.name, "appId": app.app_id, "vhost": app.vhost}
    if app.tags is not None:
        entry["tags"] = dict(app.tags)
    entry["hosts"] = [
        {"host": each.executor.hostname, "port": each.port, "portType": app.port_type}
        for each in hosts
    ]
    return entry


def _number(query: Query, name: str, *, default: int, limit: int) -> int:
    """Return a query parameter from 0 to `limit`. An empty value is 0."""
    values = query.get(name)
    if not values:
        return default
    if not re.fullmatch(r"[+-]?[0-9]*", values[0], re.ASCII):
        raise NotFoundError
    number = int(values[0] or "0") if values[0] not in {"+", "-"} else limit + 1
    if not -limit - 1 <= number <= limit:
        raise NotFoundError
    if number < 0:
        raise RefusedError(invalid(f"query param {name} must be greater than or equal to 0"))
    return number


def _cursor(query: Query) -> int:
    return _number(query, "lastSyncTime", default=0, limit=MAX_LONG)


def _size(query: Query) -> int:
    return _number(query, "size", default=1024, limit=MAX_INT)


def _summary(cluster: Cluster, _: Sequence[str], query: Query) -> Any:
    store, cursor = cluster.events, _cursor(query)
    return {"eventsCount": store.counts_after(cursor), "lastSyncTime": store.sync_time(cursor)}


def _latest(cluster: Cluster, _: Sequence[str], query: Query) -> Any:
    store, cursor = cluster.events, _cursor(query)
    events = [views.event(each) for each in store.after(cursor, _size(query))]
    return {"events": events, "lastSyncTime": store.sync_time(cursor)}


def _old_events(cluster: Cluster, _: Sequence[str], query: Query) -> Any:
    return [views.event(each) for each in cluster.events.after(_cursor(query), _size(query))]


def _app(cluster: Cluster, app_id: str) -> AppVersion:
    try:
        return cluster.apps[app_id]
    except KeyError:
        raise RefusedError(failed(f"App {app_id} not found")) from None


def _applications(cluster: Cluster, _: Sequence[str], __: Query) -> Any:
    return views.applications(cluster)


def _application(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    return views.applications(cluster)[_app(cluster, path[0]).app_id]


def _spec(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    return views.specification(_app(cluster, path[0]))


def _instances(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    app = cluster.apps.get(path[0])
    return [views.instance(app, each) for each in app.instances.values()] if app else []


def _old_instances(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    app = cluster.apps.get(path[0])
    return [views.instance(app, each) for each in app.old] if app else []


def _instance(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    app = _app(cluster, path[0])
    for each in (*app.instances.values(), *app.old):
        if each.instance_id == path[1]:
            return views.instance(app, each)
    raise RefusedError(failed(f"No instance found for {path[0]}/{path[1]}"))


def _executor(cluster: Cluster, path: Sequence[str], _: Query) -> Any:
    if path[0] not in cluster.executors:
        raise RefusedError(failed(f"No executor found with id: {path[0]}"))
    return views.executor_detail(cluster, cluster.executors[path[0]])


def is_readable(path: str) -> bool:
    """Whether a path below `/apis` has a GET."""
    return any(each.fullmatch(path) for each in (ENDPOINTS, *(pattern for pattern, _ in ROUTES)))


_View: TypeAlias = Callable[[Cluster, Sequence[str], Query], Any]

ENDPOINTS = re.compile("/v1/endpoints(?:/app/([^/]+))?")
ROUTES: tuple[tuple[re.Pattern[str], _View], ...] = tuple(
    (re.compile(pattern), view)
    for pattern, view in (
        ("/v1/ping", lambda *_: "pong"),
        ("/v1/cluster", lambda cluster, *_: views.cluster_summary(cluster)),
        ("/v1/cluster/events/summary", _summary),
        ("/v1/cluster/events/latest", _latest),
        ("/v1/cluster/events", _old_events),
        ("/v1/cluster/executors", lambda cluster, *_: views.executors(cluster)),
        ("/v1/cluster/executors/([^/]+)", _executor),
        ("/v1/applications", _applications),
        ("/v1/applications/([^/]+)", _application),
        ("/v1/applications/([^/]+)/spec", _spec),
        ("/v1/applications/([^/]+)/instances", _instances),
        ("/v1/applications/([^/]+)/instances/old", _old_instances),
        ("/v1/applications/([^/]+)/instances/([^/]+)", _instance),
        ("/v1/tasks", lambda *_: []),
        ("/v1/localservices", lambda *_: {}),
    )
)
