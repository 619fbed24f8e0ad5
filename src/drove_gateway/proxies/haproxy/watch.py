"""Which HAProxy process answers, and since when none does."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.server_state import Process
from drove_gateway.proxies.haproxy.servers import Servers


class Watch:
    """Looks at the process behind the socket. Another one has none of the runtime changes.

    `problem` says why the runtime API does not answer, empty while it does.
    """

    def __init__(
        self,
        api: RuntimeApi,
        servers: Servers,
        *,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self.process: Process | None = None
        self.problem = ""
        self._api = api
        self._servers = servers
        self._clock = clock
        self._log = log
        self._silent_since: float | None = None

    def silent_seconds(self) -> float:
        """For how long the runtime API has not answered."""
        return 0.0 if self._silent_since is None else self._clock() - self._silent_since

    async def look(self) -> str:
        """Ask who answers, under the servers' lock; gives what changed, or "".

        Raises RuntimeApiError when nobody does.
        """
        try:
            process = state.process(await self._api.ask(commands.SHOW_INFO))
            before = self.process
            if before is None or process.succeeds(before):
                await self._learn_abilities()
        except RuntimeApiError as error:
            self._fell_silent(str(error))
            raise
        self.process = process
        news = self._answered()
        if before is None or not process.succeeds(before):
            return news
        self._servers.forget()
        self._log.warning(
            "another HAProxy process answers, its servers are read again",
            pid=process.pid,
            earlier_pid=before.pid,
            version=process.version,
        )
        return "HAProxy was restarted or reloaded"

    async def _learn_abilities(self) -> None:
        """What this HAProxy can do; releases differ."""
        offered = await self._api.ask(commands.HELP_WAIT)
        self._servers.can_wait = "\n  wait " in offered

    def _answered(self) -> str:
        if self._silent_since is None:
            return ""
        self._log.info("HAProxy's runtime API answers again", after=self.silent_seconds())
        self._silent_since, self.problem = None, ""
        return "HAProxy's runtime API answers again"

    def _fell_silent(self, problem: str) -> None:
        self.problem = problem
        if self._silent_since is None:
            self._silent_since = self._clock()
            self._log.warning("HAProxy's runtime API does not answer", error=problem)
