"""Brings one upstream to what it should be: read, plan, call, and believe only the answers."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from drove_gateway.model.plan import Step
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.desired import Wanted
from drove_gateway.proxies.nginx.plus.gate import Gate
from drove_gateway.proxies.nginx.plus.kept import KeptUpstream
from drove_gateway.proxies.nginx.plus.planner import Action, Parameters, UpstreamPlan, plan_upstream
from drove_gateway.proxies.nginx.plus.wire import Server, canonical

# How often an upstream is read again because it was not what it had been read as.
_ATTEMPTS = 3
_GIVES = frozenset({"ready", "add", "change"})


class Observed(msgspec.Struct, frozen=True):
    """An upstream as it was read. Not `found`: missing, or empty with a state file."""

    servers: Sequence[Server] = ()
    found: bool = True


MISSING = Observed(found=False)


class Brought(msgspec.Struct, frozen=True):
    """What was done to an upstream, and why it is not yet as it should be, if it is not.

    `awaited` says that NGINX has no such upstream yet, and that none was to be created.
    """

    steps: tuple[Step, ...] = ()
    problem: str = ""
    awaited: bool = False


class _Outdated(Exception):
    """The upstream is not what it was read as; it has to be read again."""


class Writer:
    """Changes upstreams, each by one call after the other, none while NGINX reloads."""

    def __init__(
        self, client: Client, gate: Gate, parameters: Parameters, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._gate = gate
        self._parameters = parameters
        self._clock = clock

    async def read(self, upstream: str) -> Observed:
        """Read an upstream's servers with their parameters. Raises RuntimeApiError."""
        try:
            return Observed(await self._client.servers(upstream))
        except ApiRefused as error:
            if error.code == "UpstreamNotFound":
                return MISSING
            raise

    def plan(self, kept: KeptUpstream, wanted: Wanted, seen: Observed) -> UpstreamPlan:
        """What has to be done to an upstream that was read as `seen`."""
        return plan_upstream(
            wanted.servers,
            seen.servers,
            self._parameters,
            ours=kept.draining,
            drain_first=kept.drain_seconds > 0,
        )

    async def bring(
        self, kept: KeptUpstream, wanted: Wanted, *, seen: Observed | None, create: bool
    ) -> Brought:
        """Bring an upstream to `wanted`; `seen` spares reading it.

        With `create`, an upstream that is not found is given its servers nevertheless: one whose
        state file is empty answers as if it did not exist. Raises ApiDown, or RuntimeApiError
        where reading is refused; a refused change is the answer's `problem`.
        """
        steps: list[Step] = []
        drained: frozenset[str] | None = None
        async with kept.lock, self._gate.writing():
            for _ in range(_ATTEMPTS):
                try:
                    now = seen or await self.read(kept.name)
                    if not now.found and not create:
                        return Brought(awaited=True)
                    # Who was put in drain meanwhile was it by a call of ours that went astray.
                    drained, before = _drained(now), drained
                    if before is not None:
                        kept.draining.update(dict.fromkeys(drained - before, self._clock()))
                    problem = await self._once(kept, wanted, now, steps)
                    return Brought(tuple(steps), problem)
                except (ApiCut, _Outdated) as error:
                    seen, last = None, error
        return Brought(tuple(steps), f"{last}, {_ATTEMPTS} times in a row")

    async def _once(
        self,
        kept: KeptUpstream,
        wanted: Wanted,
        seen: Observed,
        steps: list[Step],
    ) -> str:
        plan = self.plan(kept, wanted, seen)
        still_drained = {one.server for one in plan.actions if one.kind == "ready"}
        for server in kept.draining.keys() & set(wanted.servers) - still_drained:
            del kept.draining[server]
        placed = {canonical(one.server) for one in seen.servers} & set(wanted.servers)
        problem = await self._give(kept, plan.actions, placed, steps)
        if wanted.servers and not placed:
            return problem or "no server could be added"
        if wanted.unresolved:
            # Which of the other servers stand for these names cannot be told: all stay.
            return problem or f"no address for {', '.join(wanted.unresolved)}"
        deadline = self._clock() + kept.drain_seconds
        for one in plan.leaving:
            kept.draining.setdefault(canonical(one.server), deadline)
        return problem or await self._take(kept, plan.actions, placed, steps)

    async def _give(
        self, kept: KeptUpstream, actions: Iterable[Action], placed: set[str], steps: list[Step]
    ) -> str:
        problem = ""
        for action in actions:
            if action.kind not in _GIVES:
                continue
            try:
                await self._give_one(kept, action)
            except ApiRefused as error:
                if error.code in {"UpstreamServerNotFound", "EntryExists"}:
                    raise _Outdated(str(error)) from error
                problem = problem or f"server {action.server}: {error}"
                if not error.code.startswith("UpstreamBad"):
                    break
            else:
                placed.add(action.server)
                steps.append(action.step(kept.name))
        return problem

    async def _take(
        self, kept: KeptUpstream, actions: Iterable[Action], placed: set[str], steps: list[Step]
    ) -> str:
        for action in actions:
            if action.kind in _GIVES:
                continue
            try:
                await self._take_one(kept, action, placed)
            except ApiRefused as error:
                if error.code == "UpstreamServerNotFound":
                    raise _Outdated(str(error)) from error
                return f"server {action.server}: {error}"
            steps.append(action.step(kept.name))
        return ""

    async def _give_one(self, kept: KeptUpstream, action: Action) -> None:
        if action.id is None:
            _expect(action, await self._client.add(kept.name, action.server, dict(action.fields)))
        elif action.kind == "change":
            _expect(action, await self._client.change(kept.name, action.id, dict(action.fields)))
        else:
            answer = await self._client.change(kept.name, action.id, {"drain": False})
            _expect(action, answer)
            if answer.drain:
                await self._replace(kept, action, answer)
            kept.draining.pop(action.server, None)

    async def _replace(self, kept: KeptUpstream, action: Action, drained: Server) -> None:
        """A server that stays in drain makes way for a new one of the same address."""
        fields = msgspec.structs.asdict(self._parameters)
        _expect(action, await self._client.add(kept.name, action.server, fields))
        await self._client.delete(kept.name, drained.id)

    async def _take_one(self, kept: KeptUpstream, action: Action, placed: set[str]) -> None:
        if action.id is None:
            return
        if action.kind == "drain":
            answer = await self._client.change(kept.name, action.id, {"drain": True})
            if canonical(answer.server) != action.server:
                # Claimed, so that it is made ready again when the upstream is read anew.
                kept.draining[canonical(answer.server)] = self._clock()
            _expect(action, answer)
            return
        remaining = await self._client.delete(kept.name, action.id)
        if not placed <= {canonical(one.server) for one in remaining}:
            raise _Outdated(f"deleting server {action.server} removed another one")


def _drained(seen: Observed) -> frozenset[str]:
    return frozenset(canonical(one.server) for one in seen.servers if one.drain)


def _expect(action: Action, answer: Server) -> None:
    """Ids are given anew by every reload: the answer tells whom the call really met."""
    if canonical(answer.server) != action.server:
        raise _Outdated(f"the call for server {action.server} met {answer.server}")
