"""Brings configurations to a proxy with a runtime API: at runtime where that is enough, else by a
reload.

The rendered text decides. Where the runtime API can bring the proxy from the text that it serves
to the new text, that happens first, and the file follows, checked, off the critical path. Where
the check then refuses the file, the proxy is brought back to what its file has.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import starmap

import msgspec

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import CheckRefused, GatewayError, RenderError, RuntimeApiError
from drove_gateway.model.plan import Plan, Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.doubts import Doubts
from drove_gateway.proxies.installation.installation import Installation, InstallResult
from drove_gateway.proxies.runtime.backend_sync import BackendSync
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.file_rewrite import ConfigFile
from drove_gateway.proxies.runtime.reload_reasons import ReloadReasons
from drove_gateway.proxies.runtime.restoring import restore
from drove_gateway.proxies.runtime.servers import Change
from drove_gateway.proxies.runtime.watch import Watch

_STARTED = "the gateway started"
_UNKNOWN = "it is not known which configuration the proxy serves"


class Loader:
    """Decides between the runtime API and a reload, and has either done.

    `doubts` are reasons to compare the whole configuration with what the proxy serves.
    `backends` is None where the proxy's runtime API is not known to change backends.
    """

    def __init__(
        self,
        engine: Engine,
        watch: Watch,
        installation: Installation,
        file: ConfigFile,
        backends: BackendSync | None,
        *,
        log: EventLog,
    ) -> None:
        self.doubts = Doubts(_STARTED)
        self._engine = engine
        self._watch = watch
        self._installation = installation
        self._file = file
        self._backends = backends
        self._log = log
        self._structural: tuple[str, ...] = ()
        self._first_line = ""
        self._expects_reload = False
        self._may_try = False
        self._is_unknown = False

    @property
    def can_try_at_runtime(self) -> bool:
        """Whether changes of vhosts and backends may need no reload, as far as is known."""
        backends = self._backends
        return backends is not None and backends.able and not self._expects_reload

    @property
    def pending(self) -> bool:
        """Whether the last plan has changes of vhosts or backends to be tried at runtime."""
        return bool(self._structural) and self._may_try

    def joining(self, desired: Topology) -> Mapping[str, str]:
        """Return the backends with new servers that wait for the text for `desired`, since only
        that has their options, each with its first such server."""
        if self._backends is None or not self._backends.able:
            return {}
        return self._backends.joining(desired)

    def plan(
        self, desired: Topology, needed: ReloadReasons, doubts: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        """Return the reasons to reload, and the steps of what is tried at runtime."""
        installation, adapter = self._installation, self._engine.adapter
        unknown = () if self._backends is None or doubts else self._backends.reasons
        joining = self.joining(desired)
        structural = (*needed.structural, *unknown, *starmap(_joins, joining.items()))
        only_joins = bool(joining) and not (needed.structural or unknown)
        self._may_try = self.can_try_at_runtime or only_joins
        self._structural = installation.reload_reasons(structural)
        reasons: tuple[str, ...] = (*doubts, *needed.forced)
        steps: tuple[Step, ...] = ()
        if self._structural and (reasons or not self._may_try):
            line = (self._first_line,) if self._first_line else ()
            reasons = (*doubts, *structural, *line, *needed.forced)
        else:
            action = f"change {adapter.backend_noun}s"
            steps = tuple(Step(action, adapter.name, reason) for reason in self._structural)
        return installation.reload_reasons(reasons), steps

    def reasons(self, plan: Plan, installed: InstallResult) -> tuple[str, ...]:
        """Return what the history gives as the reasons of an install."""
        return plan.reload or (() if installed.needs_reload else self._structural)

    def changes(self) -> Sequence[Change]:
        """Return what was done to whole backends since the last call."""
        return () if self._backends is None else self._backends.take()

    async def install(self, plan: Plan, wake: Callable[[str], None]) -> InstallResult:
        """Bring the proxy to the configuration of `plan`. Raises GatewayError."""
        if self._backends is not None:
            due = self._engine.desired.due(plan.desired)
            self._backends.patience = {each.name: each.patience for each in due}
        try:
            if not plan.reload and (hastened := await self._hasten(plan)) is not None:
                return hastened
            # Changes made over the runtime API during a reload could be lost: they wait.
            async with self._file.lock, self._engine.lock:
                return await self._install(plan, wake)
        finally:
            self._engine.replan()

    async def _hasten(self, plan: Plan) -> InstallResult | None:
        """Act on the rendered text before its check, where the runtime API is enough."""
        backends = self._backends
        if backends is None or not self._may_try:
            return None
        async with self._engine.lock:
            try:
                news = await self._watch.look()
            except RuntimeApiError:
                return None
            if news or backends.outdated:
                # Another process may have loaded another file: the whole is compared.
                return None
            result = await self._installation.hasten(plan.desired, backends)
        if result is not None:
            self._first_line = ""
            self._file.request(plan.desired)
        return result

    async def _install(self, plan: Plan, wake: Callable[[str], None]) -> InstallResult:
        at_runtime = self._backends if self._may_avoid_reload(plan) else None
        states = await self._engine.operator_states() if plan.reload else ()
        try:
            result = await self._installation.install(
                plan.desired, at_runtime, may_reload=bool(plan.reload)
            )
        except GatewayError as error:
            if not isinstance(error, CheckRefused | RenderError):
                self._engine.doubt(f"{self._engine.adapter.name} may have been reloaded")
            raise
        if at_runtime is not None and at_runtime.outdated and not result.reloaded:
            # The backends of another process could not be compared with the text.
            self._installation.forget_served()
            result = msgspec.structs.replace(result, needs_reload=True)
        if result.needs_reload:
            self._note_first_line(result.first_line)
            wake(f"{result.first_line} needs a reload" if result.first_line else _UNKNOWN)
            return result
        self._first_line, self._is_unknown = "", False
        self._expects_reload = bool(result.first_line)
        self._file.reloaded()
        self.doubts.resolve()
        if result.reloaded:
            await self._watch.reloaded()
            if self._backends is not None:
                self._backends.loaded()
            await restore(self._engine, states, self._log)
        return result

    def _note_first_line(self, line: str) -> None:
        """Remember which line needs a reload, or that it is not known what the proxy serves.

        A proxy that was just restarted may say it a moment later.
        """
        self._first_line = line or (_UNKNOWN if self._is_unknown else "")
        self._is_unknown = not line
        self._expects_reload = bool(self._first_line)

    def _may_avoid_reload(self, plan: Plan) -> bool:
        """Whether nothing but the text of the configuration can require a reload."""
        backends = self._backends
        if backends is None:
            return False
        reasons = set(plan.reload) - set(self.doubts.reasons)
        return not reasons or (backends.able and reasons <= {*self._structural, self._first_line})


def _joins(backend: str, server: str) -> str:
    return f"{server} joins {backend}, whose servers have options of their own"
