"""What the Lua balancer offers beyond NGINX Plus's API: a handshake, and many changes in a call.

Each upstream is changed as a whole or not at all. What cannot be said that way is left to the
calls for single servers.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.nginx.lua.configuration import VERSION
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses
from drove_gateway.proxies.nginx.lua.source import code_hash
from drove_gateway.proxies.nginx.lua.template_functions import LuaUse, hosts_of
from drove_gateway.proxies.nginx.lua.wire import BulkReply, BulkResult, Handshake
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.observed import (
    is_regular,
    observed,
    observed_briefly,
    parameters_of,
)
from drove_gateway.proxies.nginx.plus.wire import ErrorDetail
from drove_gateway.proxies.runtime.servers import (
    Action,
    Change,
    ObservedServer,
    Process,
    Result,
)

# What identifies the balancer where the API says which NGINX this is.
BUILD = "drove-gateway-lua"
FULL = "UpstreamOutOfMemory"
_BUSY = "UpstreamBusy"
# Only a load removes what did not fit into the dictionary.
_STATIC = "UpstreamStatic"
# Beside the API.
_HANDSHAKE = "/drove-gateway/"
_UPSTREAMS = "/drove-gateway/upstreams"
# A body stays well below the limit of the balancer's location.
_MOST_CHANGES = 20_000
# Old workers respond for about 0.1 s after the first response of a new worker.
_LOOK_SECONDS = 0.02
_ENOUGH_LOOKS = 10
_MOST_LOOKS = 100

Upstreams = Mapping[str, Sequence[Change]]


class BulkOutcome(msgspec.Struct, frozen=True):
    """The results by the identity of their change, the servers of the upstreams that were changed,
    those that were removed, and those whose changes must be carried out singly."""

    results: Mapping[int, Result]
    servers: Mapping[str, Sequence[ObservedServer]]
    removed: frozenset[str]
    left: Upstreams

    @property
    def known(self) -> frozenset[str]:
        """The upstreams of which it is known what they have now."""
        return self.removed.union(self.servers)


class LuaBalancer:
    """The Lua balancer behind the API of NGINX.

    `outdated` says why its code must be loaded anew, empty where it need not.
    """

    def __init__(
        self,
        client: Client,
        fields: Mapping[str, int | str],
        *,
        use: LuaUse,
        addresses: KnownAddresses,
        log: EventLog,
    ) -> None:
        self.outdated = ""
        self._client = client
        self._fields = fields
        self._parameters = parameters_of(fields)
        self._use = use
        self._addresses = addresses
        self._log = log
        self._met: Process | None = None
        self._offered = False
        self._dictionary = ""
        self._other_hash = ""

    def hosts_of(self, app: App) -> Mapping[str, tuple[Host, ...]]:
        """The hosts of each of an app's upstreams."""
        return hosts_of(app, groups=self._use.groups)

    def note_address(self, host: Host, ip: str) -> None:
        """Have the file list `host` at the address that its server has, empty if unknown."""
        self._addresses.note(host.host, ip)

    async def meet(self, process: Process) -> None:
        """Compare the balancer that `process` runs with this gateway's, once for each load.

        A reload that does not bring this gateway's code is not followed by another.
        """
        if process == self._met:
            return
        found = await self._handshake()
        if self._dictionary not in {"", found.dictionary.id}:
            await self._until_only(found.dictionary.id)
        self._dictionary = found.dictionary.id
        self._met, self._offered = process, found.version == VERSION
        self.outdated = ""
        if found.hash == code_hash():
            self._other_hash = ""
        elif found.hash != self._other_hash:
            self._other_hash = found.hash
            self.outdated = (
                f"NGINX runs the Lua balancer {found.version}-{found.hash}, "
                f"this gateway has {VERSION}-{code_hash()}"
            )
        if found.only_in_file:
            self._log.write(
                LogEvent.DICTIONARY_FULL,
                count=found.only_in_file,
                limit=found.dictionary.capacity,
            )

    async def _until_only(self, dictionary: str) -> None:
        """Wait until every worker has `dictionary`: those of before the load had another, and
        respond for a moment. Gives up after a while; an audit repairs what is lost then."""
        seen = 0
        for _ in range(_MOST_LOOKS):
            await asyncio.sleep(_LOOK_SECONDS)
            await self._client.forget_connections()
            found = await self._handshake()
            seen = seen + 1 if found.dictionary.id == dictionary else 0
            if seen == _ENOUGH_LOOKS:
                return

    async def carry_out(self, upstreams: Upstreams) -> BulkOutcome:
        """Carry out what can be done in calls for many upstreams. Raises RuntimeApiError."""
        bulk = {name: its for name, its in upstreams.items() if self._offered and _is_plain(its)}
        results: dict[int, Result] = {}
        replies: dict[str, BulkResult | None] = {}
        for part in _parts(bulk):
            replies |= await self._call(part)
        for name, reply in replies.items():
            if result := _result(name, reply):
                results |= {id(change): result for change in bulk[name]}
        changed = {name: reply for name, reply in replies.items() if reply and not reply.error}
        return BulkOutcome(
            results,
            {name: self._servers(reply) for name, reply in changed.items()},
            frozenset(name for name, reply in replies.items() if reply is None),
            {n: its for n, its in upstreams.items() if any(id(c) not in results for c in its)},
        )

    async def _call(self, upstreams: Upstreams) -> Mapping[str, BulkResult | None]:
        body = {name: self._change(its) for name, its in upstreams.items()}
        try:
            reply = await self._client.call(
                "change_upstreams",
                "POST",
                _UPSTREAMS,
                BulkReply,
                {"new_servers": self._fields, "upstreams": body},
            )
        except ApiCut as error:
            # Whether it was carried out shows when the upstreams are read again.
            cut = BulkResult(error=ErrorDetail(text=str(error), code=_BUSY))
            return dict.fromkeys(upstreams, cut)
        except ApiRefused as error:
            self._log.write(LogEvent.CHANGED_ONE_BY_ONE, error=str(error))
            return {}
        replies = reply.upstreams
        return {name: replies[name] for name in upstreams if name in replies}

    async def _handshake(self) -> Handshake:
        return await self._client.call("handshake", "GET", _HANDSHAKE, Handshake)

    def _change(self, changes: Sequence[Change]) -> Mapping[str, Any] | None:
        """The change of an upstream as the call has it; None removes it."""
        if any(change.action is Action.DELETE_BACKEND for change in changes):
            return None
        added = [change.name for change in changes if change.action is Action.ADD]
        changed = [self._changed(change) for change in changes if change.action in _CHANGED]
        removed = [change.name for change in changes if change.action is Action.DELETE]
        found = {"add": added, "change": changed, "remove": removed}
        body: dict[str, Any] = {kind: servers for kind, servers in found.items() if servers}
        if any(change.action is Action.PUBLISH for change in changes):
            # Without servers, too, it is a vhost: 503 instead of 404.
            body = {"add": added, **body, "routed": True}
        return body

    def _changed(self, change: Change) -> Mapping[str, Any]:
        if change.action is Action.UPDATE:
            return {"server": change.name, **{n: self._fields[n] for n in change.differing}}
        return {"server": change.name, "drain": change.action is Action.DRAIN}

    def _servers(self, reply: BulkResult) -> Sequence[ObservedServer]:
        found = []
        for server in reply.servers:
            if isinstance(server, str):
                handle, _, address = server.partition(" ")
                found.append(observed_briefly(int(handle), address, self._parameters))
            elif is_regular(server):
                found.append(observed(server))
        return found


_CHANGED = frozenset({Action.UPDATE, Action.DRAIN, Action.READY})
_KNOWN = _CHANGED | {Action.ADD, Action.DELETE, Action.PUBLISH, Action.DELETE_BACKEND}


def _is_plain(changes: Sequence[Change]) -> bool:
    """Whether addresses are enough to tell the servers apart."""
    return all(change.action in _KNOWN and not change.remaining for change in changes)


def _parts(upstreams: Upstreams) -> Iterator[Upstreams]:
    """The upstreams in parts of a limited number of changes."""
    part: dict[str, Sequence[Change]] = {}
    size = 0
    for name, changes in upstreams.items():
        if size and size + len(changes) > _MOST_CHANGES:
            yield part
            part, size = {}, 0
        part[name] = changes
        size += len(changes)
    if part:
        yield part


def _result(name: str, reply: BulkResult | None) -> Result | None:
    """The result of an upstream's changes; None where they must be tried singly."""
    if reply is None or reply.error is None:
        return Result()
    problem = f"upstream {name}: {reply.error.text}"
    if reply.error.code in {FULL, _STATIC}:
        return Result("needs reload", problem)
    return Result("outdated", problem) if reply.error.code == _BUSY else None
