"""A model of HAProxy's runtime API, written from its documentation and from what it answers.

`Model` keeps servers and carries out commands; `serve` puts it, or anything worse, on a socket.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)
_STATES = {"ready": 0, "maint": 1, "drain": 8}


@dataclass
class Server:
    """One server; `admin` has HAProxy's bits, `used` counts its connections."""

    address: str
    port: int
    admin: int = 0
    weight: int = 1
    up: bool = True
    checked: bool = False
    attributes: str = ""
    used: int = 0


@dataclass
class Model:
    """Backends with their servers. `touched` collects the servers that a command changed."""

    backends: dict[str, dict[str, Server]] = field(default_factory=dict)
    touched: set[tuple[str, str]] = field(default_factory=set)
    pid: int = 1

    def answer(self, command: str) -> str:  # noqa: C901, PLR0911 - one line for each command
        """Carry out one command; gives the reply without the empty line behind it."""
        words = command.split()
        match words:
            case ["add", "server", path, endpoint, *attributes]:
                return self._add(path, endpoint, attributes)
            case ["set", "server", path, "state", state]:
                return self._change(path, lambda server: self._set_state(server, state))
            case ["set", "server", path, "addr", address, "port", port]:
                return self._change(path, lambda server: self._move(server, address, int(port)))
            case ["enable", "health", path]:
                return self._change(path, self._check)
            case ["del", "server", path]:
                return self._delete(path)
            case ["shutdown", "sessions", "server", path]:
                return self._change(path, self._cut)
            case ["show", "servers", "state", *backend]:
                return self._show_state(backend)
            case ["show", "servers", "conn", *backend]:
                return self._show_connections(backend)
            case ["show", "backend"]:
                return "\n".join(["# name", *self.backends])
            case ["show", "info"]:
                return f"Name: HAProxy\nVersion: 2.8.25\nPid: {self.pid}\nUptime_sec: 7"
            case ["help", *_]:
                return "The following commands are valid at this level:\n  quit : disconnect"
        return f"Unknown command: '{words[0] if words else ''}'"

    def _find(self, path: str) -> tuple[str, str, Server | str]:
        backend, _, name = path.partition("/")
        if backend not in self.backends:
            return backend, name, "No such backend."
        return backend, name, self.backends[backend].get(name, "No such server.")

    def _add(self, path: str, endpoint: str, attributes: list[str]) -> str:
        backend, name, found = self._find(path)
        if found == "No such backend.":
            return found
        if isinstance(found, Server):
            return "Already exists a server with the same name in backend."
        address, _, port = endpoint.rpartition(":")
        self.backends[backend][name] = Server(
            address.strip("[]"), int(port), admin=1, attributes=" ".join(attributes)
        )
        self.touched.add((backend, name))
        return "New server registered."

    def _change(self, path: str, change: Callable[[Server], str]) -> str:
        backend, name, found = self._find(path)
        if isinstance(found, str):
            return found
        self.touched.add((backend, name))
        return change(found)

    def _delete(self, path: str) -> str:
        backend, name, found = self._find(path)
        if isinstance(found, str):
            return found
        if not found.admin & 1:
            return "Only servers in maintenance mode can be deleted."
        if found.used:
            return "Server still has connections attached to it, cannot remove it."
        del self.backends[backend][name]
        return "Server deleted."

    @staticmethod
    def _set_state(server: Server, state: str) -> str:
        server.admin = _STATES[state]
        return ""

    @staticmethod
    def _move(server: Server, address: str, port: int) -> str:
        before = server.address, server.port
        server.address, server.port = address, port
        if before == (address, port):
            return "nothing changed"
        return f"IP changed from '{before[0]}' to '{address}' by 'stats socket command'"

    @staticmethod
    def _check(server: Server) -> str:
        if "check" not in server.attributes.split():
            return "Health check was not configured on this server, cannot enable."
        server.checked = True
        return ""

    @staticmethod
    def _cut(server: Server) -> str:
        server.used = 0
        return ""

    def _chosen(self, backend: list[str]) -> dict[str, dict[str, Server]] | None:
        if not backend:
            return self.backends
        return {backend[0]: self.backends[backend[0]]} if backend[0] in self.backends else None

    def _show_state(self, backend: list[str]) -> str:
        chosen = self._chosen(backend)
        if chosen is None:
            return "Can't find backend."
        lines = [
            f"3 {name} 1 {server} {state.address} "
            f"{2 if state.up and not state.admin & 1 else 0} {state.admin} {state.weight} 1 9 6 "
            f"{3 if state.checked else 0} 4 6 0 0 0 - {state.port} - 0 0 - - 0"
            for name, servers in chosen.items()
            for server, state in servers.items()
        ]
        return "\n".join(["1", _HEADER, *lines])

    def _show_connections(self, backend: list[str]) -> str:
        chosen = self._chosen(backend)
        if chosen is None:
            return "Can't find backend."
        header = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max"
        lines = [
            f"{name}/{server} 3/1 {state.address} {state.port} - 5000 {state.used} 9"
            for name, servers in chosen.items()
            for server, state in servers.items()
        ]
        return "\n".join([header, *lines])


def prompted(answer: Callable[[str], str], line: str) -> str:
    """What a connection in prompt mode says to a line of chained commands."""
    replies = (answer(command) for command in line.split(";"))
    return "".join(f"{reply}\n\n> " if reply else "\n> " for reply in replies)


@asynccontextmanager
async def serve(path: Path, answer: Callable[[str], str]) -> AsyncIterator[None]:
    """A runtime API at `path` that answers each command with `answer`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := (await reader.readline()).decode().strip():
                if line == "quit":
                    break
                reply = "\n> " if line == "prompt" else prompted(answer, line)
                writer.write(reply.encode())
        writer.close()

    server = await asyncio.start_unix_server(talk, str(path))
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def serve_raw(path: Path, content: bytes, *, hang: bool = False) -> AsyncIterator[None]:
    """A socket that says `said` to whatever comes, then closes; with `hang` it stays silent."""
    released = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readline()
            writer.write(content)
            if hang:
                await released.wait()
            else:
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, str(path))
    try:
        yield
    finally:
        released.set()
        server.close()
        await server.wait_closed()
