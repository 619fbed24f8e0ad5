"""NGINX's API as the engine uses it: servers known by address, changed call by call, or in one
call where the Lua balancer offers that."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Literal

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.nginx.lua.balancer import BUILD, FULL, LuaBalancer
from drove_gateway.proxies.nginx.lua.vhosts_at_runtime import VhostsAtRuntime
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.observed import (
    from_status,
    is_regular,
    observed,
    time_value,
)
from drove_gateway.proxies.nginx.plus.parallel import each
from drove_gateway.proxies.nginx.plus.wire import Identity, Peer, Server, address, canonical
from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.metrics import ApiMetrics
from drove_gateway.proxies.runtime.servers import (
    OF_BACKENDS,
    REMOVALS,
    Action,
    Batch,
    Change,
    ObservedBackends,
    ObservedServer,
    Process,
    Result,
)

_PARALLEL = 8
# So many upstreams are read one by one, more by the one reply that has them all, unless that has
# twenty times as many: it costs about as much as a twentieth of them one by one.
_FEW = 8
_WORTH_ALL = 20
_PORT_TYPES = frozenset({"http", "https"})
_NOT_OFFERED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
# The upstream is not as it was read.
_OUTDATED = frozenset({"UpstreamServerNotFound", "EntryExists"})


class Parameters(msgspec.Struct, frozen=True):
    """The failure parameters of every server; times in NGINX's syntax ("10s")."""

    max_fails: int
    fail_timeout: str
    slow_start: str

    def fields(self) -> Mapping[str, int | str]:
        """Return the parameters as the API names them."""
        return msgspec.structs.asdict(self)


class NginxAdapter:
    """NGINX Plus behind its API, or NGINX with the Lua balancer behind the same; an `Adapter`.

    With a `balancer`, upstreams come with their first server and go with their vhost. An upstream
    is named like its vhost and holds all of the app's hosts, as in the original. What an operator
    sets stays: `down`, `drain`, `weight`, `max_conns`, `route`, and servers that are `backup` or
    that NGINX's resolver made.
    """

    backend_noun = "upstream"

    def __init__(
        self,
        client: Client,
        parameters: Parameters,
        *,
        metrics: ApiMetrics,
        clock: Callable[[], float],
        balancer: LuaBalancer | None = None,
    ) -> None:
        self.name = client.product
        self.abilities = Abilities(
            deletes_busy=True,
            parameters=(
                ("max_fails", parameters.max_fails),
                ("fail_timeout", time_value(parameters.fail_timeout)),
                ("slow_start", time_value(parameters.slow_start)),
            ),
            hides_empty=balancer is None,
            creates_backends=balancer is not None,
            publishes_early=balancer is not None,
            file_has_servers=balancer is not None,
            drains_survive_reload=True,
            one_protocol=True,
        )
        self.makes_backends = balancer is not None
        self.texts = None if balancer is None else VhostsAtRuntime()
        self._client = client
        self._fields = parameters.fields()
        self._balancer = balancer
        self._metrics = metrics
        self._clock = clock
        self._total = 0

    @property
    def outdated(self) -> str:
        return self._balancer.outdated if self._balancer else ""

    def backends(self, app: App) -> Mapping[str, tuple[Host, ...]]:
        """The app's upstream. Groups with a host that speaks neither http nor https are left out,
        as the original's documentation says; without them it may have no host at all."""
        if self._balancer is not None:
            return self._balancer.hosts_of(app)
        skipped: set[Host] = set()
        for group in app.groups.values():
            if not self.balances(group.hosts):
                skipped.update(group.hosts)
        kept = tuple(h for h in app.hosts if h.port_type in _PORT_TYPES and h not in skipped)
        return {app.vhost: kept or app.hosts}

    def balances(self, hosts: tuple[Host, ...]) -> bool:
        return all(host.port_type in _PORT_TYPES for host in hosts)

    def server_name(self, host: Host, ip: str) -> str:
        if self._balancer is not None:
            self._balancer.note_address(host, ip)
        return address(ip, host.port) if ip else f"{host.host}:{host.port}"

    def uses_tls(self, host: Host) -> bool | None:  # noqa: ARG002
        return None

    async def identify(self) -> Process | None:
        """None where the location offers upstreams only: then audits alone find changes."""
        try:
            process = _process(await self._client.identity())
        except ApiRefused as error:
            if error.status in _NOT_OFFERED and error.code != "UnknownVersion":
                return None
            raise
        if self._balancer is not None:
            await self._balancer.meet(process)
        return process

    def replaced(self, before: Process, now: Process) -> str:
        """For a moment after a reload, workers of the generation before still answer: that is
        nothing."""
        if now.pid != before.pid:
            return "NGINX was restarted"
        return "NGINX was reloaded" if now.generation > before.generation else ""

    async def reconnect(self) -> None:
        await self._client.forget_connections()

    async def observe(
        self, backends: Collection[str] | None, *, exact: Collection[str] = ()
    ) -> ObservedBackends:
        begin, succeeded = self._clock(), False
        try:
            observed = await self._observe(backends, exact)
            succeeded = not observed.problems
        finally:
            self._metrics.read_duration(succeeded, self._clock() - begin)
        return observed

    async def _observe(
        self, backends: Collection[str] | None, exact: Collection[str]
    ) -> ObservedBackends:
        if backends is None:
            return await self._read_all()
        brief = [name for name in backends if name not in exact]
        if self._are_few(brief):
            return await self._read_each(backends, self._servers)
        everything = (await self._read_all()).backends
        found = {name: everything[name] for name in brief if name in everything}
        thorough = await self._read_each(exact, self._servers)
        return ObservedBackends({**found, **thorough.backends}, thorough.problems)

    async def usage(self, backends: Collection[str]) -> ObservedBackends:
        if self._are_few(backends):
            return await self._read_each(backends, self._peers)
        return await self._read_all()

    def _are_few(self, upstreams: Collection[str]) -> bool:
        return len(upstreams) <= _FEW or len(upstreams) * _WORTH_ALL < self._total

    async def states(self, backends: Collection[str]) -> tuple[ServerState, ...]:
        found: list[ServerState] = []
        for upstream in backends:
            try:
                peers = await self._client.peers(upstream)
            except ApiRefused as error:
                if error.code != "UpstreamNotFound":
                    raise
            else:
                found += (_state(upstream, peer) for peer in peers)
        return tuple(found)

    async def unpublished(self, backends: Collection[str]) -> Collection[str]:  # noqa: ARG002
        return ()

    async def carry_out(self, changes: Sequence[Change]) -> Batch:
        results: dict[int, Result] = {}
        upstreams: dict[str, list[Change]] = {}
        for change in changes:
            upstreams.setdefault(change.backend, []).append(change)

        async def change_all(its: Sequence[Change]) -> None:
            async for change, result in self._carry_out_in_order(its):
                results[id(change)] = result

        begin, succeeded = self._clock(), False
        after = None
        try:
            if self._balancer is not None:
                bulk = await self._balancer.carry_out(upstreams)
                results |= bulk.results
                upstreams = {name: list(its) for name, its in bulk.left.items()}
            await each(upstreams.values(), change_all, parallel=_PARALLEL)
            if self._balancer is not None:
                unknown = {change.backend for change in changes} - bulk.known
                again = await self._read_each(unknown, self._servers)
                after = ObservedBackends({**bulk.servers, **again.backends}, again.problems)
            succeeded = all(result.state == "done" for result in results.values())
        finally:
            self._metrics.duration(succeeded, self._clock() - begin)
        return Batch([results[id(change)] for change in changes], after)

    async def wait_removable(self, backend: str, name: str, seconds: float) -> None:  # noqa: ARG002
        await asyncio.sleep(seconds)

    async def _read_all(self) -> ObservedBackends:
        upstreams = await self._client.upstreams()
        self._total = len(upstreams)
        return ObservedBackends(
            {name: from_status(found.peers) for name, found in upstreams.items()}
        )

    async def _read_each(
        self,
        upstreams: Collection[str],
        read: Callable[[str], Awaitable[list[ObservedServer]]],
    ) -> ObservedBackends:
        found: dict[str, list[ObservedServer]] = {}
        problems: dict[str, str] = {}

        async def read_or_note(upstream: str) -> None:
            try:
                found[upstream] = await read(upstream)
            except (ApiRefused, ApiCut) as error:
                if not (isinstance(error, ApiRefused) and error.code == "UpstreamNotFound"):
                    problems[upstream] = str(error)

        await each(upstreams, read_or_note, parallel=_PARALLEL)
        return ObservedBackends(found, problems)

    async def _servers(self, upstream: str) -> list[ObservedServer]:
        servers = await self._client.servers(upstream)
        return [observed(server) for server in servers if is_regular(server)]

    async def _peers(self, upstream: str) -> list[ObservedServer]:
        return from_status(await self._client.peers(upstream))

    async def _carry_out_in_order(
        self, changes: Sequence[Change]
    ) -> AsyncIterator[tuple[Change, Result]]:
        """The changes of one upstream. What is refused for a server's own address or parameters
        concerns it alone; anything else that is refused ends the additions, or the removals."""
        ended: dict[bool, Result] = {}
        for change in changes:
            removes = change.action in REMOVALS
            result = ended.get(removes) or await self._carry_out_one(change)
            yield change, result
            if result.state == "outdated":
                ended = {True: result, False: result}
            elif result.state == "refused" and "UpstreamBad" not in result.problem:
                ended[removes] = result

    async def _carry_out_one(self, change: Change) -> Result:
        try:
            return await self._call(change)
        except ApiCut as error:
            return Result("outdated", str(error))
        except ApiRefused as error:
            if error.code in _OUTDATED:
                return Result("outdated", str(error))
            state: Literal["needs reload", "refused"] = "refused"
            if self._balancer is not None and error.code == FULL:
                state = "needs reload"
            return Result(state, f"server {change.name}: {error}")

    async def _call(self, change: Change) -> Result:
        """Ids are given anew by every reload: the reply tells which server the call met."""
        client, upstream, handle = self._client, change.backend, change.handle
        if change.action in OF_BACKENDS:
            what = f"{self.name} cannot {change.action.value} {upstream} over its API"
            return Result("needs reload", what)
        if handle is None:
            return _met(change, await client.add(upstream, change.name, self._fields))
        match change.action:
            case Action.UPDATE:
                fields = {name: self._fields[name] for name in change.differing}
                return _met(change, await client.change(upstream, handle, fields))
            case Action.DRAIN:
                return _met(change, await client.change(upstream, handle, {"drain": True}))
            case Action.DELETE:
                return _deleted(change, await client.delete(upstream, handle))
            case _:
                return await self._make_ready(change, handle)

    async def _make_ready(self, change: Change, handle: int) -> Result:
        """End a drain. A server that stays in drain makes way for a new one of its address."""
        ready = await self._client.change(change.backend, handle, {"drain": False})
        result = _met(change, ready)
        if ready.drain and result.state == "done":
            result = _met(change, await self._client.add(change.backend, change.name, self._fields))
            if result.state == "done":
                await self._client.delete(change.backend, handle)
        return result


def _process(identity: Identity) -> Process:
    """The process that answers. The Lua balancer's count of loads begins anew with a dictionary of
    another size, so that the time of the load tells its processes apart."""
    if identity.build != BUILD:
        return Process(identity.ppid, identity.generation, version=identity.build)
    with contextlib.suppress(ValueError):
        loaded = datetime.fromisoformat(identity.load_timestamp)
        return Process(identity.ppid, int(loaded.timestamp() * 1000), version=identity.version)
    return Process(identity.ppid, identity.generation, version=identity.version)


def _state(upstream: str, peer: Peer) -> ServerState:
    counts = [each for each in (peer.fails, peer.responses.server_errors) if each is not None]
    return ServerState(
        backend=upstream,
        name=peer.server,
        address=canonical(peer.server),
        state=peer.state,
        up=peer.state == "up",
        weight=peer.weight,
        sessions=peer.active,
        requests=peer.requests,
        errors=sum(counts) if counts else None,
    )


def _met(change: Change, reply: Server) -> Result:
    """Whether the call met the server that it was for."""
    if canonical(reply.server) != change.name:
        return Result("outdated", f"the call for server {change.name} met {reply.server}")
    return Result(server=observed(reply))


def _deleted(change: Change, remaining: Sequence[Server]) -> Result:
    """Whether the deletion met the server that it was for."""
    same = sum(canonical(s.server) == change.name and is_regular(s) for s in remaining)
    if same == change.remaining:
        return Result()
    return Result("outdated", f"the deletion of server {change.name} met another server")
