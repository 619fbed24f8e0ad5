"""A vhost on the page: what Drove wants beside what was applied, and why. Pure."""

import re

import msgspec

from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import Host
from drove_gateway.status.status import Status
from drove_gateway.topology.explain import explain

_MOST_CHANGES = 20


class ServerRow(msgspec.Struct, frozen=True):
    """A server: whether Drove lists it, and whether it was applied."""

    address: str
    port_type: str
    wanted: bool
    applied: bool


class VhostDetail(msgspec.Struct, frozen=True):
    """Everything about a vhost. `answer` says in a sentence what a client gets."""

    vhost: str
    answer: str
    servers: tuple[ServerRow, ...]
    lines: tuple[str, ...]
    held: tuple[str, ...]
    changes: tuple[ApplyRecord, ...]


def vhost_detail(status: Status, vhost: str) -> VhostDetail:
    """Return what is known of `vhost`, served or not."""
    wanted, applied = _hosts(status, vhost)
    every = dict.fromkeys((*wanted, *applied))
    servers = tuple(
        ServerRow(f"{host.host}:{host.port}", host.port_type, host in wanted, host in applied)
        for host in every
    )
    held = tuple(
        f"{each.reason}; {each.known}; {each.ends}" for each in status.held if vhost in each.vhosts
    )
    return VhostDetail(
        vhost=vhost,
        answer=_answer(status, vhost),
        servers=servers,
        lines=explain(status.built, vhost),
        held=held,
        changes=_changes(status, vhost),
    )


def _hosts(status: Status, vhost: str) -> tuple[frozenset[Host], frozenset[Host]]:
    wanted = status.built.topology.apps.get(vhost)
    applied = status.applied.apps.get(vhost)
    return (
        frozenset(wanted.hosts if wanted else ()),
        frozenset(applied.hosts if applied else ()),
    )


def _answer(status: Status, vhost: str) -> str:
    applied, wanted = status.applied.apps.get(vhost), status.built.topology.apps.get(vhost)
    if applied is not None and applied.hosts:
        if wanted is None:
            return "It is served, although Drove does not list it: it is about to be removed."
        return "It is served."
    if vhost in status.built.leader_vhosts:
        return "It is served by the leading controller."
    if wanted is not None:
        return "This is 404 until the change is applied."
    if applied is not None:
        return "This is 503 because it has no server left."
    return "This is 404 because no app that is accepted has this vhost."


def _changes(status: Status, vhost: str) -> tuple[ApplyRecord, ...]:
    named = re.compile(rf"(?<![A-Za-z0-9.-]){re.escape(vhost)}(?![A-Za-z0-9.-])").search

    def concerns(record: ApplyRecord) -> bool:
        texts = (*(step.subject for step in record.steps), *record.reasons)
        return any(map(named, texts)) or any(vhost == failed for failed, _ in record.failed)

    return tuple(record for record in status.history if concerns(record))[:_MOST_CHANGES]
