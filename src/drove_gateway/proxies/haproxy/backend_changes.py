"""From the backends that HAProxy has to those of a configuration's text. Pure.

Servers under the gateway's own names are the engine's business once their backend is there. What
only the text knows, as the server of a leader's vhost, is followed here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.shared_part import (
    Configuration,
    RuntimeBackend,
    ServerLine,
    first_difference,
    read_configuration,
)
from drove_gateway.proxies.runtime.backends import BackendChanges, Observed, Situation
from drove_gateway.proxies.runtime.resolver import is_address
from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer

_KEPT_TEXTS = 4


class HaproxyBackends:
    """Reads backends from the text of HAProxy's configuration; a `ReadsBackends`."""

    def __init__(self, options: Options) -> None:
        self._is_ours = options.naming.is_ours
        # A server of these options may change between HTTP and HTTPS: the engine replaces it.
        self._replaceable = frozenset(_words(options.attributes_for(tls)) for tls in (False, True))
        self._read: dict[str, Configuration] = {}

    def first_line(self, before: str, after: str) -> str:
        old, new = self._configuration(before), self._configuration(after)
        return first_difference(old.shared, new.shared) or self._unlike(old, new)

    def own_backends(self, text: str) -> Collection[str]:
        return self._configuration(text).backends.keys()

    def host_names(self, text: str, observed: Observed) -> set[str]:
        hosts = {
            _endpoint(server)[0]
            for name, backend in self._configuration(text).backends.items()
            for server in backend.servers
            if name not in observed or not self._is_ours(server.name)
        }
        return {host for host in hosts if not is_address(host)}

    def changes(self, before: str, after: str, there: Situation) -> BackendChanges:
        old, new = self._configuration(before), self._configuration(after)
        if problem := self._unlike(old, new):
            return BackendChanges(reload=problem)
        made: list[Change] = []
        try:
            for name, backend in new.backends.items():
                made += self._backend(backend, old.backends.get(name), there)
        except _NeedsReloadError as needed:
            return BackendChanges(reload=str(needed))
        removed = tuple(
            name
            for name in there.observed
            if name not in new.names
            and (name in old.backends or name in there.own or self._left(there.observed[name]))
        )
        return BackendChanges(tuple(made), removed, new.backends.keys())

    def _left(self, servers: Collection[ObservedServer]) -> bool:
        """Whether an earlier run of the gateway was about to remove the backend."""
        return bool(servers) and all(server.ours and server.held for server in servers)

    def _backend(
        self, backend: RuntimeBackend, before: RuntimeBackend | None, there: Situation
    ) -> Iterator[Change]:
        name, observed = backend.name, there.observed.get(backend.name)
        if observed is None:
            reason = "in the configuration, and missing"
            yield Change(Action.ADD_BACKEND, name, "", reason, defaults=backend.defaults)
            for server in backend.servers:
                yield from self._added(name, server, there.addresses)
            yield Change(Action.PUBLISH, name, "", "its servers were added")
            return
        yield from self._corrections(backend, before, observed, there)
        if name in there.hidden:
            yield Change(Action.PUBLISH, name, "", "in the configuration")

    def _corrections(
        self,
        backend: RuntimeBackend,
        before: RuntimeBackend | None,
        observed: Collection[ObservedServer],
        there: Situation,
    ) -> Iterator[Change]:
        """Add, move and drain the servers that only the text knows."""
        found = {server.name: server for server in observed}
        for line in backend.servers:
            if self._is_ours(line.name):
                continue
            server = found.get(line.name)
            if server is None:
                yield from self._added(backend.name, line, there.addresses)
                continue
            address, port = self._address(backend.name, line, there.addresses)
            if (server.address, server.port) != (address, port):
                reason = f"is at {server.address}:{server.port}, not at {address}:{port}"
                move = Change(Action.MOVE, backend.name, line.name, reason)
                yield msgspec.structs.replace(move, address=address, port=port)
            if server.held and backend.name in there.hidden:
                yield Change(Action.READY, backend.name, line.name, "in the configuration again")
        kept = {line.name for line in backend.servers}
        for line in before.servers if before else ():
            if line.name in found.keys() - kept and not self._is_ours(line.name):
                reason = "no longer in the configuration"
                drain = Change(Action.DRAIN, backend.name, line.name, reason)
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

    def _other_options(self, before: RuntimeBackend, backend: RuntimeBackend) -> str:
        had = {server.name: server.options for server in before.servers}
        for server in backend.servers:
            options = had.get(server.name, server.options)
            both = {_words(options), _words(server.options)}
            if len(both) == 2 and not (self._is_ours(server.name) and both <= self._replaceable):
                return (
                    f"`server {server.name} {server.address} {server.options}` in `backend "
                    f"{backend.name}`: the server has other options"
                )
        return ""

    def _configuration(self, text: str) -> Configuration:
        read = self._read.pop(text, None) or read_configuration(text, self._is_ours)
        self._read[text] = read
        while len(self._read) > _KEPT_TEXTS:
            del self._read[next(iter(self._read))]
        return read


def shared_text(options: Options) -> Callable[[str], str]:
    """Return what reads from a text all that the runtime API cannot change."""

    def shared(text: str) -> str:
        lines = read_configuration(text, options.naming.is_ours).shared
        return "\n".join(line for _, line in lines)

    return shared


class _NeedsReloadError(Exception):
    """A line that the runtime API cannot express."""


def _endpoint(line: ServerLine) -> tuple[str, int]:
    host, _, port = line.address.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    return host.strip("[]"), number


def _words(options: str) -> tuple[str, ...]:
    return tuple(options.split())
