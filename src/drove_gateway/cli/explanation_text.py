"""The document of `/v1/explain` as text for a terminal. Pure."""

from collections.abc import Iterator
from datetime import datetime

from drove_gateway.cli.status.text import age, what
from drove_gateway.cli.table import Cell, table, wrapped
from drove_gateway.model.wording import age as duration
from drove_gateway.model.wording import count_of
from drove_gateway.status.explain_document import ExplainDocument, ExplainedServer, ExplainedVhost

_MOST_SERVERS = 100
_MOST_CHANGES = 5


def lines(document: ExplainDocument, where: str, now: datetime, width: int) -> Iterator[str]:
    """Lines of at most `width` characters, as the gateway at the URL `where` says."""
    yield from wrapped(f"{document.understood}, according to the gateway at {where}", width)
    yield from wrapped(f"The gateway: {document.gateway}", width)
    if document.gateway_helps:
        yield from wrapped(f"What helps: {document.gateway_helps}", width)
    for vhost in document.vhosts:
        yield ""
        yield from _vhost(vhost, now, width)
    if document.more_vhosts:
        yield f"and {count_of(document.more_vhosts, 'more vhost')}"
    if document.suggestion:
        yield f"Did you mean {document.suggestion}?"


def _vhost(vhost: ExplainedVhost, now: datetime, width: int) -> Iterator[str]:
    colour = "green" if vhost.served else "red"
    for line in wrapped(f"{vhost.vhost}: {vhost.answer}", width):
        yield Cell(line, colour).painted(line)
    if vhost.helps:
        yield from wrapped(f"What helps: {vhost.helps}", width)
    for held in vhost.held:
        yield from wrapped(f"On hold: {held}", width)
    if vhost.proxy_problem:
        yield from wrapped(f"The proxy's servers cannot be read: {vhost.proxy_problem}", width)
    if vhost.certificate:
        yield from wrapped(f"Certificate: {vhost.certificate.text}", width)
    yield from _servers(vhost, width)
    yield ""
    for line in vhost.lines:
        indent = " " * (len(line) - len(line.lstrip()))
        yield from wrapped(line.lstrip(), width, indent)
    if last := vhost.last_reload:
        yield ""
        text = f"Last reload because of it, {age(now, last.at)} ago: {'; '.join(last.reasons)}"
        yield from wrapped(text, width)
    yield from _changes(vhost, now, width)


def _servers(vhost: ExplainedVhost, width: int) -> Iterator[str]:
    rows = [row for server in vhost.servers[:_MOST_SERVERS] for row in _rows(server)]
    if not rows:
        return
    yield ""
    yield from table(("SERVER", "LISTED", "APPLIED", "IN THE PROXY"), rows, width)
    more = vhost.more_servers + max(0, len(vhost.servers) - _MOST_SERVERS)
    if more:
        yield f"  and {count_of(more, 'more server')}"


def _rows(server: ExplainedServer) -> Iterator[tuple[Cell, ...]]:
    listed = Cell("on hold", "yellow") if server.on_hold else Cell("yes" if server.wanted else "no")
    applied = Cell("yes" if server.applied else "no")
    for state in server.present or (None,):
        if state is None:
            yield Cell(server.address), listed, applied, Cell("-")
            continue
        facts = (
            state.state,
            f"weight {state.weight}" if state.weight is not None else "",
            count_of(state.sessions, "session") if state.sessions is not None else "",
            count_of(state.requests, "request") if state.requests is not None else "",
            count_of(state.errors, "error") if state.errors else "",
            f"since {duration(state.changed_seconds)}" if state.changed_seconds is not None else "",
            f"in {state.backend}",
        )
        text = ", ".join(fact for fact in facts if fact)
        yield Cell(server.address), listed, applied, Cell(text, "green" if state.up else "red")


def _changes(vhost: ExplainedVhost, now: datetime, width: int) -> Iterator[str]:
    if not vhost.changes:
        return
    yield ""
    rows = [
        (Cell(f"{age(now, change.at)} ago"), Cell(what(change)))
        for change in vhost.changes[:_MOST_CHANGES]
    ]
    yield from table(("CHANGED", "WHAT, WHY"), rows, width)
