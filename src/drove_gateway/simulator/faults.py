"""Bad responses on demand: which requests they meet, and how they change the good response."""

import json
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from drove_gateway.simulator import framework
from drove_gateway.simulator.listings import RESHAPING
from drove_gateway.simulator.responses import (
    ApiResponse,
    encode,
    failed,
    not_leader,
    server_error,
    unauthorized,
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
    "zero-ports",
    "unreadable-hosts",
    "bad-tags",
    "udp",
    "doubled",
    "shrinking",
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
        - `empty`: `data` is empty. `partial`: the first `keep` (0 to 1) of the list.
        - `no-hosts`: every app without hosts. `shuffled`: the same in another order.
        - `wrong-types`: JSON of another shape. `garbage`: bytes that are not text.
        - `zero-ports`: every port is 0. `unreadable-hosts`: no host is a name or an address.
        - `bad-tags`: every app has tags that no configuration can hold. `udp`: so is every port.
        - `doubled`: every host is listed twice.
        - `shrinking`: each response lists the share `keep` of the hosts of the response before.
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
        by_name = "/v1/endpoints/app/"
        last = "endpoints" if path.startswith(by_name) else path.rsplit("/", 1)[-1]
        return self.route in {"*", path, last}


class FaultBook:
    """The injected faults, oldest first; the first that meets a request spoils it."""

    def __init__(self) -> None:
        self._active: list[tuple[Fault, int]] = []

    @property
    def active(self) -> list[Fault]:
        """The faults that can still happen."""
        return [fault for fault, _ in self._active]

    def add(self, fault: Fault) -> None:
        """Inject a fault."""
        self._active.append((fault, 0))

    def clear(self) -> None:
        """End all faults."""
        self._active.clear()

    def take(self, controller: int, path: str) -> Fault | None:
        """Return the fault that meets this request, if any, and count the request.

        A `shrinking` fault is returned with the share that is left after so many requests.
        """
        for position, (fault, before) in enumerate(self._active):
            if fault.meets(controller, path):
                met = before + 1
                self._active[position] = (fault, met)
                if met == fault.times:
                    del self._active[position]
                if fault.kind == "shrinking":
                    return msgspec.structs.replace(fault, keep=fault.keep**met)
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
    envelope["data"] = RESHAPING[fault.kind](envelope["data"], fault.keep)
    return ApiResponse(response.status, encode(envelope))


def _status(fault: Fault) -> ApiResponse:
    if fault.status == 500:
        return server_error("java.lang.IllegalStateException: simulated")
    if fault.status == 401:
        return unauthorized()
    return framework.page(fault.status, "/apis/v1")


def _html(fault: Fault) -> ApiResponse:
    body = f"<html><head><title>{fault.status}</title></head><body><h1>{fault.status}</h1></body>"
    return ApiResponse(fault.status, f"{body}</html>\r\n".encode(), "text/html")


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
