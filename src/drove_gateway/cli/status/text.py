"""The document of `/v1/status` as text for a terminal. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from drove_gateway.cli.table import Cell, table, wrapped
from drove_gateway.model.health import PENDING
from drove_gateway.model.wording import age as duration
from drove_gateway.model.wording import count_of, first_and_more, old_workers_left, printable
from drove_gateway.status.document import (
    HistoryEntry,
    NamespaceStatus,
    OldWorkersStatus,
    SectionStatus,
    StatusDocument,
    VhostFailure,
)

_MOST_ATTEMPTS = 8
_MOST_REJECTED = 5
_MOST_HELD = 20
_MOST_PROBLEMS = 10
_MOST_NAMED = 3
_LONGEST = 300


def lines(document: StatusDocument, where: str, now: datetime, width: int) -> Iterator[str]:
    """Lines of at most `width` characters about the gateway at the URL `where`."""
    yield from _summary(document, where, now, width)
    for section in (
        list(_problems(document, now, width)),
        list(_namespaces(document, now, width)),
        list(_health(document, width)),
        list(_held(document, width)),
        list(_rejected(document, width)),
        list(_history(document, now, width)),
    ):
        if section:
            yield ""
            yield from section


def one_line(document: StatusDocument, now: datetime) -> str:
    """A line: health, what the gateway is doing, and what it changed last."""
    health = "healthy" if document.healthy else "not healthy, see `drove-gateway status`"
    last = "nothing applied yet"
    if document.history:
        attempt = document.history[0]
        last = f"last applied {age(now, attempt.at)} ago: {what(attempt)}"
    return f"{health}, {document.reconciler.state}; {last}"


def age(now: datetime, then: datetime) -> str:
    """The time from `then` to `now` in the units that matter: "12 s", "3 h 5 min"."""
    return duration((now - then).total_seconds())


def what(attempt: HistoryEntry) -> str:
    """What an attempt changed in the proxy, and why."""
    if attempt.error:
        return _short(f"failed: {attempt.error}")
    parts = [*_server_changes(attempt), *_reload(attempt), *_failures(attempt.failed)]
    return _short("; ".join(parts) or "nothing differed")


def _server_changes(attempt: HistoryEntry) -> Iterator[str]:
    steps = [step for step in attempt.steps if step.reason not in attempt.reload_reasons]
    for action in dict.fromkeys(step.action for step in steps):
        subjects = [step.subject for step in steps if step.action == action]
        yield f"{action} {first_and_more(subjects, _MOST_NAMED, separator=', ')}"


def _reload(attempt: HistoryEntry) -> Iterator[str]:
    if attempt.reload_reasons:
        kept = any(step.action == "keep" for step in attempt.steps)
        done = "kept the running configuration" if kept else "reload"
        yield f"{done}: {', '.join(attempt.reload_reasons)}"


def _failures(failed: Sequence[VhostFailure]) -> Iterator[str]:
    if failed:
        texts = [f"not for {failure.vhost}: {failure.reason}" for failure in failed]
        yield first_and_more(texts, 1, separator=", ")


def is_complete(document: StatusDocument) -> bool:
    """Whether the gateway is healthy, and no vhost has a fault or is still to be brought there."""
    proxy = document.proxy
    sections = (proxy.config, proxy.template, proxy.upstream_updates, proxy.resolver)
    return document.healthy and all(section.healthy for section in sections)


def _summary(document: StatusDocument, where: str, now: datetime, width: int) -> Iterator[str]:
    health = _overall(document)
    up = age(now, document.started)
    text = f"drove-gateway {document.version} at {where}, up {up}: {health.text}"
    for line in wrapped(text, width):
        yield line.replace(health.text, health.painted(health.text))
    if document.sentence:
        yield from wrapped(f"{document.sentence} {document.next}".rstrip(), width)
    if document.helps and not document.problems:
        yield from wrapped(f"What helps: {document.helps}", width)
    draining = f", {document.draining} draining" if document.draining is not None else ""
    vhosts, servers = count_of(document.vhosts, "vhost"), count_of(document.servers, "server")
    served = f"{vhosts} with {servers}{draining}"
    yield from wrapped(f"{served}; {_work(document, now)}", width)
    if document.desired_hash:
        yield from wrapped(f"desired state {document.desired_hash}", width)


def _overall(document: StatusDocument) -> Cell:
    if not document.healthy:
        return Cell("NOT HEALTHY", "red")
    if document.problems:
        return Cell(f"healthy, with {count_of(len(document.problems), 'problem')}", "yellow")
    return Cell("healthy", "green")


def _problems(document: StatusDocument, now: datetime, width: int) -> Iterator[str]:
    if not document.problems:
        return
    yield "WHAT NEEDS ATTENTION"
    for problem in document.problems[:_MOST_PROBLEMS]:
        lasts = f" (for {age(now, problem.since)})" if problem.since else ""
        yield from wrapped(_short(f"{problem.what}{lasts}: {problem.cause}"), width)
        if problem.helps:
            yield from wrapped(f"What helps: {_short(problem.helps)}", width, "  ")
    if (more := len(document.problems) - _MOST_PROBLEMS) > 0:
        yield f"and {count_of(more, 'more problem')}, see `drove-gateway status --json`"


def _work(document: StatusDocument, now: datetime) -> str:
    reconciler = document.reconciler
    text = reconciler.state
    if reconciler.next_try:
        text += f", next try in {age(reconciler.next_try, now)}"
    return _short(f"{text} ({reconciler.error})" if reconciler.error else text)


def _namespaces(document: StatusDocument, now: datetime, width: int) -> Iterator[str]:
    if not document.namespaces:
        return
    rows = [
        (
            Cell(namespace.name),
            Cell(namespace.leader if namespace.healthy and namespace.leader else "-"),
            Cell(f"{age(now, namespace.last_sync)} ago" if namespace.last_sync else "never"),
            Cell(_apps(namespace)),
            _state(namespace, document),
        )
        for namespace in document.namespaces
    ]
    yield from table(("NAMESPACE", "LEADER", "LAST SYNC", "APPS", "STATE"), rows, width)
    for namespace in document.namespaces:
        if not namespace.healthy:
            for endpoint in namespace.endpoints:
                yield from wrapped(f"{endpoint.url}: {endpoint.message}", width, "  ")


def _apps(namespace: NamespaceStatus) -> str:
    apps = namespace.apps
    return str(apps.with_routing_tag + apps.without_routing_tag) if apps else "-"


def _state(namespace: NamespaceStatus, document: StatusDocument) -> Cell:
    if namespace.name in document.stored_state.served_from_it:
        return Cell(f"{namespace.message}; served from the stored state", "red")
    if not namespace.healthy:
        return Cell(f"{namespace.message}; the last known apps stay", "red")
    if namespace.last_error:
        return Cell(_short(namespace.last_error), "red")
    if namespace.on_hold:
        return Cell("a withdrawal is held", "yellow")
    if namespace.settling:
        return Cell("the leader is new and may not know all instances yet", "yellow")
    return Cell("fetching a change", "yellow") if namespace.syncing else Cell("ok", "green")


def _health(document: StatusDocument, width: int) -> Iterator[str]:
    proxy, stored = document.proxy, document.stored_state
    sections = {
        "configuration": proxy.config,
        "template": proxy.template,
        "runtime API": proxy.upstream_updates,
        "name resolution": proxy.resolver,
        "stored state": SectionStatus(stored.healthy, stored.message),
    }
    rows = [
        (
            Cell(name),
            *_section(section),
        )
        for name, section in sections.items()
    ]
    yield from table(("HEALTH", "", ""), rows, width)
    if document.old_workers.count:
        yield from wrapped(_old_workers(document.old_workers), width, "  ")
    for note in proxy.notes:
        yield from wrapped(_short(note), width, "  ")


def _section(section: SectionStatus) -> tuple[Cell, Cell]:
    if section.message == PENDING.message:
        return Cell("…", "yellow"), Cell("waiting for the first apply")
    mark = Cell("ok", "green") if section.healthy else Cell("BAD", "red")
    return mark, Cell(_short(section.message.removeprefix("OK").removeprefix(": ")))


def _old_workers(old: OldWorkersStatus) -> str:
    text = old_workers_left(old.count, old.memory_bytes)
    if old.delay_reloads:
        text += f"; reloads are {old.reload_interval_seconds:.0f} s apart until they end"
    return text


def _held(document: StatusDocument, width: int) -> Iterator[str]:
    if not document.held:
        return
    rows = [
        (
            Cell(held.namespace),
            Cell(str(held.servers)),
            Cell(f"{held.believed_in_seconds:.0f} s"),
            Cell(_short(f"{', '.join(held.vhosts)}: {held.reason}; {held.known}"), "yellow"),
        )
        for held in document.held[:_MOST_HELD]
    ]
    yield from table(("HELD", "SERVERS", "AT MOST", "WHAT, WHY"), rows, width)
    if (more := document.held_vhosts - len(rows)) > 0:
        rest = f"and {more} more vhosts; {document.held_servers} servers are held in all"
        yield from wrapped(rest, width, "  ")
    yield from wrapped(
        "A server leaves when Drove announces it, when it refuses connections, or at the end of "
        "its time. `drove-gateway accept VHOST` applies a withdrawal immediately.",
        width,
        "  ",
    )


def _rejected(document: StatusDocument, width: int) -> Iterator[str]:
    rejected = document.rejected
    if not rejected.count:
        return
    rows = [
        (
            Cell(entry.namespace),
            Cell(entry.app_id),
            Cell(_short(f"{entry.subject} {entry.value!r}: {entry.reason}")),
        )
        for entry in rejected.first[:_MOST_REJECTED]
    ]
    yield from table(("REJECTED", "APP", "WHAT, WHY"), rows, width)
    if rejected.count > len(rows):
        yield f"  and {rejected.count - len(rows)} more"


def _history(document: StatusDocument, now: datetime, width: int) -> Iterator[str]:
    if not document.history:
        return
    rows = [
        (
            Cell(_when(now, attempt.at)),
            Cell(_milliseconds(attempt.seconds)),
            Cell(_short(_story(attempt)), "red" if attempt.error or attempt.failed else ""),
        )
        for attempt in document.history[:_MOST_ATTEMPTS]
    ]
    yield from table(("APPLIED", "TOOK", "WHAT, WHY, HOW LONG"), rows, width)


def _when(now: datetime, then: datetime) -> str:
    """The time in UTC, as in the log, and how long ago that was."""
    shown = f"{then:%H:%M:%S}Z" if (now - then) < timedelta(days=1) else f"{then:%m-%d %H:%M}Z"
    return f"{shown}, {age(now, then)} ago"


def _story(attempt: HistoryEntry) -> str:
    """What changed and why, then what triggered it, and the duration of each stage."""
    stages = ", ".join(f"{stage} {took * 1000:.0f}" for stage, took in attempt.stages.items())
    triggers = f" [{', '.join(attempt.triggers)}]" if attempt.triggers else ""
    return f"{what(attempt)}{triggers}" + (f" ({stages} ms)" if stages else "")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _short(text: str) -> str:
    return printable(text, _LONGEST)
