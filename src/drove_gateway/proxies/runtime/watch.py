"""Which process of the proxy answers, and since when none does."""

import asyncio
from collections.abc import Callable

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.servers import Process

_NEW_PROCESS_SECONDS = 3.0
_NEW_PROCESS_PAUSE_SECONDS = 0.02


class Watch:
    """Looks at the process that answers. Another one has none of the runtime changes.

    `problem` says why the runtime API does not answer, empty while it does. `first_seen` is set
    when the process is new to the gateway. `foreign_loads` counts those that others started.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float], log: EventLog) -> None:
        self.problem = ""
        self.first_seen = asyncio.Event()
        self.foreign_loads = 0
        self._process: Process | None = None
        self._has_looked = False
        self._engine = engine
        self._adapter = engine.adapter
        self._clock = clock
        self._log = log
        self._silent_since: float | None = None

    def silent_seconds(self) -> float:
        """For how long the runtime API has not answered."""
        return 0.0 if self._silent_since is None else self._clock() - self._silent_since

    async def look(self) -> str:
        """Ask which process answers, under the engine's lock; return what changed, or "".

        Raises RuntimeApiError when none does.
        """
        begin = self._clock()
        try:
            process = await self._adapter.identify()
        except RuntimeApiError as error:
            self._fell_silent(str(error), begin)
            raise
        news = self._answered()
        before = self._process
        if before is None or process is None:
            if not self._has_looked:
                self.first_seen.set()
            self._process, self._has_looked = process or before, True
            return news
        happened = self._adapter.replaced(before, process)
        if not happened:
            return news
        self._process = process
        self.foreign_loads += 1
        self._engine.forget()
        self.first_seen.set()
        self._log.write(
            LogEvent.PROXY_REPLACED,
            proxy=self._adapter.name,
            reason=happened,
            pid=process.pid,
            earlier_pid=before.pid,
            version=process.version,
        )
        return happened

    async def reloaded(self) -> None:
        """Wait until the process after a reload answers: a reload may end before that.

        Gives up after a while, and at once where the API was silent before: a later look then
        finds the new process.
        """
        before, self._process = self._process, None
        self._engine.forget()
        self.first_seen.set()
        deadline = self._clock() + _NEW_PROCESS_SECONDS
        while self._clock() < deadline:
            await self._adapter.reconnect()
            try:
                process = await self._adapter.identify()
            except RuntimeApiError:
                if self.problem:
                    return
                await asyncio.sleep(_NEW_PROCESS_PAUSE_SECONDS)
                continue
            if process is None or before is None or self._adapter.replaced(before, process):
                self._process = process
                if process is not None:
                    self._log.write(
                        LogEvent.PROXY_RELOADED, proxy=self._adapter.name, pid=process.pid
                    )
                return
            await asyncio.sleep(_NEW_PROCESS_PAUSE_SECONDS)
        self._log.write(LogEvent.NEW_PROCESS_NOT_SEEN, proxy=self._adapter.name)

    def _answered(self) -> str:
        if self._silent_since is None:
            return ""
        news = f"{self._adapter.name}'s runtime API answers again"
        self._log.write(
            LogEvent.RUNTIME_API_BACK,
            proxy=self._adapter.name,
            after_sec=round(self.silent_seconds(), 1),
        )
        self._silent_since, self.problem = None, ""
        self._engine.doubt(news)
        return news

    def _fell_silent(self, problem: str, since: float) -> None:
        self.problem = problem
        if self._silent_since is None:
            self._silent_since = since
            self._log.write(LogEvent.RUNTIME_API_SILENT, proxy=self._adapter.name, error=problem)
