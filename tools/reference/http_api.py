"""Build the reference of the HTTP API from its routes, the types of its documents and examples."""

from collections.abc import Iterable, Mapping

import msgspec

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin.actions import Actions
from drove_gateway.admin.routes import ANY, Route, routes
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.tokens import ApiTokens
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import Progress, StoredState
from drove_gateway.model.vocabulary import EMPTY, App, Rejection
from drove_gateway.state.journal import Journal
from drove_gateway.status.config_document import ConfigDocument
from drove_gateway.status.document import AcceptedWithdrawals, StatusDocument
from drove_gateway.status.document_builder import accepted_withdrawals
from drove_gateway.status.explain_document import ExplainDocument, VhostNames
from drove_gateway.status.health_document import HealthDocument, health_document
from drove_gateway.status.history_document import HistoryDocument
from drove_gateway.status.status import Status
from drove_gateway.topology.build import TopologyBuild
from tools.reference.document_fields import field_tables
from tools.reference.generated_files import reference_command
from tools.reference.http_texts import RIGHTS, ROUTES
from tools.reference.markdown import table

_HEAD = """# HTTP API

<!-- Generated from the routes in src/drove_gateway/admin/routes.py, the documents in
     src/drove_gateway/status and tools/reference/http_texts.py by
     `python -m tools.reference.http_api --write`; edit those, not this page. -->

The gateway listens on `address:port` of its configuration, by default `127.0.0.1:6000`. With
`port_use_tls` it serves TLS 1.2 or newer with `port_tls_certfile` and `port_tls_keyfile`.

Access rights:

"""

_RULES = """
Send a token as `Authorization: Bearer TOKEN`. Without a valid token the response is 401 and says
what to send; it is 403 if the token allows reading only. Without configured tokens everyone who can
reach the API may read and act: keep it on the loopback interface then. The routes that act also
refuse requests that a browser sends for another site's page (403), so that a page an operator
visits cannot act through the operator's tunnel.

```yaml
scrape_configs:                       # Prometheus, with admin_read_token
  - job_name: drove-gateway
    metrics_path: /v1/metrics
    authorization: {credentials_file: /etc/prometheus/drove-gateway-token}
```

Every response is made from one snapshot of the status, so its parts do not contradict each other.
No response contains a password or a token. Times are in UTC, durations in seconds. An unknown path
is answered with 404, an unsupported method with 405; both responses list the routes.
"""

_SAMPLE_HELD = HeldWithdrawal(
    "stage1", "12 of the vhost's 12 servers would leave at once", 12, ("a.local",), 41.2
)

_SAMPLE = Status(
    About("1.0.0"),
    started=1_700_000_000.0,
    config={},
    xproxy="lb1",
    namespaces=(
        NamespaceView(
            "stage1",
            (
                EndpointView("http://controller1:10000", healthy=True, message="OK"),
                EndpointView("http://controller2:10000", message="not the leader"),
            ),
        ),
    ),
    proxy=ProxyHealth(config=HealthSection(), template=HealthSection()),
    progress=Progress("idle"),
    built=TopologyBuild(
        topology=EMPTY,
        rejected=(Rejection("stage1", "web-1", "vhost", "web;local", "not a DNS name"),),
        counts={},
        parts={},
    ),
    stored=StoredState("/var/lib/drove-gateway/datamanager-state.json", 1_700_000_000.0),
)


_EXAMPLES: Mapping[str, msgspec.Struct] = {
    "/v1/health": health_document(_SAMPLE),
    "/v1/accept": accepted_withdrawals([_SAMPLE_HELD]),
}

DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "/v1/health": HealthDocument,
    "/v1/status": StatusDocument,
    "/v1/config": ConfigDocument,
    "/v1/explain": ExplainDocument,
    "/v1/vhosts": VhostNames,
    "/v1/history": HistoryDocument,
    "/v1/accept": AcceptedWithdrawals,
}
"""The type of the response of each route that returns JSON."""


def page() -> str:
    """The whole page, in Markdown."""
    sources = Sources(lambda: _SAMPLE, Metrics(), lambda app: (app.vhost,), _no_servers, Journal())
    every_route = routes(sources, Actions(lambda: True, _nothing_held), Sessions(ApiTokens()))
    return _HEAD + _rights(every_route) + _RULES + "".join(map(_section, every_route))


async def _nothing_held(_: AcceptRequest) -> tuple[HeldWithdrawal, ...]:
    """A reference needs no gateway."""
    return ()


async def _no_servers(_: App) -> None:
    """A reference needs no proxy."""


def _rights(every_route: Iterable[Route]) -> str:
    rows = []
    for right, (name, needs) in RIGHTS.items():
        paths = ", ".join(f"`{route.path}`" for route in every_route if route.right is right)
        rows.append((name, paths, needs))
    return table(("Right", "Routes", "Needs"), rows)


def _section(route: Route) -> str:
    doc = ROUTES[route.path]
    parts = [f"\n## `{route.path if route.method == ANY else route.title}`\n", f"{doc.text}\n"]
    if example := _EXAMPLES.get(route.path):
        parts.append(_json(example))
    if document := DOCUMENTS.get(route.path):
        parts.append(field_tables(document))
    if doc.more:
        parts.append(f"{doc.more}\n")
    return "\n".join(parts)


def _json(document: msgspec.Struct) -> str:
    shown = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return f"```json\n{shown}\n```\n"


def files() -> Mapping[str, str]:
    """The generated file, by name."""
    return {"http-api.md": page()}


main = reference_command(files)


if __name__ == "__main__":
    main()
