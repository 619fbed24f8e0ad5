"""What HAProxy says of itself: servers, connections, backends, process.

The columns are found by their names in the header line, since newer releases append some.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.spelling import host_spelling
from drove_gateway.proxies.runtime.servers import Held, ObservedServer, Process

# Twice 100,000 servers, which are replaced at the same time. Each takes about 300 bytes.
_MOST_LINES = 200_000
# Bits of srv_admin_state and values of srv_op_state (management guide, "show servers state").
FORCED_MAINTENANCE = 0x01
DRAIN = 0x08
UP = 2
# In place of the address of a server whose host name HAProxy could not resolve when it started.
NO_ADDRESS = "-"
# srv_check_result: 0 unknown, 1 neutral, 2 failed, 3 passed, 4 conditionally passed.
FIRST_CHECK_DECIDED = 2

_HELD: Mapping[int, Held] = {
    0: "",
    FORCED_MAINTENANCE: "maintenance",
    DRAIN: "drain",
    DRAIN | FORCED_MAINTENANCE: "drain",
}


def servers(
    reply: str, is_ours: Callable[[str], bool] = lambda _: True
) -> dict[str, list[ObservedServer]]:
    """`show servers state` as servers by backend; `is_ours` knows the gateway's names."""
    found: dict[str, list[ObservedServer]] = {}
    if not reply.startswith("1\n"):
        raise RuntimeApiError("HAProxy's `show servers state` has a format of another version")
    lines = _lines(reply, "show servers state")
    next(lines)
    try:
        columns = next(lines).lstrip("# ").split(" ")
        at = [columns.index(name) for name in _STATE_COLUMNS]
        backend, name, address, port, *rest = at
        if _TLS_COLUMN in columns:
            rest.append(columns.index(_TLS_COLUMN))
        state = itemgetter(*rest)
        for line in lines:
            f = line.split(" ")
            serving, held, checked, tls, weight = _state(state(f))
            server = f[name]
            found.setdefault(f[backend], []).append(
                ObservedServer(
                    server,
                    "" if f[address] == NO_ADDRESS else host_spelling(f[address]),
                    int(f[port]),
                    serving,
                    held,
                    is_ours(server),
                    checked,
                    tls=tls,
                    weight=weight,
                )
            )
    except (ValueError, IndexError, StopIteration) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show servers state`: {error}") from error
    return found


# Of thousands of servers, few have another state than the others.
@lru_cache(maxsize=1 << 10)
def _state(fields: tuple[str, ...]) -> tuple[bool, Held, bool, bool | None, int | None]:
    """Whether a server serves, what it is held in, whether its first check has a result, whether
    it uses TLS, and its weight where someone set that at runtime."""
    op, admin, weight, initial, result, *tls = fields
    mask = int(admin)
    return (
        int(op) == UP and mask == 0 and int(weight) > 0,
        _HELD[mask & (DRAIN | FORCED_MAINTENANCE)],
        int(result) >= FIRST_CHECK_DECIDED,
        tls[0] == "1" if tls else None,
        None if weight == initial else int(weight),
    )


# Since 2.4 (management guide, "show servers state").
_TLS_COLUMN = "srv_use_ssl"
_STATE_COLUMNS = (
    "be_name",
    "srv_name",
    "srv_addr",
    "srv_port",
    "srv_op_state",
    "srv_admin_state",
    "srv_uweight",
    "srv_iweight",
    "srv_check_result",
)


def connections(reply: str, backends: Collection[str]) -> dict[str, list[tuple[str, int]]]:
    """`show servers conn` as servers of `backends` and their connections in use."""
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in backends}
    lines = _lines(reply, "show servers conn")
    try:
        columns = next(lines).lstrip("# ").split(" ")
        used = columns.index("used_cur")
        for line in lines:
            fields = line.split(" ", used + 1)
            backend, _, name = fields[0].partition("/")
            if backend in found:
                found[backend].append((name, int(fields[used])))
    except (ValueError, IndexError, StopIteration) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show servers conn`: {error}") from error
    return found


def backends(reply: str) -> frozenset[str]:
    """`show backend` as names."""
    lines = _lines(reply, "show backend")
    next(lines)
    return frozenset(line for line in lines if line)


def process(reply: str) -> Process:
    """`show info` as the process that answers."""
    try:
        facts = dict(line.partition(": ")[::2] for line in _lines(reply, "show info"))
        return Process(int(facts["Pid"]), uptime=int(facts["Uptime_sec"]), version=facts["Version"])
    except (KeyError, ValueError) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show info`: {error}") from error


def _lines(reply: str, command: str) -> Iterator[str]:
    """Yield the lines of a reply without a copy of the whole, and at least one. Raises
    RuntimeApiError when there are too many."""
    begin = 0
    for _ in range(_MOST_LINES):
        end = reply.find("\n", begin)
        if end < 0:
            yield reply[begin:]
            return
        yield reply[begin:end]
        begin = end + 1
    raise RuntimeApiError(f"HAProxy's `{command}` has more than {_MOST_LINES:,} lines")
