"""`show stat` for people: state, weight, sessions, requests and errors of servers.

The columns are found by their names in the header line, since newer releases append some
(management guide, 9.1 "CSV format").
"""

import csv
from collections.abc import Iterator, Mapping

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.proxy import ServerState

# "UP 1/3" is going down, and "no check" counts as up.
_UP = ("UP", "no check")
_NEEDED = frozenset({"pxname", "svname", "status"})


def server_states(reply: str) -> Iterator[ServerState]:
    """Yield the servers in the reply. Raises RuntimeApiError for a reply of another form."""
    yield from map(_server, _rows(reply))


def unpublished_backends(reply: str) -> Iterator[str]:
    """Yield the backends in the reply that are not published (HAProxy 3.4: `UP (UNPUB)`). Raises
    RuntimeApiError for a reply of another form."""
    for row in _rows(reply):
        if row["status"].endswith("(UNPUB)"):
            yield row["pxname"]


def _rows(reply: str) -> Iterator[Mapping[str, str]]:
    rows = csv.DictReader(reply.removeprefix("# ").split("\n"), restval="")
    try:
        if not _NEEDED.issubset(rows.fieldnames or ()):
            raise RuntimeApiError("HAProxy's `show stat` has a format of another version")
        yield from rows
    except csv.Error as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show stat`: {error}") from error


def _server(row: Mapping[str, str]) -> ServerState:
    errors = [_number(row, key) for key in ("econ", "eresp", "hrsp_5xx")]
    known = [count for count in errors if count is not None]
    changed, weight = _number(row, "lastchg"), _number(row, "weight")
    return ServerState(
        backend=row["pxname"],
        name=row["svname"],
        address=row.get("addr") or "",
        state=_state(row),
        up=row["status"].startswith(_UP) and weight != 0,
        weight=weight,
        sessions=_number(row, "scur"),
        requests=_number(row, "stot"),
        errors=sum(known) if known else None,
        changed=None if changed is None else float(changed),
    )


def _state(row: Mapping[str, str]) -> str:
    """The status, and what the last health check said where it explains it."""
    status, check = row["status"], row.get("last_chk") or row.get("check_status") or ""
    return f"{status} ({check})" if status.startswith("DOWN") and check else status


def _number(row: Mapping[str, str], column: str) -> int | None:
    text = row.get(column) or ""
    return int(text) if text.isascii() and text.isdigit() else None
