"""Restores after a reload what an operator had set on servers."""

from collections.abc import Sequence

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.report import listed
from drove_gateway.proxies.runtime.servers import Change


async def restore(engine: Engine, states: Sequence[Change], log: FilteringBoundLogger) -> None:
    """Set `states` again, under the engine's lock; servers that left have nothing to set."""
    if not states:
        return
    servers = listed([f"{change.backend}/{change.name}" for change in states])
    try:
        await engine.carry_out(states)
    except RuntimeApiError as error:
        lost = "what an operator set on servers was lost by a reload; set it again"
        log.error(lost, servers=servers, error=str(error))  # noqa: TRY400 - no traceback
    else:
        log.info("what an operator had set was restored after a reload", servers=servers)
