"""What HAProxy says of itself: servers, connections, backends, process.

The columns are found by their names in the header line, since newer releases append some.
"""

from collections.abc import Iterator

import msgspec

from drove_gateway.model.errors import RuntimeApiError

# Bits of srv_admin_state and values of srv_op_state (management guide, "show servers state").
FORCED_MAINTENANCE = 0x01
DRAIN = 0x08
UP = 2
# In place of the address of a server whose host name HAProxy could not resolve when it started.
NO_ADDRESS = "-"
# srv_check_result: 0 unknown, 1 neutral, 2 failed, 3 passed, 4 conditionally passed.
FIRST_CHECK_DECIDED = 2


class ServerState(msgspec.Struct, frozen=True, gc=False):
    """One server as HAProxy has it. `fqdn` is empty where it was given by an address."""

    name: str
    address: str
    port: int
    op_state: int
    admin: int
    weight: int
    check_result: int
    fqdn: str

    @property
    def serving(self) -> bool:
        """Whether it gets new sessions."""
        return self.op_state == UP and self.admin == 0 and self.weight > 0

    @property
    def held(self) -> str:
        """ "drain" or "maintenance" where somebody put it there, else empty."""
        if self.admin & DRAIN:
            return "drain"
        return "maintenance" if self.admin & FORCED_MAINTENANCE else ""


class Process(msgspec.Struct, frozen=True):
    """Which process answers: another `pid` or an `uptime` that went back is another one."""

    pid: int
    uptime: int
    version: str

    def succeeds(self, earlier: "Process") -> bool:
        """Whether this is not the process that answered `earlier`."""
        return self.pid != earlier.pid or self.uptime < earlier.uptime


def servers(reply: str) -> dict[str, dict[str, ServerState]]:
    """`show servers state` as servers by backend and name."""
    found: dict[str, dict[str, ServerState]] = {}
    if not reply.startswith("1\n"):
        raise RuntimeApiError("HAProxy's `show servers state` has a format of another version")
    lines = iter(reply.removeprefix("1\n").split("\n"))
    try:
        columns = next(lines).lstrip("# ").split(" ")
        at = [columns.index(name) for name in _STATE_COLUMNS]
        backend, name, address, port, op, admin, weight, result, fqdn = at
        for line in lines:
            f = line.split(" ")
            found.setdefault(f[backend], {})[f[name]] = ServerState(
                f[name],
                f[address],
                int(f[port]),
                int(f[op]),
                int(f[admin]),
                int(f[weight]),
                int(f[result]),
                "" if f[fqdn] == "-" else f[fqdn],
            )
    except (ValueError, IndexError, StopIteration) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show servers state`: {error}") from error
    return found


_STATE_COLUMNS = (
    "be_name",
    "srv_name",
    "srv_addr",
    "srv_port",
    "srv_op_state",
    "srv_admin_state",
    "srv_uweight",
    "srv_check_result",
    "srv_fqdn",
)


def connections(reply: str) -> dict[tuple[str, str], int]:
    """`show servers conn` as connections in use, by backend and server."""
    lines = iter(reply.split("\n"))
    try:
        columns = next(lines).lstrip("# ").split(" ")
        used = columns.index("used_cur")
        return {(backend, name): int(count) for backend, name, count in _used(lines, used)}
    except (ValueError, IndexError, StopIteration) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show servers conn`: {error}") from error


def _used(lines: Iterator[str], column: int) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        fields = line.split(" ")
        backend, _, name = fields[0].partition("/")
        yield backend, name, fields[column]


def backends(reply: str) -> frozenset[str]:
    """`show backend` as names."""
    return frozenset(line for line in reply.split("\n")[1:] if line)


def process(reply: str) -> Process:
    """`show info` as the process that answers."""
    facts = dict(line.partition(": ")[::2] for line in reply.split("\n"))
    try:
        return Process(int(facts["Pid"]), int(facts["Uptime_sec"]), facts["Version"])
    except (KeyError, ValueError) as error:
        raise RuntimeApiError(f"cannot read HAProxy's `show info`: {error}") from error
