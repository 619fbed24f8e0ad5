"""What happened between two statuses, for the time line: leaders, holds, announcements. Pure."""

from collections.abc import Iterator
from itertools import islice

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.records import Happening
from drove_gateway.model.vocabulary import Announced
from drove_gateway.model.wording import count_of, first_and_more
from drove_gateway.status.status import Status

_MOST = 20
_MOST_NAMED = 5


def happenings(before: Status, after: Status, now: float) -> tuple[Happening, ...]:
    """Return what happened; `now` is in Unix seconds. At most 20 of a kind are returned."""
    return (
        *(Happening(now, "leader", text) for text in islice(_leaders(before, after), _MOST)),
        *(Happening(now, "hold", text) for text in islice(_holds(before, after), _MOST)),
        *(Happening(now, "announced", text) for text in islice(_announced(before, after), _MOST)),
    )


def _leaders(before: Status, after: Status) -> Iterator[str]:
    if before.namespaces is after.namespaces:
        return
    known = {view.name: view for view in before.namespaces}
    for view in after.namespaces:
        was, now = _leader(known.get(view.name)), _leader(view)
        if was != now:
            yield f"namespace {view.name}: {now or 'no controller'} leads" + (
                f", before it {was}" if was else ""
            )


def _leader(view: NamespaceView | None) -> str:
    return view.leader.endpoint if view is not None and view.leader else ""


def _holds(before: Status, after: Status) -> Iterator[str]:
    if before.held is after.held:
        return
    was = {(each.namespace, each.vhosts): each for each in before.held}
    now = {(each.namespace, each.vhosts): each for each in after.held}
    yield from (
        f"{_of(held)} on hold: {held.reason}" for key, held in now.items() if key not in was
    )
    yield from (f"{_of(held)} no longer on hold" for key, held in was.items() if key not in now)


def _of(held: HeldWithdrawal) -> str:
    return f"{count_of(held.servers, 'server')} of {', '.join(held.vhosts)}"


def _announced(before: Status, after: Status) -> Iterator[str]:
    if before.built is after.built:
        return
    for name, part in after.built.parts.items():
        known = before.built.parts.get(name)
        was = known.snapshot.announced if known is not None else Announced()
        now = part.snapshot.announced
        if now is was:
            continue
        for app, state in sorted(now.apps.items()):
            if was.apps.get(app) != state:
                yield f"Drove announced app {app} of namespace {name}: {state}"
        if leaving := sorted(now.instances - was.instances):
            named = [f"{host}:{port}" for host, port in leaving]
            yield (
                f"Drove announced {count_of(len(leaving), 'instance')} of namespace {name} as "
                f"leaving: {first_and_more(named, _MOST_NAMED, separator=', ')}"
            )
