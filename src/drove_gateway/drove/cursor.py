"""When endpoints are to be fetched, and which, so that no change is ever missed. Pure; times are
monotonic.

What makes this delicate (Drove's controllers):
- Events are recorded some time after they were stamped, and one that is stamped at or before the
  time that is requested with is never listed. So the cursor moves only over changes whose endpoints
  were accepted, and only when the same request, repeated some seconds later, could list all events
  that were late. Events seen before are recognised by their ids.
- A list of as many events as were requested was cut: what is older is unknown.
- An event may be listed before `/v1/endpoints` shows what it says. So fetching is repeated for
  some seconds after a change.
- `EXECUTOR_REMOVED` is published before the executor's instances are gone, and nothing follows.
- A new leader responds before it knows its instances, and its store of events starts empty.
- `/v1/endpoints` also changes without an event. So it is fetched from time to time regardless.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from drove_gateway.drove.events import EVENTS_PER_PAGE, Event, EventsPage
from drove_gateway.drove.scope import EVERYTHING, Scope, scope_of, together
from drove_gateway.model.drove_facts import SETTLING_SECONDS

# Of these types none says anything about endpoints; a type that is not known here may.
_IRRELEVANT = frozenset(
    {
        "TASK_STATE_CHANGE",
        "LOCAL_SERVICE_STATE_CHANGE",
        "LOCAL_SERVICE_INSTANCE_STATE_CHANGE",
        "EXECUTOR_BLACKLIST_REQUESTED",
        "EXECUTOR_BLACKLISTED",
        "EXECUTOR_UN_BLACKLISTED",
        "LEADERSHIP_LOST",
    }
)
# These change the endpoints of the app that they name, and of no other.
_OF_AN_APP = frozenset({"APP_STATE_CHANGE", "INSTANCE_STATE_CHANGE"})

# Seconds after a change was noticed at which endpoints are fetched again. Those after a take-over
# continue past its end, so that the last response is that of a leader that has settled.
_AFTER_CHANGE = (1, 3, 6)
_AFTER_EXECUTOR_LOSS = (1, 3, 6, 10, 20, 30, 40, 50, 60)
_AFTER_FIRST_SIGHT = (1, 3, 6, 10, 20, 30, 40, 50, 60, 70, 80, 91)
_AFTER_TAKEOVER = tuple(range(1, int(SETTLING_SECONDS) + 2))

# How late an event may be recorded and still be seen at once.
_LATE_SECONDS = 3.0

_PAUSE_AFTER_REFUSAL = 1.0

# More than a page has, also when the events are read from the start again.
_MOST_SEEN = 4 * EVENTS_PER_PAGE


class Due(msgspec.Struct, frozen=True):
    """A fetch of `scope` is owed from `at`."""

    at: float
    scope: Scope


class Proof(msgspec.Struct, frozen=True):
    """The endpoints of all events up to `sync` are accepted, and were requested at `at`."""

    sync: int
    at: float


class Cursor(msgspec.Struct, frozen=True):
    """How far a leader's events were read, and when its endpoints are due.

    `last_sync` is what is sent as `lastSyncTime`: 0, or what the leader gave, never our clock.
    `seen` are the ids of the latest events, None before the first look, and `newest` the time that
    the page allows to continue with. `proof` is where the cursor moves next; `unaccepted` says that
    a change is known whose endpoints were not accepted. `due` is in order; `refresh_at` is the time
    of the next fetch without any reason. `changed_at` is when the last change was noticed.
    """

    last_sync: int = 0
    seen: Mapping[str, None] | None = None
    newest: int = 0
    proof: Proof | None = None
    unaccepted: bool = False
    due: tuple[Due, ...] = ()
    refresh_at: float = math.inf
    settling_until: float = -math.inf
    changed_at: float = -math.inf

    def is_due(self, now: float) -> bool:
        """Whether endpoints are to be fetched at `now`."""
        return self.refresh_at <= now or self._owes(now)

    def is_audit(self, now: float) -> bool:
        """Whether the fetch at `now` has no reason, so that its result should be known."""
        return self.refresh_at <= now and not self._owes(now)

    def scope(self, now: float) -> Scope:
        """Return what is to be fetched at `now`, when a fetch is due."""
        owed = [due.scope for due in self.due if due.at <= now]
        if self.refresh_at <= now or not owed:
            return EVERYTHING
        return _union(owed)

    def is_settling(self, now: float) -> bool:
        """Return whether a response at `now` may miss instances that the leader will learn of."""
        return now < self.settling_until

    def fresh(self, page: EventsPage) -> tuple[Event, ...]:
        """The events of `page` that were not seen before, oldest first."""
        seen = self.seen or {}
        return tuple(event for event in page.events if event.identity not in seen)

    def owing(self, now: float, scope: Scope = EVERYTHING) -> Self:
        """A fetch is due at once, whatever the events say."""
        return msgspec.structs.replace(self, unaccepted=True)._plan(now, scope, now)

    def reread(self) -> Self:
        """Read the events from the start again: some may be hidden behind the cursor."""
        return msgspec.structs.replace(self, last_sync=0, newest=0, proof=None)

    def looked(self, page: EventsPage, now: float) -> Self:
        """The leader responded with `page`, requested with `last_sync`."""
        fresh = self.fresh(page)
        looked = msgspec.structs.replace(self, seen=self._seen_with(fresh), newest=page.last_sync)
        if page.last_sync < self.last_sync:
            # A store that was emptied: the leadership was lost and regained since the last look.
            return looked.reread().taken_over(now)
        if page.is_ahead(self.last_sync):
            return looked.reread().owing(now)._repeat(now, EVERYTHING, _AFTER_CHANGE)
        if self.seen is not None:
            looked = looked._follow(fresh, page, now)
            if any(event.kind == "LEADERSHIP_ACQUIRED" for event in fresh):
                looked = looked.taken_over(now)
        return looked._progress(now)

    def found(self, now: float) -> Self:
        """The leader led before we looked: most likely for long, yet it may be new as well."""
        return self.owing(now)._repeat(now, EVERYTHING, _AFTER_FIRST_SIGHT)

    def taken_over(self, now: float) -> Self:
        """The leader is new: for a while its endpoints are fetched as often as possible."""
        settling = msgspec.structs.replace(self, settling_until=now + SETTLING_SECONDS)
        return settling.owing(now)._repeat(now, EVERYTHING, _AFTER_TAKEOVER)

    def accepted(self, started: float, refresh_at: float) -> Self:
        """What was due at `started`, after `looked`, was fetched and accepted.

        `refresh_at` counts only where everything was fetched.
        """
        whole = self.scope(started) is EVERYTHING
        return msgspec.structs.replace(
            self,
            due=self._later(started),
            refresh_at=refresh_at if whole else self.refresh_at,
            unaccepted=False,
        )._prove(started)

    def refused(self, started: float) -> Self:
        """What was due at `started` was fetched, but not accepted: fetch it again."""
        scope = self.scope(started)
        waiting = msgspec.structs.replace(
            self,
            due=self._later(started),
            refresh_at=math.inf if scope is EVERYTHING else self.refresh_at,
            unaccepted=True,
        )
        return waiting._plan(started, scope, started + _PAUSE_AFTER_REFUSAL)

    def _owes(self, now: float) -> bool:
        return bool(self.due and self.due[0].at <= now)

    def _later(self, started: float) -> tuple[Due, ...]:
        return tuple(due for due in self.due if due.at > started)

    def _seen_with(self, fresh: tuple[Event, ...]) -> Mapping[str, None]:
        if self.seen is not None and not fresh:
            return self.seen
        seen = {**(self.seen or {}), **dict.fromkeys(event.identity for event in fresh)}
        for identity in list(seen)[: max(0, len(seen) - _MOST_SEEN)]:
            del seen[identity]
        return seen

    def _follow(self, fresh: tuple[Event, ...], page: EventsPage, now: float) -> Self:
        relevant = changes(fresh)
        if not relevant and not (fresh and page.is_cut):
            return self
        scope = EVERYTHING if page.is_cut else _scope(relevant)
        removed = any(event.kind == "EXECUTOR_REMOVED" for event in relevant) or page.is_cut
        offsets = _AFTER_EXECUTOR_LOSS if removed else _AFTER_CHANGE
        changed = msgspec.structs.replace(self, changed_at=now)
        return changed.owing(now, scope)._repeat(now, scope, offsets)

    def _progress(self, now: float) -> Self:
        """Move to the proof when no event can be late any more; prove what needs no fetch."""
        proof = self.proof
        if proof is not None and self.newest < proof.sync:
            return msgspec.structs.replace(self, proof=None)
        if proof is not None and now >= proof.at + _LATE_SECONDS:
            moved = msgspec.structs.replace(self, last_sync=proof.sync, proof=None)
            return moved if moved.unaccepted else moved._prove(now)
        return self if self.unaccepted else self._prove(now)

    def _prove(self, at: float) -> Self:
        if self.proof is not None or self.newest <= self.last_sync:
            return self
        return msgspec.structs.replace(self, proof=Proof(self.newest, at))

    def _repeat(self, now: float, scope: Scope, offsets: tuple[int, ...]) -> Self:
        # Whole seconds, so that a flood of changes cannot make the list long.
        return self._plan(now, scope, *(float(math.ceil(now + offset)) for offset in offsets))

    def _plan(self, now: float, scope: Scope, *times: float) -> Self:
        planned: dict[float, Scope] = {}
        for due in (*self.due, *(Due(time, scope) for time in times)):
            at = max(due.at, now)
            planned[at] = together(planned[at], due.scope) if at in planned else due.scope
        ordered = tuple(Due(at, planned[at]) for at in sorted(planned))
        return msgspec.structs.replace(self, due=ordered)


def changes(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events that may change endpoints."""
    return tuple(event for event in events if event.kind not in _IRRELEVANT)


def _scope(relevant: Iterable[Event]) -> Scope:
    if all(event.kind in _OF_AN_APP for event in relevant):
        return scope_of(event.app_name for event in relevant)
    return EVERYTHING


def _union(scopes: Iterable[Scope]) -> Scope:
    first, *others = scopes
    for scope in others:
        first = together(first, scope)
    return first
