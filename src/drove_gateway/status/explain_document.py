"""The documents of `GET /v1/explain` and `GET /v1/vhosts`, and how they are built. Pure.

Types as in `document`: a field that a gateway of another version may omit has a default.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord
from drove_gateway.status.certificate import PresentedCertificate
from drove_gateway.status.document import HistoryEntry, doc
from drove_gateway.status.document_builder import history_entry, optional_utc, utc
from drove_gateway.status.explanation import (
    UNREAD,
    Explanation,
    LastReload,
    Reading,
    ServerRow,
    explanation,
)
from drove_gateway.status.question import Subject, similar
from drove_gateway.status.status import Status
from drove_gateway.status.verdict import verdict

MOST_VHOSTS = 10
"""How many vhosts of an app a response explains."""

MOST_NAMES = 1000
"""How many names `/v1/vhosts` lists at most."""

_MOST_SERVERS = 500


class PresentServer(msgspec.Struct, frozen=True):
    """A server as the proxy reports it now. What the proxy does not tell is null."""

    backend: Annotated[str, doc("The backend of HAProxy, or the upstream of NGINX.")]
    name: Annotated[str, doc("The name of the server in the proxy.")]
    state: Annotated[str, doc("The state in the proxy's words.")]
    up: Annotated[bool, doc("Whether it gets new requests.")]
    weight: Annotated[int | None, doc("The weight.")] = None
    sessions: Annotated[int | None, doc("How many requests run.")] = None
    requests: Annotated[int | None, doc("How many requests it got since the proxy started.")] = None
    errors: Annotated[int | None, doc("How many of them failed or got a 5xx response.")] = None
    changed_seconds: Annotated[
        float | None,
        doc(
            "For how many seconds it has been in its state or, with NGINX, how long ago the "
            "gateway changed it; null if it did not since it started."
        ),
    ] = None


class ExplainedServer(msgspec.Struct, frozen=True):
    """A server of a vhost: wanted, applied, held, present."""

    address: Annotated[str, doc("Host and port, as Drove lists them.")]
    port_type: Annotated[str, doc("`http`, `https`, `tcp` or `udp`; empty if Drove does not say.")]
    wanted: Annotated[bool, doc("Whether Drove lists it.")]
    applied: Annotated[bool, doc("Whether it was applied.")]
    on_hold: Annotated[bool, doc("Whether the guard holds it in traffic.")] = False
    present: Annotated[
        tuple[PresentServer, ...],
        doc("What the proxy has of it, once for each backend; empty if it does not tell."),
    ] = ()


class LastReloadEntry(msgspec.Struct, frozen=True):
    """The last reload because of a vhost."""

    at: Annotated[datetime, doc("When it ended.")]
    reasons: Annotated[
        tuple[str, ...],
        doc(
            "What of the vhost changed, and the first line of the configuration that only a reload "
            "could bring, if that is known."
        ),
    ] = ()


class ExplainedCertificate(msgspec.Struct, frozen=True):
    """The certificate that clients of a vhost get."""

    file: Annotated[str, doc("The file that holds it.")]
    expires: Annotated[datetime | None, doc("When it expires; null if that is not known.")] = None
    problem: Annotated[str, doc("What is wrong with the file; empty if nothing is.")] = ""
    text: Annotated[str, doc("All of it, for people.")] = ""


class ExplainedVhost(msgspec.Struct, frozen=True):
    """A vhost: what a client gets, and why."""

    vhost: Annotated[str, doc("The vhost.")]
    answer: Annotated[str, doc("What a client gets, and why.")]
    served: Annotated[bool, doc("Whether a request for it reaches a server.")]
    helps: Annotated[str, doc("What to do; empty if nothing is wrong.")] = ""
    servers: Annotated[tuple[ExplainedServer, ...], doc("The first 500 servers.")] = ()
    more_servers: Annotated[int, doc("How many further servers there are.")] = 0
    proxy_problem: Annotated[
        str, doc("Why the proxy's servers cannot be read; empty if they can.")
    ] = ""
    held: Annotated[
        tuple[str, ...], doc("Why each withdrawal on hold is held, and what ends it.")
    ] = ()
    lines: Annotated[
        tuple[str, ...], doc("The apps, instances, tags and rules that made it so.")
    ] = ()
    changes: Annotated[
        tuple[HistoryEntry, ...], doc("The last 20 changes, newest first, as in `/v1/status`.")
    ] = ()
    last_reload: Annotated[
        LastReloadEntry | None,
        doc("The last reload because of this vhost; null if none is known."),
    ] = None
    certificate: Annotated[
        ExplainedCertificate | None,
        doc("What clients get over TLS; null without `TLS_CERTIFICATES`."),
    ] = None


class ExplainDocument(msgspec.Struct, frozen=True):
    """The response of `GET /v1/explain`."""

    understood: Annotated[
        str, doc("How the question was understood: `vhost …`, `app …`, `instance …`.")
    ]
    gateway: Annotated[str, doc("The first sentence of the page, about the gateway as a whole.")]
    gateway_helps: Annotated[str, doc("What helps against it; empty if nothing is wrong.")] = ""
    vhosts: Annotated[tuple[ExplainedVhost, ...], doc("The first 10 vhosts, explained.")] = ()
    more_vhosts: Annotated[int, doc("How many further vhosts the question is about.")] = 0
    suggestion: Annotated[str, doc("A vhost or an app of a similar name, if none was found.")] = ""


class VhostNames(msgspec.Struct, frozen=True):
    """The response of `GET /v1/vhosts`."""

    vhosts: Annotated[tuple[str, ...], doc("Names in alphabetical order.")] = ()


def explain_document(
    status: Status,
    subject: Subject,
    readings: Mapping[str, Reading],
    past: Sequence[ApplyRecord] = (),
) -> ExplainDocument:
    """Return everything about the subject; `readings` are what the proxy said, by vhost, and `past`
    the applies that are older than the history of `status`."""
    vhosts = subject.vhosts[:MOST_VHOSTS]
    explained = [explanation(status, name, readings.get(name, UNREAD), past) for name in vhosts]
    known = any(_is_known(status, name) for name in vhosts)
    first = verdict(status)
    return ExplainDocument(
        understood=subject.understood,
        gateway=first.sentence,
        gateway_helps=first.helps,
        vhosts=tuple(map(_vhost, explained)),
        more_vhosts=len(subject.vhosts) - len(vhosts),
        suggestion="" if known or not vhosts else similar(status.built, vhosts[0]),
    )


def vhost_names(status: Status, prefix: str, limit: int) -> VhostNames:
    """Return at most `limit` vhosts that begin with `prefix`."""
    prefix, limit = prefix.lower(), min(limit, MOST_NAMES)
    every = {*status.built.topology.apps, *status.applied.apps, *status.built.leader_vhosts}
    return VhostNames(
        tuple(islice(sorted(name for name in every if name.startswith(prefix)), limit))
    )


def _is_known(status: Status, vhost: str) -> bool:
    return vhost in status.built.topology.apps or vhost in status.built.leader_vhosts


def _vhost(explained: Explanation) -> ExplainedVhost:
    servers = explained.servers[:_MOST_SERVERS]
    return ExplainedVhost(
        vhost=explained.vhost,
        answer=explained.answer.sentence,
        served=explained.answer.served,
        helps=explained.answer.helps,
        servers=tuple(map(_server, servers)),
        more_servers=len(explained.servers) - len(servers),
        proxy_problem=explained.problem,
        held=explained.held,
        lines=explained.lines,
        changes=tuple(map(history_entry, explained.changes)),
        last_reload=_last_reload(explained.last_reload),
        certificate=_certificate(explained.certificate),
    )


def _last_reload(last: LastReload | None) -> LastReloadEntry | None:
    return None if last is None else LastReloadEntry(utc(last.at), last.reasons)


def _certificate(found: PresentedCertificate | None) -> ExplainedCertificate | None:
    if found is None:
        return None
    return ExplainedCertificate(found.file, optional_utc(found.expires), found.problem, found.text)


def _server(row: ServerRow) -> ExplainedServer:
    present = tuple(map(_present, row.present))
    return ExplainedServer(row.address, row.port_type, row.wanted, row.applied, row.held, present)


def _present(server: ServerState) -> PresentServer:
    return PresentServer(
        server.backend,
        server.name,
        server.state,
        server.up,
        server.weight,
        server.sessions,
        server.requests,
        server.errors,
        server.changed,
    )
