"""HAProxy's runtime API as the engine uses it."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import Reply, RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.api.statistics import server_states, unpublished_backends
from drove_gateway.proxies.haproxy.backend_changes import HaproxyBackends
from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.names import balanced
from drove_gateway.proxies.haproxy.options import Options, checks
from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.servers import (
    Action,
    Batch,
    Change,
    Held,
    ObservedBackends,
    ObservedServer,
    Process,
    Result,
)

# From here on one reply with every server is cheaper than one for each backend.
_MANY_BACKENDS = 64

# What is deleted is known to be gone.
_DELETIONS = frozenset({Action.DELETE, Action.DELETE_BACKEND})

_OF_WHOLE_BACKENDS = {
    Action.PUBLISH: commands.publish_backend,
    Action.UNPUBLISH: commands.unpublish_backend,
    Action.DELETE_BACKEND: commands.delete_backend,
}

_ENDS = frozenset({Action.DELETE, Action.UNPUBLISH, Action.DELETE_BACKEND})
_DONE = Result()
# What a server was to become it is already, or the next round settles it.
_HARMLESS = frozenset({Verdict.DONE, Verdict.EXISTS, Verdict.NO_SERVER})
_GONE = frozenset({Verdict.DONE, Verdict.NO_SERVER, Verdict.NO_BACKEND})
_STATE_OF: Mapping[Held, str] = {"drain": "drain", "maintenance": "maint"}
_NOT_YET = frozenset({Verdict.BUSY, Verdict.NOT_IN_MAINTENANCE})


class HaproxyAdapter:
    """HAProxy behind its stats socket; an `Adapter`.

    A batch is one connection: the commands, and those that read the touched backends back.
    """

    name = "HAProxy"
    backend_noun = "backend"
    outdated = ""

    def __init__(
        self, api: RuntimeApi, options: Options, reader: ConfigurationReader | None = None
    ) -> None:
        self.abilities = Abilities(
            probes=options.probes,
            named_by_host=True,
            reads_everything=True,
            file_has_servers=True,
            reload_resets=True,
        )
        self.texts = HaproxyBackends(options, reader or ConfigurationReader(options.naming.is_ours))
        self._api = api
        self._options = options
        self._naming = options.naming
        self._names_of: int | None = None
        self._can_wait: bool | None = None
        self._asked: int | None = None
        self._makes_backends = False

    @property
    def makes_backends(self) -> bool:
        """Whether the HAProxy that answered last adds and deletes backends (3.4 and newer)."""
        return self._makes_backends

    def backends(self, app: App) -> Mapping[str, tuple[Host, ...]]:
        return self._naming.backends(app)

    def balances(self, hosts: tuple[Host, ...]) -> bool:
        return balanced(hosts)

    def server_name(self, host: Host, ip: str) -> str:  # noqa: ARG002
        return self._naming.server(host)

    def uses_tls(self, host: Host) -> bool | None:
        return self._options.uses_tls(host.port_type == "https")

    async def identify(self) -> Process:
        process = state.process(await self._api.ask(commands.SHOW_INFO))
        if process.pid != self._asked:
            (known,) = await self._api.run([commands.HELP_ADD_BACKEND])
            self._makes_backends = "\n  add backend " in known.text
            self._asked = process.pid
        if self._naming.routing_tag_suffix is None and process.pid != self._names_of:
            self._note_names(state.backends(await self._api.ask(commands.SHOW_BACKENDS)))
            self._names_of = process.pid
        return process

    def _note_names(self, names: Collection[str]) -> None:
        """Where the form of names is open, HAProxy's own backends show it, also new backends."""
        if self._naming.routing_tag_suffix is None and self._naming.existing != set(names):
            self._naming = msgspec.structs.replace(self._naming, existing=frozenset(names))

    def replaced(self, before: Process, now: Process) -> str:
        """A reload starts another worker, which looks like a restart."""
        if now.pid == before.pid and now.uptime >= before.uptime:
            return ""
        self._can_wait = None
        return "HAProxy was restarted or reloaded"

    async def reconnect(self) -> None:
        """Nothing: every batch is a connection of its own."""

    async def observe(
        self,
        backends: Collection[str] | None,
        *,
        exact: Collection[str] = (),  # noqa: ARG002
    ) -> ObservedBackends:
        if backends is not None:
            return self._servers(backends, await self._api.run(self._reading(backends)))
        names = state.backends(await self._api.ask(commands.SHOW_BACKENDS))
        self._note_names(names)
        reading = [commands.SHOW_ALL_SERVERS]
        if self._options.read_backends_one_by_one:
            reading = [commands.show_servers(name) for name in names]
        return self._servers(names, await self._api.run(reading))

    async def usage(self, backends: Collection[str]) -> ObservedBackends:
        reading = [commands.show_connections(name) for name in backends]
        if len(backends) > _MANY_BACKENDS:
            reading = [commands.SHOW_ALL_CONNECTIONS]
        used: dict[str, list[ObservedServer]] = {}
        for reply in await self._api.run(reading):
            if reply.verdict is Verdict.DONE:
                for backend, counts in state.connections(reply.text, backends).items():
                    if counts:
                        used.setdefault(backend, []).extend(
                            ObservedServer(name, held="drain", active=count)
                            for name, count in counts
                        )
            elif reply.verdict is not Verdict.NO_BACKEND:
                raise reply.problem()
        return ObservedBackends(used)

    async def states(self, backends: Collection[str]) -> tuple[ServerState, ...]:
        replies = await self._api.run([commands.show_statistics(name) for name in backends])
        for reply in replies:
            if reply.verdict not in {Verdict.DONE, Verdict.NO_BACKEND}:
                raise reply.problem()
        return tuple(
            server
            for reply in replies
            if reply.verdict is Verdict.DONE
            for server in server_states(reply.text)
        )

    async def unpublished(self, backends: Collection[str]) -> Collection[str]:
        replies = await self._api.run([commands.show_backend_statistics(name) for name in backends])
        for reply in replies:
            if reply.verdict not in {Verdict.DONE, Verdict.NO_BACKEND}:
                raise reply.problem()
        shown = (reply.text for reply in replies if reply.verdict is Verdict.DONE)
        return {name for text in shown for name in unpublished_backends(text)}

    async def carry_out(self, changes: Sequence[Change]) -> Batch:
        groups = [self._commands(change) for change in changes]
        batch = [command for group in groups for command in group]
        backends = dict.fromkeys(c.backend for c in changes if c.action not in _DELETIONS)
        replies = await self._api.run([*batch, *(self._reading(backends) if backends else ())])
        rest = iter(replies)
        results = [
            _result(change, tuple(islice(rest, len(group))))
            for change, group in zip(changes, groups, strict=True)
        ]
        if not backends:
            return Batch(results)
        return Batch(results, self._servers(backends, replies[len(batch) :]))

    async def wait_removable(self, backend: str, name: str, seconds: float) -> None:
        """Let HAProxy wait for the server, where its release can (3.0 and newer)."""
        try:
            if self._can_wait is None:
                self._can_wait = "\n  wait " in await self._api.ask(commands.HELP_WAIT)
            if self._can_wait:
                waiting = commands.wait_removable(backend, name, int(seconds * 1000))
                await self._api.run([waiting])
                return
        except RuntimeApiError:
            pass
        await asyncio.sleep(seconds)

    def _reading(self, backends: Collection[str]) -> list[Command]:
        if len(backends) > _MANY_BACKENDS and not self._options.read_backends_one_by_one:
            return [commands.SHOW_ALL_SERVERS]
        return [commands.show_servers(backend) for backend in backends]

    def _servers(self, backends: Collection[str], replies: Sequence[Reply]) -> ObservedBackends:
        """The servers of each of `backends`, also of those that have none."""
        read: dict[str, list[ObservedServer]] = {}
        missing: set[str] = set()
        for backend, reply in zip(backends, replies, strict=False):
            if reply.verdict is Verdict.DONE:
                read |= state.servers(reply.text, self._naming.is_ours)
            elif reply.verdict is Verdict.NO_BACKEND:
                missing.add(backend)
            else:
                raise reply.problem()
        return ObservedBackends(
            {name: read.get(name, ()) for name in backends if name not in missing}
        )

    def _commands(self, change: Change) -> tuple[Command, ...]:
        """The commands that carry out `change`, in order."""
        backend, name = change.backend, change.name
        match change.action:
            case Action.ADD | Action.PROBE:
                return self._adding(change)
            case Action.READY | Action.DRAIN:
                target = "ready" if change.action is Action.READY else "drain"
                return (commands.set_state(backend, name, target),)
            case Action.DELETE:
                return _deleting(change)
        return tuple(self._rare(change))

    def _rare(self, change: Change) -> Iterator[Command]:
        backend, name = change.backend, change.name
        match change.action:
            case Action.REPLACE:
                yield from _deleting(change)
                yield from self._adding(change)
            case Action.MOVE:
                yield commands.set_address(backend, name, change.address, change.port)
            case Action.RESTORE:
                yield from _restoring(change)
            case Action.ADD_BACKEND:
                yield commands.add_backend(backend, change.defaults)
            case whole:
                yield _OF_WHOLE_BACKENDS[whole](backend)

    def _adding(self, change: Change) -> tuple[Command, ...]:
        """A server is added in maintenance; one that is checked gets its first check in drain."""
        backend, name = change.backend, change.name
        attributes = change.options
        if attributes is None:
            attributes = self._options.attributes_for(change.https)
        add = commands.add_server(backend, name, change.address, change.port, attributes)
        target = "drain" if change.action is Action.PROBE else "ready"
        state = commands.set_state(backend, name, target)
        if checks(attributes):
            return (add, commands.enable_health(backend, name), state)
        return (add, state)


def _deleting(change: Change) -> tuple[Command, ...]:
    maintenance = commands.set_state(change.backend, change.name, "maint")
    delete = commands.delete_server(change.backend, change.name)
    if change.busy:
        return (maintenance, commands.shutdown_sessions(change.backend, change.name), delete)
    return (maintenance, delete)


def _restoring(change: Change) -> Iterator[Command]:
    if change.weight is not None:
        yield commands.set_weight(change.backend, change.name, change.weight)
    if change.held:
        yield commands.set_state(change.backend, change.name, _STATE_OF[change.held])


def _result(change: Change, replies: Sequence[Reply]) -> Result:
    if change.action in _ENDS:
        # What else has to be done for a deletion comes before it.
        return _deletion(replies[-1])
    for reply in replies:
        if change.action is Action.REPLACE and reply.verdict in _NOT_YET:
            return Result("busy", reply.text)
        if reply.verdict in _HARMLESS:
            continue
        if reply.verdict is Verdict.NO_BACKEND:
            return Result("refused", f"HAProxy has no backend {change.backend}")
        return Result("needs reload", str(reply.problem()))
    return _DONE


def _deletion(reply: Reply) -> Result:
    if reply.verdict in _GONE:
        return _DONE
    if reply.verdict in _NOT_YET:
        return Result("busy", reply.text)
    return Result("pinned", reply.text)
