"""The reference of the HTTP API, made from its routes, their words, and answers to a sample.

`python -m tools.reference.http_api --write` writes the page, `--check` exits with 1 where
the file differs from what would be written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from drove_gateway.admin import views
from drove_gateway.admin.api import ANY, Actions, Route, routes
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import Progress, StoredState
from drove_gateway.model.vocabulary import EMPTY, Rejection
from drove_gateway.status.status import Status
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.guard import HeldWithdrawal
from tools.reference.generated_files import reference_command
from tools.reference.http_texts import RIGHTS, ROUTES
from tools.reference.markdown import table

_HEAD = """# HTTP API

<!-- Made from the routes in src/drove_gateway/admin/api.py and the words in described.py by
     `python -m tools.reference.http_api --write`; edit those, not this page. -->

The gateway listens on `address:port` of its configuration, `127.0.0.1:6000` by default. With
`port_use_tls` it speaks TLS 1.2 or newer, with `port_tls_certfile` and `port_tls_keyfile`.

Who may do what:

"""

_RULES = """
A token is sent as `Authorization: Bearer TOKEN`. Without the right one the answer is 401 and says
what to send; 403 when the token allows reading only. Without tokens everybody who reaches the API
may read and act: keep it on loopback then. The routes that act also refuse requests that a browser
sends for another site's page (403), so that a page which an operator looks at cannot act through
the operator's tunnel.

```yaml
scrape_configs:                       # Prometheus, with admin_read_token
  - job_name: drove-gateway
    metrics_path: /v1/metrics
    authorization: {credentials_file: /etc/prometheus/drove-gateway-token}
```

All answers are made from one snapshot of what the gateway knows, so they do not contradict each
other. None of them has a password or a token in it. Times are UTC, durations are in seconds. A
path that does not exist is answered with 404, a method that is not known with 405; both list what
there is.
"""

_SAMPLE_HELD = HeldWithdrawal(
    "stage1", "12 of the vhost's 12 servers would go at once", 12, ("a.local",), 41.2
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
                EndpointView("http://controller2:10000", message="it does not lead"),
            ),
        ),
    ),
    proxy=ProxyHealth(config=HealthSection(), template=HealthSection()),
    progress=Progress("idle"),
    built=TopologyBuild(
        topology=EMPTY,
        rejected=(Rejection("stage1", "web-1", "vhost", "web;local", "is no DNS name"),),
        counts={},
        parts={},
    ),
    stored=StoredState("/var/lib/drove-gateway/datamanager-state.json", 1_700_000_000.0),
)


def page() -> str:
    """The whole page, in Markdown."""
    every_route = routes(lambda: _SAMPLE, Metrics(), Actions(lambda: True, tuple))
    return _HEAD + _rights(every_route) + _RULES + "".join(map(_section, every_route))


def _rights(every_route: Iterable[Route]) -> str:
    rows = []
    for right, (name, needs) in RIGHTS.items():
        paths = ", ".join(f"`{route.path}`" for route in every_route if route.right is right)
        rows.append((name, paths, needs))
    return table(("Right", "Routes", "Needs"), rows)


def _section(route: Route) -> str:
    described = ROUTES[route.path]
    parts = [
        f"\n## `{route.path if route.method == ANY else route.title}`\n",
        described.text + "\n",
    ]
    if route.path == "/v1/health":
        parts.append(_example(views.health(_SAMPLE)))
    if described.keys:
        rows = [(_names(names), says) for names, says in described.keys.items()]
        parts.append(table((described.title, "Meaning"), rows))
    if route.path == "/v1/accept":
        parts.append(_example({"accepted": [views.held(_SAMPLE_HELD)]}))
    if described.more:
        parts.append(described.more + "\n")
    return "\n".join(parts)


def _names(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split())


def _example(answer: Any) -> str:
    shown = msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()
    return f"```json\n{shown}\n```\n"


def files() -> Mapping[str, str]:
    """The generated file, by name."""
    return {"http-api.md": page()}


main = reference_command(files)


if __name__ == "__main__":
    main()
