"""From the backends that HAProxy has to those of a configuration's text. Pure.

Servers under the gateway's own names are the engine's business once their backend is there. What
only the text knows, as the server of a leader's vhost, is followed here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache

import msgspec

from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.shared_part import (
    Configuration,
    RuntimeBackend,
    ServerLine,
    first_difference,
)
from drove_gateway.proxies.runtime.backends import BackendChanges, Observed, Situation
from drove_gateway.proxies.runtime.resolver import is_address
from drove_gateway.proxies.runtime.servers import Action, Change, WrittenServer


class HaproxyBackends:
    """Reads backends from the text of HAProxy's configuration; a `ReadsBackends`."""

    def __init__(self, options: Options, reader: ConfigurationReader) -> None:
        self._is_ours = options.naming.is_ours
        # A server of these options may change between HTTP and HTTPS: the engine replaces it.
        self._replaceable = frozenset(_words(options.attributes_for(tls)) for tls in (False, True))
        self._configuration = reader.read

    def first_line(self, before: str, after: str) -> str:
        old, new = self._configuration(before), self._configuration(after)
        return first_difference(old.shared, new.shared) or self._unlike(old, new)

    def own_backends(self, text: str) -> Mapping[str, object]:
        return self._configuration(text).backends

    def backend_names(self, text: str) -> Collection[str]:
        return self._configuration(text).names

    def servers(self, text: str, backend: str) -> Mapping[str, WrittenServer] | None:
        read = self._configuration(text)
        if backend not in read.backends or not self._has_options(read):
            return None
        lines = read.backends[backend].servers
        return {line.name: _written(line.options) for line in lines if self._is_ours(line.name)}

    def unlike(
        self, text: str, unwritten: Collection[tuple[str, str]]
    ) -> tuple[str, set[tuple[str, str]]]:
        return self._unlike_added(self._configuration(text), unwritten)

    def host_names(self, text: str, observed: Observed) -> set[str]:
        read = self._configuration(text)
        missing = (read.backends[name].servers for name in read.backends.keys() - observed.keys())
        hosts = {
            _endpoint(server)[0]
            for servers in (*missing, *read.foreign.values())
            for server in servers
        }
        return {host for host in hosts if not is_address(host)}

    def changes(self, before: str, after: str, there: Situation) -> BackendChanges:
        old, new = self._configuration(before), self._configuration(after)
        if problem := (
            self._unlike(old, new)
            or self._unlike_leaving(old, new, there)
            or self._unlike_added(new, there.unwritten)[0]
        ):
            return BackendChanges(reload=problem)
        made: list[Change] = []
        try:
            for name, backend in new.backends.items():
                if name not in there.observed:
                    made += self._new(backend, there)
                elif name in new.foreign or name in old.foreign:
                    made += self._corrections(name, old, new, there)
                if name in there.hidden and name in there.observed:
                    made.append(Change(Action.PUBLISH, name, "", "in the configuration"))
        except _NeedsReloadError as needed:
            return BackendChanges(reload=str(needed))
        removed = tuple(
            name
            for name in there.observed
            if name not in new.names
            and (name in old.backends or name in there.own or self._left(name, there))
        )
        return BackendChanges(tuple(made), removed, new.backends.keys())

    def _left(self, name: str, there: Situation) -> bool:
        """Whether an earlier run of the gateway was about to add or to remove the backend.

        A backend without servers may serve all the same, as `http-request return` does in another
        file of the operator: it is removed only if no request reaches it.
        """
        servers = there.observed[name]
        if not servers:
            return name in there.unpublished
        return all(server.ours and server.held for server in servers)

    def _new(self, backend: RuntimeBackend, there: Situation) -> Iterator[Change]:
        """Add a backend, its servers, and publish it."""
        name, reason = backend.name, "in the configuration, and missing"
        yield Change(Action.ADD_BACKEND, name, "", reason, defaults=backend.defaults)
        for server in backend.servers:
            yield from self._added(name, server, there.addresses)
        yield Change(Action.PUBLISH, name, "", "its servers were added")

    def _corrections(
        self, backend: str, old: Configuration, new: Configuration, there: Situation
    ) -> Iterator[Change]:
        """Add, move and drain the servers that only the text knows."""
        found = {server.name: server for server in there.observed[backend]}
        lines = new.foreign.get(backend, ())
        for line in lines:
            server = found.get(line.name)
            if server is None:
                yield from self._added(backend, line, there.addresses)
                continue
            address, port = self._address(backend, line, there.addresses)
            if (server.address, server.port) != (address, port):
                reason = f"is at {server.address}:{server.port}, not at {address}:{port}"
                move = Change(Action.MOVE, backend, line.name, reason)
                yield msgspec.structs.replace(move, address=address, port=port)
            left = backend in there.hidden or (backend, line.name) in there.leaving
            if server.held and left:
                yield Change(Action.READY, backend, line.name, "in the configuration again")
        kept = {line.name for line in lines}
        for line in old.foreign.get(backend, ()):
            if line.name in found.keys() - kept:
                reason = "no longer in the configuration"
                drain = Change(Action.DRAIN, backend, line.name, reason)
                yield msgspec.structs.replace(drain, patience=there.patience)

    def _added(
        self, backend: str, line: ServerLine, addresses: Mapping[str, str]
    ) -> Iterator[Change]:
        host, _ = _endpoint(line)
        if self._is_ours(line.name) and not is_address(host) and host not in addresses:
            # The engine adds it once its host has an address.
            return
        address, port = self._address(backend, line, addresses)
        reason = "in the configuration, and missing"
        add = Change(Action.ADD, backend, line.name, reason, address, port)
        yield msgspec.structs.replace(add, options=line.options)

    def _address(
        self, backend: str, line: ServerLine, addresses: Mapping[str, str]
    ) -> tuple[str, int]:
        host, port = _endpoint(line)
        address = host if is_address(host) else addresses.get(host, "")
        if not address or not 0 < port < 65536:
            raise _NeedsReloadError(
                f"`server {line.name} {line.address}` in `backend {backend}`: no address and port "
                "to give to the runtime API"
            )
        return address, port

    def _unlike(self, old: Configuration, new: Configuration) -> str:
        """Name the first line of what both have that the runtime API cannot change."""
        for name, backend in new.backends.items():
            before = old.backends.get(name)
            if before is None or before is backend:
                continue
            if before.defaults != backend.defaults:
                header = f"backend {name} from {backend.defaults}"
                return f"`{header}`: the backend has another defaults section"
            if line := self._other_options(before, backend):
                return line
        return ""

    def _unlike_leaving(self, old: Configuration, new: Configuration, there: Situation) -> str:
        """Name the first line of a backend that returns in another form while it still drains."""
        returning = new.backends.keys() & there.observed.keys() - old.backends.keys()
        forms = {name: there.own.get(name) for name in returning}
        known = {name: form for name, form in forms.items() if isinstance(form, RuntimeBackend)}
        return self._unlike(Configuration(known, ()), new)

    def _unlike_added(
        self, new: Configuration, unwritten: Collection[tuple[str, str]]
    ) -> tuple[str, set[tuple[str, str]]]:
        """Name the first line of a server that was added with other options, before it was
        known; return with it the servers that have no line yet."""
        first, waiting = "", set(unwritten)
        for name in {name for name, _ in unwritten} & new.names:
            backend = new.backends.get(name)
            if backend is None:
                # Whatever its lines have, its servers come and go as the settings say.
                waiting = {each for each in waiting if each[0] != name}
                continue
            for server in backend.servers:
                if (name, server.name) in waiting:
                    waiting.discard((name, server.name))
                    if not first and _words(server.options) not in self._replaceable:
                        first = _other(server, name)
        return first, waiting

    def _has_options(self, read: Configuration) -> bool:
        """Whether the text gives servers other options than the settings."""
        return any(_words(options) not in self._replaceable for options in read.options)

    def _other_options(self, before: RuntimeBackend, backend: RuntimeBackend) -> str:
        had = {server.name: server.options for server in before.servers}
        for server in backend.servers:
            options = had.get(server.name, server.options)
            both = {_words(options), _words(server.options)}
            if len(both) == 2 and not (self._is_ours(server.name) and both <= self._replaceable):
                return _other(server, backend.name)
        return ""


def shared_text(reader: ConfigurationReader) -> Callable[[str], str]:
    """Return what reads from a text all that the runtime API cannot change."""

    def shared(text: str) -> str:
        return "\n".join(line for _, line in reader.read(text).shared)

    return shared


class _NeedsReloadError(Exception):
    """A line that the runtime API cannot express."""


def _endpoint(line: ServerLine) -> tuple[str, int]:
    host, _, port = line.address.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    return host.strip("[]"), number


def _other(server: ServerLine, backend: str) -> str:
    line = f"server {server.name} {server.address} {server.options}"
    return f"`{line}` in `backend {backend}`: the server has other options"


@lru_cache(maxsize=1 << 10)
def _written(options: str) -> WrittenServer:
    words = _words(options)
    return WrittenServer(options, "check" in words, "ssl" in words)


def _words(options: str) -> tuple[str, ...]:
    return tuple(options.split())
