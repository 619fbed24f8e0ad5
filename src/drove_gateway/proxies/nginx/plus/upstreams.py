"""All upstreams that the gateway keeps: which are due, and bringing many of them at once."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.model.plan import Step
from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.proxies.nginx.plus import desired
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiMetrics, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.desired import Wanted
from drove_gateway.proxies.nginx.plus.drain import FEW
from drove_gateway.proxies.nginx.plus.kept import KeptUpstream
from drove_gateway.proxies.nginx.plus.parallel import each
from drove_gateway.proxies.nginx.plus.wire import canonical
from drove_gateway.proxies.nginx.plus.writer import MISSING, Brought, Observed, Writer
from drove_gateway.proxies.runtime.resolver import Resolver

_PARALLEL = 8
_PARALLEL_AUDIT = 2
# Reading all upstreams in one answer costs about as much as a twentieth of them one by one.
_WORTH_ALL = 20


class DrainRule(msgspec.Struct, frozen=True):
    """How long a removed server may take: a vhost's `tag` in seconds, else `seconds`.

    `leaving_seconds` is for the servers of vhosts that leave. Where a reload takes the upstream
    away it is 0, as the servers have to be out of its state file before.
    """

    seconds: float
    tag: str = ""
    leaving_seconds: float | None = None


class Done(msgspec.Struct, frozen=True):
    """What was done, and which upstreams are not as they should be, with the reason."""

    steps: tuple[Step, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


class Upstreams:
    """The kept upstreams by name."""

    def __init__(
        self,
        client: Client,
        writer: Writer,
        resolver: Resolver,
        drain: DrainRule,
        *,
        metrics: ApiMetrics,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self.kept: dict[str, KeptUpstream] = {}
        self._client = client
        self._writer = writer
        self._resolver = resolver
        self._drain = drain
        self._metrics = metrics
        self._clock = clock
        self._log = log

    def take(self, before: Topology, topology: Topology, due: Mapping[str, str]) -> None:
        """Keep the upstreams of `topology` from now on, instead of those of `before`; those in
        `due` are to be compared."""
        for vhost in changed_keys(before.apps, topology.apps):
            app = topology.apps.get(vhost)
            if app is not None and desired.hosts(app) is not None:
                self._keep(vhost).take(app, self._drain_seconds(app))
            elif app is not None:
                self.kept.pop(vhost, None)
        for name, reason in due.items():
            if name not in topology.apps:
                self.leave(name)
            if name in self.kept:
                self.kept[name].due = reason

    def leave(self, name: str) -> None:
        """The vhost is not on the cluster: its upstream is to lose its servers."""
        kept = self._keep(name)
        kept.leave()
        kept.due = kept.due or "the vhost is not on the cluster"
        if self._drain.leaving_seconds is not None:
            kept.drain_seconds = self._drain.leaving_seconds

    def all_due(self, reason: str) -> None:
        """Every upstream is to be compared."""
        for kept in self.kept.values():
            kept.due = kept.due or reason

    def moved(self, host: str) -> int:
        """A host name has another address; gives how many upstreams that concerns."""
        concerned = [kept for kept in self.kept.values() if host in kept.names]
        for kept in concerned:
            kept.due = kept.due or f"{host} has another address"
        return len(concerned)

    async def bring(self, chosen: Collection[KeptUpstream], *, create: bool) -> Done:
        """Bring upstreams to what they should be. Raises RuntimeApiError when nothing can be done.

        What fails for one upstream concerns it alone.
        """
        steps: list[Step] = []
        names = frozenset().union(*(kept.names for kept in chosen))
        addresses = (await self._resolver.resolve(names)).addresses if names else {}
        begin, result = self._clock(), "failure"
        try:
            seen = await self._read_all(chosen)

            async def bring_one(kept: KeptUpstream) -> None:
                observed = None
                if seen is not None and _briefly(kept):
                    observed = seen.get(kept.name, MISSING)
                brought = await self._bring_one(kept, addresses, observed, create)
                steps.extend(brought.steps)

            await each(chosen, bring_one, parallel=_PARALLEL)
            failed = tuple((kept.name, kept.problem) for kept in chosen if kept.problem)
            result = "failure" if failed else "success"
        finally:
            self._metrics.nginx_plus_runtime_api_duration(result, self._clock() - begin)
            self._forget_finished(chosen)
        return Done(tuple(steps), failed)

    async def audit(self) -> Sequence[str]:
        """Compare every upstream that is thought to be right; gives those that are not.

        Raises RuntimeApiError when the API does not answer.
        """
        found: list[str] = []
        self._forget_finished(list(self.kept.values()))
        self._resolver.retain(frozenset().union(*(kept.names for kept in self.kept.values())))

        async def compare(kept: KeptUpstream) -> None:
            async with kept.lock:
                brought = kept.brought
                if kept.due:
                    return
                reason = await self._difference(kept)
                if reason and kept.brought == brought:
                    kept.due, kept.problem, kept.thorough = reason, reason, True
                    found.append(kept.name)

        await each(list(self.kept.values()), compare, parallel=_PARALLEL_AUDIT)
        return found

    async def _read_all(self, chosen: Collection[KeptUpstream]) -> Mapping[str, Observed] | None:
        """Every upstream in one answer, None where few are better read one by one."""
        brief = sum(map(_briefly, chosen))
        if brief <= FEW or brief * _WORTH_ALL < len(self.kept):
            return None
        return {
            name: Observed(tuple(peer.as_server() for peer in status.peers))
            for name, status in (await self._client.upstreams()).items()
        }

    async def _bring_one(
        self,
        kept: KeptUpstream,
        addresses: Mapping[str, str],
        seen: Observed | None,
        create: bool,
    ) -> Brought:
        reason, kept.due = kept.due, ""
        kept.brought += 1
        wanted = Wanted() if kept.app is None else desired.wanted(kept.app, addresses)
        try:
            brought = await self._writer.bring(kept, wanted, seen=seen, create=create)
        except (ApiRefused, ApiCut) as error:
            brought = Brought(problem=str(error))
        except BaseException:
            kept.due = reason or "it was interrupted"
            raise
        if brought.problem and brought.problem != kept.problem:
            self._log.warning("upstream not up to date", upstream=kept.name, reason=brought.problem)
        kept.problem = brought.problem
        if brought.problem or brought.awaited:
            kept.due = reason or "it failed before"
        else:
            kept.thorough = False
        return brought

    async def _difference(self, kept: KeptUpstream) -> str:
        """Why an upstream is not as it should be, empty if it is."""
        addresses = self._resolver.known(kept.names).addresses
        wanted = Wanted() if kept.app is None else desired.wanted(kept.app, addresses)
        try:
            plan = self._writer.plan(kept, wanted, await self._writer.read(kept.name))
        except (ApiRefused, ApiCut) as error:
            return str(error)
        if wanted.unresolved:
            return ""
        if plan.actions:
            first = plan.actions[0]
            return f"differs from the cluster: {first.kind} server {first.server} ({first.reason})"
        leaving = [canonical(one.server) for one in plan.leaving]
        forgotten = [server for server in leaving if server not in kept.draining]
        return f"server {forgotten[0]} was left in drain" if forgotten else ""

    def _keep(self, name: str) -> KeptUpstream:
        return self.kept.setdefault(name, KeptUpstream(name, self._drain.seconds))

    def _drain_seconds(self, app: App) -> float:
        return desired.drain_seconds(app, self._drain.tag, self._drain.seconds)

    def _forget_finished(self, looked_at: Collection[KeptUpstream]) -> None:
        for name in [kept.name for kept in looked_at if kept.finished]:
            self.kept.pop(name, None)


def _briefly(kept: KeptUpstream) -> bool:
    """Whether an upstream's servers are enough to know, without their parameters."""
    return not kept.thorough and not kept.draining
