"""What Drove announced about instances and apps that leave. Pure; times are monotonic.

A withdrawal that was announced is believed. Whenever an instance changes its state, an event names
it; a deliberate scale-down, replacement or suspension therefore announces each instance that
leaves. What happens without a word (a new leader's gaps, a lost executor's instances) is not
announced, and no event of such an accident may pass for an announcement.
"""

from collections.abc import Iterable, Mapping
from typing import Self, TypeVar

import msgspec

from drove_gateway.drove.events import Event
from drove_gateway.model.vocabulary import NOTHING_ANNOUNCED, Announced

T = TypeVar("T")

_HEALTHY = "HEALTHY"

# An app's states in which somebody wants its instances, or some of them, to leave.
_EXPLAINING = frozenset(
    {
        "SCALING_REQUESTED",
        "STOP_INSTANCES_REQUESTED",
        "REPLACE_INSTANCES_REQUESTED",
        "DESTROY_REQUESTED",
        "DESTROYED",
        "MONITORING",
    }
)
# Drove found instances missing, for whatever reason, and scales the app up to replace them.
_OUTAGE = "OUTAGE_DETECTED"
_REPAIR = "SCALING_REQUESTED"

# An event may be listed before the endpoints follow it: so long its announcement stays. The repair
# of an outage may be requested much later.
_FOLLOWS_SECONDS = 10.0
_OUTAGE_SECONDS = 120.0
# A response that does not list a new instance is incomplete for so long.
_ARRIVES_SECONDS = 60.0

# Of each kind, so that a controller cannot fill the memory.
_MOST = 50_000


class _Mark(msgspec.Struct, frozen=True):
    """An announced state. A response requested after `until` follows it, if any does."""

    state: str
    until: float
    app_name: str = ""


class Announcements(msgspec.Struct, frozen=True):
    """The announcements that may still explain a withdrawal, by instance and by app.

    Instances that became HEALTHY are among them: they explain that a response is incomplete.
    """

    instances: Mapping[tuple[str, int], _Mark] = {}
    apps: Mapping[str, _Mark] = {}

    def heard(self, events: Iterable[Event], now: float, *, settling: bool) -> Self:
        """Add `events`, oldest first. A leader that is `settling` explains nothing about apps.

        It recovers every app, and its events about that look like those of a change.
        """
        instances, apps = dict(self.instances), dict(self.apps)
        for event in events:
            if event.kind == "INSTANCE_STATE_CHANGE" and event.state:
                _note_instance(instances, event, now)
            elif event.kind == "APP_STATE_CHANGE" and event.app_id and not settling:
                _note_app(apps, event, now)
        return type(self)(_newest(instances), _newest(apps))

    def accepted(self, started: float) -> Self:
        """A response requested at `started` was accepted: forget what it should have followed."""
        return type(self)(_after(self.instances, started), _after(self.apps, started))

    @property
    def announced(self) -> Announced:
        """What explains withdrawals now."""
        apps = {app: mark.state for app, mark in self.apps.items() if mark.state in _EXPLAINING}
        if not apps and not self.instances:
            return NOTHING_ANNOUNCED
        marks = self.instances
        return Announced(
            frozenset(address for address, mark in marks.items() if mark.state != _HEALTHY),
            apps,
            frozenset(mark.app_name for mark in marks.values() if mark.state == _HEALTHY),
        )


def _note_instance(instances: dict[tuple[str, int], _Mark], event: Event, now: float) -> None:
    for address in event.addresses:
        instances.pop(address, None)
        if event.state != _HEALTHY:
            instances[address] = _Mark(event.state, now + _FOLLOWS_SECONDS)
        elif event.app_name:
            instances[address] = _Mark(_HEALTHY, now + _ARRIVES_SECONDS, event.app_name)


def _note_app(apps: dict[str, _Mark], event: Event, now: float) -> None:
    before = apps.pop(event.app_id, None)
    if event.state == _OUTAGE:
        apps[event.app_id] = _Mark(_OUTAGE, now + _OUTAGE_SECONDS)
    elif before is not None and before.state == _OUTAGE and event.state == _REPAIR:
        apps[event.app_id] = before
    elif event.state in _EXPLAINING:
        apps[event.app_id] = _Mark(event.state, now + _FOLLOWS_SECONDS)
    elif before is not None and before.state in _EXPLAINING:
        # The change is complete, and the endpoints may still have to follow it.
        apps[event.app_id] = before


def _after(marks: Mapping[T, _Mark], started: float) -> Mapping[T, _Mark]:
    if all(mark.until >= started for mark in marks.values()):
        return marks
    return {key: mark for key, mark in marks.items() if mark.until >= started}


def _newest(marks: dict[T, _Mark]) -> Mapping[T, _Mark]:
    for key in list(marks)[: max(0, len(marks) - _MOST)]:
        del marks[key]
    return marks
