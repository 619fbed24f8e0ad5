"""What each route is for, and what each key of its answer says: the words of the reference."""

from collections.abc import Mapping

import msgspec

from drove_gateway.admin.access import Right


class Described(msgspec.Struct, frozen=True):
    """A route: `text` tells what it does, `keys` (one or several names to what they say) is the
    table of its answer under `title`, `more` follows."""

    text: str
    keys: Mapping[str, str] = {}
    title: str = "Key"
    more: str = ""


RIGHTS: Mapping[Right, tuple[str, str]] = {
    Right.NONE: ("probe", "nothing, so that health checks carry no secret"),
    Right.READ: ("read", "`admin_read_token` or `admin_token`, where the first is set"),
    Right.ACT: ("act", "`admin_token`, where it is set"),
}
"""The name of each right, and what has to be sent for it."""

_HEALTH = Described(
    """Whether the gateway can do its work. 200 when `Config`, `Template`, `UpstreamUpdatesViaAPI`
and `ResolverHealth` are healthy and every namespace has a healthy endpoint, else 500. The body is
the same for both.

Health is about the gateway. When it is 500, the proxy goes on serving the last good state: do not
take a load balancer out of service because of it, wake somebody instead.""",
    {
        "Config": "Whether the proxy took the last configuration. The message is the proxy's own, "
        "with the line it names.",
        "Template": "Whether the template can be read, parsed and executed.",
        "UpstreamUpdatesViaAPI": "Whether the runtime API does what it is told.",
        "ResolverHealth": "Whether host names can be resolved.",
        "NamespaceHealth": "By namespace, how many controllers are healthy. Only the leader is, "
        "as stand-bys refuse to answer.",
        "NamespaceEndpoints": "By namespace, each configured controller.",
        "Rejected": "What Drove sent and the gateway left out, because a proxy's configuration "
        "must not name it: how many, and the first 100. It does not make health 500: the rest is "
        "served.",
        "Held": "Withdrawals that the guard holds: how many servers of which vhosts keep their "
        "traffic, why, and in how many seconds the loss is believed.",
        "Reconciler": "`State` is `waiting` (for a first answer), `idle`, `collecting`, "
        "`applying`, `pacing` (a reload waits for its interval), `held back` (between SIGUSR1 "
        "and SIGUSR2) or `retrying`, with the last `Error` and the `NextTry`.",
        "StoredState": "Whether the state on disk can be written, or what became of a file that "
        "could not be used. `ServedFromIt` names the namespaces that are served from it because "
        "no controller answered since the start, with the time when that state was new. It does "
        "not make health 500.",
    },
    title="Section",
    more="`Rejected`, `Held`, `Reconciler` and `StoredState` are additions to the original's "
    "shape.",
)

_STATUS = Described(
    "Everything above and the history, for a dashboard or for `jq` at 3 a.m. Names are in snake "
    "case.",
    {
        "version commit date": "What runs.",
        "started": "Since when.",
        "healthy": "The same rule as `/v1/health`; the status code here is always 200.",
        "vhosts servers": "How many should be served.",
        "draining": "How many removed servers still finish their requests, where a runtime API "
        "drains them.",
        "reconciler": "`state`, `error`, `attempts`, `next_try`.",
        "proxy": "The sections `config`, `template`, `upstream_updates`, `resolver`.",
        "namespaces": "For each: `name`, `healthy`, `message`, `leader`, `endpoints`, "
        "`last_sync`, `last_error`, `syncing` (a change is known whose endpoints are not "
        "accepted yet), `held`, `settling` (the leader is new and may not know all its "
        "instances), `apps` (how many with and without routing tag, and outside the realm).",
        "rejected held": "As in `/v1/health`.",
        "stored_state": "The state on disk: `healthy`, `message`, `last_written`, and "
        "`served_from_it` as in `/v1/health`.",
        "last_reload last_server_update": "When the proxy was last reloaded, and last changed "
        "over its runtime API.",
        "history": "The last 100 times that the gateway went to the proxy, newest first.",
    },
    more="""Each entry of `history` explains one change: `at` and `seconds`, what woke the gateway
(`triggers`), why a reload was needed (`reload_reasons`, empty without one), whether one is needed
and comes a moment later (`reload_waits`), each of the `steps` with its `action`, `subject` and
`reason`, the vhosts that `failed`, the seconds of each of the `stages`, and the `error`. Of a very
large change the first 200 steps are kept; `left_out` counts the others.

```console
$ curl -s localhost:6000/v1/status | jq '.history[0] | {at, triggers, reload_reasons, error}'
```""",
)

_CONFIG = Described(
    "What is served, and from what. The first five keys are the original's.",
    {
        "LastKnownVhosts": "`Vhosts`: each vhost that was applied, with `true`.",
        "LastKnownBackends": "Each backend's (HAProxy) or upstream's (NGINX) name, with `true`.",
        "LastReloadTimestamp": "`0001-01-01T00:00:00Z` before the first.",
        "LastUpstreamAPIUpdateTimestamp": "The same for changes over the runtime API.",
        "StaticData": "`Xproxy`: the name of this load balancer.",
        "Apps": "By vhost, all that templates see of it, merged from every app and namespace.",
        "Namespaces": "By name: `Leader`, `LeaderVHost`, `RoutingTag`, its own `Apps`, "
        "`LastSyncTimestamp`.",
        "Settings": "Every key of the configuration with the value in use; secrets are `***`.",
    },
)

_RELOAD = Described(
    """With any method. Asks every namespace's leader again, compares with the proxy, and applies.
Answers 202 with `queued`, or with `queue is full` when the same was just asked for: once is
enough."""
)

_ACCEPT = Described(
    """Lets go what the guard holds: the answers of the controllers are taken as they are, now. Use
it when a large withdrawal was meant. `drove-gateway accept` does the same from the command line,
with the configuration's address, certificate and token. Answers with what was held:"""
)

ROUTES: Mapping[str, Described] = {
    "/": Described("Three lines of text: `version: …`, `commit: …`, `date: …`."),
    "/v1/health": _HEALTH,
    "/v1/status": _STATUS,
    "/v1/config": _CONFIG,
    "/v1/metrics": Described("The Prometheus text format. See [metrics](metrics.md)."),
    "/v1/reload": _RELOAD,
    "/v1/accept": _ACCEPT,
}
"""Each route by its path."""
