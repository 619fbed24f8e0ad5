"""Bad responses on demand: which requests they meet, and how they change the good response."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from drove_gateway.simulator.responses import (
    ApiResponse,
    encode,
    failed,
    not_leader,
    server_error,
)

Kind: TypeAlias = Literal[
    "slow",
    "status",
    "html",
    "failed",
    "follower",
    "leads",
    "empty",
    "partial",
    "no-hosts",
    "shuffled",
    "wrong-types",
    "garbage",
    "truncated",
    "huge",
    "raw",
    "cut",
    "drip",
    "endless",
    "reset",
]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goes wrong, where, and how often.

    kind
        - `slow`: as usual, after `delay` seconds (every kind waits for `delay` first).
        - `status`: the HTTP status `status`, with the body that goes with it.
        - `html`: a proxy's HTML page with `status`.
        - `failed`: 200 with FAILED. `follower`: 400, as when nobody leads.
        - `leads`: responds as the leader although it does not lead.
        - `empty`: `data` is empty. `partial`: the first `keep` of the list (0 to 1).
        - `no-hosts`: every app without hosts. `shuffled`: the same in another order.
        - `wrong-types`: JSON of another shape. `garbage`: bytes that are not text.
        - `truncated`: half of the JSON, as a complete response. `huge`: `size` bytes more.
        - `raw`: `body` with `status` and `content_type`.
        - `cut`: half of the body, then the connection closes. `endless`: a body without end.
        - `drip`: a byte every `interval` seconds. `reset`: the connection is reset at once.
    controller
        Its number, or None for all.
    route
        The last part of the path (`ping`, `endpoints`, `summary`), a path below `/apis`, or `*`.
    times
        How many requests it meets, or None: until cleared.
    """

    kind: Kind
    controller: int | None = None
    route: str = "*"
    times: int | None = None
    delay: float = 0.0
    interval: float = 0.1
    status: int = 500
    keep: float = 0.5
    size: int = 32 * 1024 * 1024
    body: str = ""
    content_type: str = "application/json"

    def meets(self, controller: int, path: str) -> bool:
        """Whether a request of this path to this controller is spoiled."""
        if self.controller not in {None, controller}:
            return False
        return self.route in {"*", path, path.rsplit("/", 1)[-1]}


class FaultBook:
    """The injected faults, oldest first; the first that meets a request spoils it."""

    def __init__(self) -> None:
        self._active: list[tuple[Fault, int | None]] = []

    @property
    def active(self) -> list[Fault]:
        """The faults that can still happen."""
        return [fault for fault, _ in self._active]

    def add(self, fault: Fault) -> None:
        """Inject a fault."""
        self._active.append((fault, fault.times))

    def clear(self) -> None:
        """End all faults."""
        self._active.clear()

    def take(self, controller: int, path: str) -> Fault | None:
        """Return the fault that meets this request, if any, and count it down."""
        for position, (fault, left) in enumerate(self._active):
            if fault.meets(controller, path):
                if left is not None and left <= 1:
                    del self._active[position]
                elif left is not None:
                    self._active[position] = (fault, left - 1)
                return fault
        return None


def spoil(fault: Fault, response: ApiResponse) -> ApiResponse:
    """Return the response that a client gets instead of the good response.

    Kinds that reshape `data` keep responses without `data`, such as a follower's 400. Kinds that
    act on the connection keep every response.
    """
    if fault.kind in REPLACING:
        return REPLACING[fault.kind](fault)
    if fault.kind in BREAKING:
        return ApiResponse(
            response.status, BREAKING[fault.kind](fault, response.body), response.content_type
        )
    if fault.kind in RESHAPING and response.status == 200:
        return _reshaped(fault, response)
    return response


def _reshaped(fault: Fault, response: ApiResponse) -> ApiResponse:
    envelope = json.loads(response.body)
    if "data" not in envelope:
        return response
    envelope["data"] = RESHAPING[fault.kind](fault, envelope["data"])
    return ApiResponse(response.status, encode(envelope))


def _status(fault: Fault) -> ApiResponse:
    if fault.status == 500:
        return server_error("java.lang.IllegalStateException: simulated")
    body = {"code": fault.status, "message": f"HTTP {fault.status}"}
    return ApiResponse(fault.status, encode(body))


def _html(fault: Fault) -> ApiResponse:
    body = f"<html><head><title>{fault.status}</title></head><body><h1>{fault.status}</h1></body>"
    return ApiResponse(fault.status, f"{body}</html>\r\n".encode(), "text/html")


def _empty(_: Fault, data: Any) -> Any:
    return type(data)()


def _partial(fault: Fault, data: Any) -> Any:
    return data[: int(len(data) * fault.keep)] if isinstance(data, list) else data


def _no_hosts(_: Fault, data: Any) -> Any:
    return [{**app, "hosts": []} for app in data] if _is_apps(data) else data


def _shuffled(_: Fault, data: Any) -> Any:
    if not _is_apps(data):
        return data
    apps = [{**app, "hosts": _in_any_order(app["hosts"])} for app in data]
    return _in_any_order(apps)


def _wrong_types(_: Fault, data: Any) -> Any:
    if not _is_apps(data):
        return {"unexpected": data} if isinstance(data, list) else [data]
    wrong: list[Callable[[dict[str, Any]], Any]] = [
        lambda app: {**app, "vhost": 17},
        lambda app: {**app, "tags": ["no", "map"]},
        lambda app: {**app, "hosts": "none"},
        lambda app: {**app, "hosts": [{**host, "port": "http"} for host in app["hosts"]]},
        lambda app: {**app, "hosts": [None]},
        lambda app: {**app, "appId": None},
        lambda app: [app],
    ]
    return [wrong[number % len(wrong)](app) for number, app in enumerate(data)]


def _is_apps(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(app, dict) and "hosts" in app for app in data)


def _in_any_order(items: list[Any]) -> list[Any]:
    return random.sample(items, len(items))


def _huge(fault: Fault, body: bytes) -> bytes:
    return body + b" " * fault.size


REPLACING: Mapping[str, Callable[[Fault], ApiResponse]] = {
    "status": _status,
    "html": _html,
    "failed": lambda _: failed("simulated failure"),
    "follower": lambda _: not_leader(),
    "garbage": lambda _: ApiResponse(200, b"\x00\xff\xfe\x9d{[" * 40),
    "raw": lambda fault: ApiResponse(fault.status, fault.body.encode(), fault.content_type),
}
BREAKING: Mapping[str, Callable[[Fault, bytes], bytes]] = {
    "truncated": lambda _, body: body[: len(body) // 2],
    "huge": _huge,
}
RESHAPING: Mapping[str, Callable[[Fault, Any], Any]] = {
    "empty": _empty,
    "partial": _partial,
    "no-hosts": _no_hosts,
    "shuffled": _shuffled,
    "wrong-types": _wrong_types,
}
