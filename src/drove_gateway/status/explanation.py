"""Why a vhost is as it is: what Drove wants beside what the proxy has. Pure.

The page, `explain` and the HTTP API show this same value.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.status.answer import Answer, answer
from drove_gateway.status.certificate import PresentedCertificate, presented_certificate
from drove_gateway.status.status import Status
from drove_gateway.topology.explain import explain

_MOST_CHANGES = 20


class Reading(msgspec.Struct, frozen=True):
    """What the proxy said of a vhost's servers.

    `servers` is None where the proxy does not tell; `problem` says why they cannot be read.
    """

    servers: tuple[ServerState, ...] | None = None
    problem: str = ""


UNREAD = Reading()


class ServerRow(msgspec.Struct, frozen=True):
    """A server: whether Drove lists it, whether it was applied, whether the guard holds it, and
    the proxy's state of it, once for each backend that has it."""

    address: str
    port_type: str
    wanted: bool
    applied: bool
    held: bool = False
    present: tuple[ServerState, ...] = ()


class LastReload(msgspec.Struct, frozen=True):
    """The last reload because of a vhost: when it ended (Unix seconds), what of the vhost changed,
    and the first line of the configuration that only a reload could bring, if that is known."""

    at: float
    reasons: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything about a vhost. `answer` says in a sentence what a client gets and why, and what
    helps. `lines` are the apps, instances, tags and rules that made it so. `held` says of each
    withdrawal on hold why it is, and what ends it. `changes` has the newest first; `last_reload` is
    None where none is known. `certificate` is what clients get over TLS, None where it is not
    known. `unread` says that the proxy's servers are not known, `problem` why
    they cannot be read."""

    vhost: str
    answer: Answer
    servers: tuple[ServerRow, ...]
    lines: tuple[str, ...]
    held: tuple[str, ...]
    changes: tuple[ApplyRecord, ...]
    problem: str = ""
    unread: bool = False
    last_reload: LastReload | None = None
    certificate: PresentedCertificate | None = None


def explanation(
    status: Status, vhost: str, reading: Reading = UNREAD, past: Sequence[ApplyRecord] = ()
) -> Explanation:
    """Return what is known of `vhost`, served or not.

    `reading` is what the proxy has of it, `past` the applies that are older than the history of
    `status`.
    """
    applies = (*status.history, *past)
    held = tuple(
        f"{each.reason}; {each.known}; {each.ends}" for each in status.held if vhost in each.vhosts
    )
    return Explanation(
        vhost=vhost,
        answer=answer(status, vhost, reading.servers),
        servers=tuple(_rows(status, vhost, reading.servers or ())),
        lines=explain(status.built, vhost),
        held=held,
        changes=_changes(applies, vhost),
        problem=reading.problem,
        unread=reading.servers is None,
        last_reload=_last_reload(status, applies, vhost),
        certificate=presented_certificate(vhost, status.proxy.certificate_files),
    )


def _rows(status: Status, vhost: str, present: Sequence[ServerState]) -> Iterator[ServerRow]:
    wanted, applied = _hosts(status.built.topology.apps, vhost), _hosts(status.applied.apps, vhost)
    held = {address for each in status.held if vhost in each.vhosts for address in each.addresses}
    states: dict[str, list[ServerState]] = {}
    for server in present:
        states.setdefault(server.listed or server.address, []).append(server)
    for host in dict.fromkeys((*wanted, *applied)):
        address = f"{host.host}:{host.port}"
        found = tuple(states.pop(address, ()))
        is_held = address in held
        is_wanted = host in wanted and not is_held
        yield ServerRow(address, host.port_type, is_wanted, host in applied, is_held, found)
    for address, left in states.items():
        yield ServerRow(address, "", False, False, present=tuple(left))


def _hosts(apps: Mapping[str, App], vhost: str) -> Mapping[Host, None]:
    return dict.fromkeys(apps[vhost].hosts) if vhost in apps else {}


def _changes(applies: Sequence[ApplyRecord], vhost: str) -> tuple[ApplyRecord, ...]:
    named = _naming(vhost)

    def concerns(record: ApplyRecord) -> bool:
        texts = (*(step.subject for step in record.steps), *record.reasons)
        return any(map(named, texts)) or any(vhost == failed for failed, _ in record.failed)

    return tuple(islice(filter(concerns, applies), _MOST_CHANGES))


def _last_reload(status: Status, applies: Sequence[ApplyRecord], vhost: str) -> LastReload | None:
    named = _naming(vhost)
    namespace = status.built.leader_vhosts.get(vhost)
    of_leader = f"leader of namespace {namespace} moved" if namespace else None
    for record in applies:
        own = [reason for reason in record.reasons if named(reason) or reason == of_leader]
        if record.reloaded and own:
            lines = [each for each in record.reasons if each.startswith("`") and each not in own]
            return LastReload(record.at + record.took, (*own, *lines))
    return None


def _naming(vhost: str) -> Callable[[str], object]:
    """Return what finds `vhost`, and not a longer name, in a text."""
    search = re.compile(rf"(?<![A-Za-z0-9.-]){re.escape(vhost)}(?![A-Za-z0-9.-])").search
    return lambda text: vhost in text and search(text)
