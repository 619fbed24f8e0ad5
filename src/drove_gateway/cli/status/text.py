"""What `/v1/status` says, as text for a terminal. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from drove_gateway.cli.table import Cell, table, wrapped
from drove_gateway.status.document import (
    HistoryEntry,
    NamespaceStatus,
    SectionStatus,
    StatusDocument,
)

_MOST_APPLIES = 8
_MOST_REJECTED = 5
_MOST_NAMED = 3
_LONGEST = 300
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def lines(document: StatusDocument, where: str, now: datetime, width: int) -> Iterator[str]:
    """The status of the gateway at the URL `where`, in lines of at most `width` characters."""
    yield from _summary(document, where, now, width)
    for section in (
        list(_namespaces(document, now, width)),
        list(_health(document, width)),
        list(_held(document, width)),
        list(_rejected(document, width)),
        list(_applies(document, now, width)),
    ):
        if section:
            yield ""
            yield from section


def one_line(document: StatusDocument, now: datetime) -> str:
    """The gist: health, what the gateway does now, and what it did last."""
    health = "healthy" if document.healthy else "not healthy, see `drove-gateway status`"
    last = "nothing applied yet"
    if document.history:
        apply = document.history[0]
        last = f"last applied {age(now, apply.at)} ago: {what(apply)}"
    return f"{health}, {document.reconciler.state}; {last}"


def age(now: datetime, then: datetime) -> str:
    """The time between, in the one or two units that matter: "12 s", "3 h 5 min"."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


def what(apply: HistoryEntry) -> str:
    """What was done to the proxy at one time, and why."""
    if apply.error:
        return _short(f"failed: {apply.error}")
    parts = []
    counts = Counter(step.action for step in apply.steps if step.reason not in apply.reload_reasons)
    for action, count in counts.items():
        subjects = [step.subject for step in apply.steps if step.action == action]
        named = ", ".join(subjects[:_MOST_NAMED])
        more = f", and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
        parts.append(f"{action} {named}{more}")
    if apply.reload_reasons:
        kept = any(step.action == "keep" for step in apply.steps)
        done = "kept the generation that served already" if kept else "reload"
        parts.append(f"{done}: {', '.join(apply.reload_reasons)}")
    if apply.failed:
        first = apply.failed[0]
        more = f", and {len(apply.failed) - 1} more" if len(apply.failed) > 1 else ""
        parts.append(f"not for {first.vhost}: {first.reason}{more}")
    return _short("; ".join(parts) or "nothing differed")


def _summary(document: StatusDocument, where: str, now: datetime, width: int) -> Iterator[str]:
    well = Cell("healthy", "green") if document.healthy else Cell("NOT HEALTHY", "red")
    up = age(now, document.started)
    text = f"drove-gateway {document.version} at {where}, up {up}: {well.text}"
    for line in wrapped(text, width):
        yield line.replace(well.text, well.painted(well.text))
    draining = f", {document.draining} draining" if document.draining is not None else ""
    served = f"{document.vhosts} vhosts with {document.servers} servers{draining}"
    yield from wrapped(f"{served}; {_work(document, now)}", width)


def _work(document: StatusDocument, now: datetime) -> str:
    work = document.reconciler
    text = work.state
    if work.next_try:
        text += f", next try in {age(work.next_try, now)}"
    return _short(f"{text} ({work.error})" if work.error else text)


def _namespaces(document: StatusDocument, now: datetime, width: int) -> Iterator[str]:
    if not document.namespaces:
        return
    rows = [
        (
            Cell(one.name),
            Cell(one.leader or "-"),
            Cell(f"{age(now, one.last_sync)} ago" if one.last_sync else "never"),
            Cell(_apps(one)),
            _state(one, document),
        )
        for one in document.namespaces
    ]
    yield from table(("NAMESPACE", "LEADER", "ANSWER", "APPS", "STATE"), rows, width)
    for one in document.namespaces:
        if not one.healthy:
            for endpoint in one.endpoints:
                yield from wrapped(f"{endpoint.url}: {endpoint.message}", width, "  ")


def _apps(one: NamespaceStatus) -> str:
    return str(one.apps.with_routing_tag + one.apps.without_routing_tag) if one.apps else "-"


def _state(one: NamespaceStatus, document: StatusDocument) -> Cell:
    stored = document.stored_state.served_from_it
    if one.name in stored:
        return Cell(f"{one.message}; served from the stored state", "red")
    if not one.healthy:
        return Cell(f"{one.message}; the last known apps stay", "red")
    if one.last_error:
        return Cell(_short(one.last_error), "red")
    if one.held:
        return Cell("a withdrawal is held", "yellow")
    if one.settling:
        return Cell("the leader is new and may not know all instances yet", "yellow")
    return Cell("a change is being fetched", "yellow") if one.syncing else Cell("ok", "green")


def _health(document: StatusDocument, width: int) -> Iterator[str]:
    proxy, stored = document.proxy, document.stored_state
    parts = {
        "configuration": proxy.config,
        "template": proxy.template,
        "runtime API": proxy.upstream_updates,
        "name resolution": proxy.resolver,
        "stored state": SectionStatus(stored.healthy, stored.message),
    }
    rows = [
        (
            Cell(name),
            Cell("ok", "green") if part.healthy else Cell("BAD", "red"),
            Cell(_short(part.message.removeprefix("OK").removeprefix(": "))),
        )
        for name, part in parts.items()
    ]
    yield from table(("HEALTH", "", ""), rows, width)


def _held(document: StatusDocument, width: int) -> Iterator[str]:
    if not document.held:
        return
    rows = [
        (
            Cell(one.namespace),
            Cell(str(one.servers)),
            Cell(f"{one.believed_in_seconds:.0f} s"),
            Cell(_short(f"{', '.join(one.vhosts)}: {one.reason}"), "yellow"),
        )
        for one in document.held
    ]
    yield from table(("HELD BACK", "SERVERS", "AT MOST", "WHAT, WHY"), rows, width)
    yield from wrapped("`drove-gateway accept` takes the answers as they are, now", width, "  ")


def _rejected(document: StatusDocument, width: int) -> Iterator[str]:
    rejected = document.rejected
    if not rejected.count:
        return
    rows = [
        (
            Cell(one.namespace),
            Cell(one.app_id),
            Cell(_short(f"{one.subject} {one.value!r}: {one.reason}")),
        )
        for one in rejected.first[:_MOST_REJECTED]
    ]
    yield from table(("LEFT OUT", "APP", "WHAT, WHY"), rows, width)
    if rejected.count > len(rows):
        yield f"  and {rejected.count - len(rows)} more"


def _applies(document: StatusDocument, now: datetime, width: int) -> Iterator[str]:
    if not document.history:
        return
    rows = [
        (
            Cell(f"{age(now, one.at)} ago"),
            Cell(_milliseconds(one.seconds)),
            Cell(_short(_story(one)), "red" if one.error or one.failed else ""),
        )
        for one in document.history[:_MOST_APPLIES]
    ]
    yield from table(("APPLIED", "TOOK", "WHAT, WHY, HOW LONG"), rows, width)


def _story(one: HistoryEntry) -> str:
    """What and why, then what woke the gateway, and how long the stages took."""
    stages = ", ".join(f"{stage} {took * 1000:.0f}" for stage, took in one.stages.items())
    woken = f" [{', '.join(one.triggers)}]" if one.triggers else ""
    return f"{what(one)}{woken}" + (f" ({stages} ms)" if stages else "")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
