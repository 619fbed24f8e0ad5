"""Restores after a reload what an operator had set on servers."""

from collections.abc import Sequence

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.report import listed
from drove_gateway.proxies.runtime.servers import Change


async def restore(engine: Engine, states: Sequence[Change], log: EventLog) -> None:
    """Set `states` again, under the engine's lock; servers that left have nothing to set."""
    if not states:
        return
    servers = listed([f"{change.backend}/{change.name}" for change in states])
    try:
        await engine.carry_out(states)
    except RuntimeApiError as error:
        log.write(LogEvent.OPERATOR_STATE_LOST, servers=servers, error=str(error))
    else:
        log.write(LogEvent.OPERATOR_STATE_RESTORED, servers=servers)
