"""Decodes a controller's events: what happened, to which app, and to which instance. Pure.

`GET /v1/cluster/events/latest` lists the events that are newer than the requested time, newest
first, and at most as many as requested: a list of exactly that length was cut, and says nothing
about what is older. The metadata's keys are those of Drove ("Drove's controllers", Events).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from drove_gateway.drove.excerpt import Hide, as_it_is
from drove_gateway.drove.wire import decoded, success
from drove_gateway.model.errors import BadResponse
from drove_gateway.model.spelling import host_spelling

EVENTS_PER_PAGE = 1024
"""How many events are requested at once: Drove's default, which every version accepts."""

# The controller takes the time back as a Java long that is not negative.
_JavaMillis = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

# A controller's `Date` has whole seconds, and a proxy between may put its own clock's there.
_CLOCK_TOLERANCE_MS = 60_000


class Event(msgspec.Struct, frozen=True):
    """An event. `time` is in the controller's epoch milliseconds.

    `kind` is Drove's type, empty for an event that cannot be read. `addresses` are the (host, port)
    of the instance it is about, hosts in their spelling. What an event does not say is empty.
    """

    identity: str
    kind: str
    time: int = 0
    app_id: str = ""
    app_name: str = ""
    state: str = ""
    addresses: tuple[tuple[str, int], ...] = ()


class EventsPage(msgspec.Struct, frozen=True):
    """The events since a requested time, oldest first.

    `last_sync` is the time to request with next, and `is_cut` says that older events were left out.
    `clock` is the controller's own time of the response, in epoch milliseconds, where known.
    """

    last_sync: int
    events: tuple[Event, ...] = ()
    is_cut: bool = False
    clock: int | None = None

    def is_ahead(self, time: int) -> bool:
        """Return whether `time` is in the controller's future, so that its events would be hidden.

        A clock that jumped forward for a moment leaves an event behind that is newer than all that
        follow; with its time as the cursor no later event is listed.
        """
        return self.clock is not None and time > self.clock + _CLOCK_TOLERANCE_MS


class _Page(msgspec.Struct, rename="camel"):
    last_sync_time: _JavaMillis
    events: list[msgspec.Raw] = []


class _WireEvent(msgspec.Struct):
    type: str
    id: str = ""
    time: int = 0
    metadata: Mapping[str, object] | None = None


_PAGE = msgspec.json.Decoder(_Page)
_EVENT = msgspec.json.Decoder(_WireEvent)


def events_page(
    body: bytes, *, requested: int, clock: int | None = None, hide: Hide = as_it_is
) -> EventsPage:
    """Decode a response of `/v1/cluster/events/latest` requested with the time `requested`.

    `clock` is the controller's time of the response. Raises BadResponse. An event that cannot be
    read is of no kind, which may mean anything. The time to continue with is never ahead of the
    events that are listed, nor of the controller's own clock: an absurd one would hide all later
    events.
    """
    page = decoded(_PAGE, success(body, hide), "the response is not a list of events", hide)
    if len(page.events) > EVENTS_PER_PAGE:
        raise BadResponse(
            f"the response lists {len(page.events):,} events, {EVENTS_PER_PAGE:,} were requested"
        )
    # The newest is listed first, also of those that happened in the same millisecond.
    events = tuple(sorted(map(_event, reversed(page.events)), key=lambda event: event.time))
    found = EventsPage(0, events, len(events) == EVENTS_PER_PAGE, clock)
    if page.last_sync_time < requested:
        return msgspec.structs.replace(found, last_sync=page.last_sync_time)
    plausible = [event.time for event in events if requested < event.time <= page.last_sync_time]
    safe = (time for time in reversed(plausible) if not found.is_ahead(time))
    return msgspec.structs.replace(found, last_sync=next(safe, requested))


def _event(raw: msgspec.Raw) -> Event:
    try:
        wire = _EVENT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Event(_unnamed(raw), "")
    metadata = wire.metadata or {}
    return Event(
        identity=wire.id or _unnamed(raw),
        kind=wire.type,
        time=wire.time,
        app_id=_text(metadata, "APP_ID"),
        app_name=_text(metadata, "APP_NAME"),
        state=_text(metadata, "CURRENT_STATE"),
        addresses=tuple(_addresses(_text(metadata, "EXECUTOR_HOST"), _text(metadata, "PORTS"))),
    )


def _unnamed(raw: msgspec.Raw) -> str:
    # Good for comparisons within this process only.
    return f"#{hash(bytes(raw))}"


def _text(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _addresses(host: str, ports: str) -> Iterator[tuple[str, int]]:
    """Yield where the instance listens. `ports` is `NAME:HOSTPORT:TYPE[,…]`."""
    for entry in ports.split(",") if host else ():
        parts = entry.rsplit(":", 2)
        if len(parts) == 3 and parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 5:
            yield host_spelling(host), int(parts[1])
