"""Notices that NGINX was restarted, or reloaded by someone else, and that it went and came."""

import asyncio
from http import HTTPStatus

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.nginx.plus.client import ApiRefused, Client
from drove_gateway.proxies.nginx.plus.wire import Identity

_ASK_AGAIN_SECONDS = 0.02
_MOST_SECONDS = 5.0
_NOT_OFFERED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


def replaced(before: Identity, now: Identity) -> str:
    """What happened to NGINX between the two, empty for nothing.

    For a moment after a reload, workers of the generation before still answer: that is nothing.
    """
    if now.ppid != before.ppid:
        return "NGINX was restarted"
    if now.generation > before.generation:
        return "NGINX was reloaded"
    return ""


class Watch:
    """Asks NGINX for its identity. `unreachable` says why it does not answer, if it does not."""

    def __init__(self, client: Client, log: FilteringBoundLogger) -> None:
        self.known: Identity | None = None
        self.unreachable = ""
        self._client = client
        self._log = log

    async def learn(self) -> None:
        """Remember who answers now, if that is not known. Raises RuntimeApiError."""
        if self.known is None:
            self.known = await self._ask()

    async def look(self) -> str:
        """What happened since the last look, empty for nothing."""
        try:
            now = await self._ask()
        except RuntimeApiError as error:
            if not self.unreachable:
                self._log.error("NGINX Plus's API does not answer", reason=str(error))
            self.unreachable = str(error)
            return ""
        returned, self.unreachable = bool(self.unreachable), ""
        happened = "NGINX Plus's API answers again" if returned else ""
        if now is not None and self.known is not None:
            happened = replaced(self.known, now) or happened
        if self.known is None or happened:
            self.known = now
        if happened:
            self._log.warning(happened, build=now.build if now else "unknown")
        return happened

    async def _ask(self) -> Identity | None:
        """None where the location offers upstreams only: then audits alone find what happened."""
        try:
            return await self._client.identity()
        except ApiRefused as error:
            if error.status in _NOT_OFFERED and error.code != "UnknownVersion":
                return None
            raise

    async def reloaded(self) -> None:
        """Wait until the workers of a new generation answer, over new connections.

        Gives up after a while: the next `look` then finds the new generation.
        """
        before, self.known = self.known, None
        await self._client.forget_connections()
        if before is None:
            return
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                while (now := await self._ask()) is not None and not replaced(before, now):
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)
                    await self._client.forget_connections()
        except (TimeoutError, RuntimeApiError) as error:
            self._log.warning(
                "NGINX Plus's API does not show the new generation", reason=str(error)
            )
