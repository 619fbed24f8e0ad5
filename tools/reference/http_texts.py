"""What each route is for, and what its right requires."""

from collections.abc import Mapping
from typing import NamedTuple

from drove_gateway.admin.tokens import Right


class RouteDoc(NamedTuple):
    """A route: `text` says what it does; `more` follows the table of its response."""

    text: str
    more: str = ""


RIGHTS: Mapping[Right, tuple[str, str]] = {
    Right.NONE: ("probe", "nothing, so that health checks need no secret"),
    Right.READ: ("read", "`admin_read_token` or `admin_token`, if `admin_read_token` is set"),
    Right.ACT: ("act", "`admin_token`, if it is set"),
    Right.FORM: (
        "form",
        "a session that began with `admin_token` at `/ui/login`, and the secret of its forms",
    ),
}
"""The name of each right, and the token that it requires."""

ROUTES: Mapping[str, RouteDoc] = {
    "/": RouteDoc(
        "Three lines of text: `version: …`, `commit: …`, `date: …`. A browser is sent to `/ui/`."
    ),
    "/v1/health": RouteDoc(
        """Whether the gateway can do its work. The status code is 200 if `Config`, `Template`,
`UpstreamUpdatesViaAPI` and `ResolverHealth` are healthy and every namespace has a healthy endpoint,
otherwise 500. The body has the same form for both.

A fault of some vhosts, such as a host without an address or a vhost that the proxy refuses, makes
its section unhealthy, and leaves the status code at 200 as long as other vhosts are served.

Health is about the gateway. When it is 500, the proxy keeps serving the last good state: do not
take a load balancer out of service because of it, alert somebody instead.""",
        more="`Rejected`, `Held`, `Reconciler` and `StoredState` do not exist in the original.",
    ),
    "/v1/status": RouteDoc(
        "The complete status, including the history of changes, for dashboards and for `jq`.",
        more="""Each entry of `history` explains one change:

```console
$ curl -s localhost:6000/v1/status | jq '.history[0] | {at, triggers, reload_reasons, error}'
```""",
    ),
    "/v1/config": RouteDoc(
        "What is served, and from what. The first five keys are the original's."
    ),
    "/v1/explain": RouteDoc(
        """Why a vhost is as it is: what Drove wants beside what the proxy has, what is held, and
what to do. `?q=` is a vhost, a URL, the name or id of an app, or an instance's `host:port`.
`drove-gateway explain VHOST` shows the same.""",
        more="""```console
$ curl -s 'localhost:6000/v1/explain?q=http://web.example.com/cart' | jq '.vhosts[0].answer'
```""",
    ),
    "/v1/vhosts": RouteDoc(
        """The names of all vhosts, or of those that begin with `?prefix=`; at most 1,000, or
`?limit=`. Completion in the shell uses it."""
    ),
    "/v1/history": RouteDoc(
        """The last thousand applies and the events that explain them, also of earlier runs. It
lists at most 200 applies, or `?limit=`; `?before=` a number continues with older applies.""",
        more="""```console
$ curl -s 'localhost:6000/v1/history?limit=1' | jq -r '.applies[0].diff'
```""",
    ),
    "/v1/metrics": RouteDoc("[Metrics](metrics.md) in the Prometheus text format."),
    "/ui/": RouteDoc(
        """The page for people: whether every vhost is served as Drove lists it, what needs
attention and which command helps, what changed, where the time went, and who leads. It works
without JavaScript, and requests nothing from anywhere else."""
    ),
    "/ui/vhosts": RouteDoc("The vhosts, fifty a page; `?q=` searches for a part of a name."),
    "/ui/vhosts/{vhost}": RouteDoc(
        "A vhost: what a client gets, its servers as listed by Drove and as applied, and why."
    ),
    "/ui/applies/{number}": RouteDoc(
        "An apply: its plan, its stages, and the difference of the rendered configuration."
    ),
    "/ui/events": RouteDoc(
        "Server-sent events: one whenever the page would look different, at most one a second."
    ),
    "/ui/login": RouteDoc(
        """The form to enter a token in a browser. `admin_read_token` allows reading the page,
`admin_token` also its buttons. Without `admin_token` the page has no buttons."""
    ),
    "/ui/session": RouteDoc("Begins a session of twelve hours, with the token of the form."),
    "/ui/session/end": RouteDoc("Ends the session."),
    "/ui/actions/reload": RouteDoc("As `/v1/reload`, for the page's button."),
    "/ui/actions/accept": RouteDoc(
        "As `/v1/accept` for the vhosts in the field `name`, for the page's buttons."
    ),
    "/ui/style.css": RouteDoc("The style of the page."),
    "/ui/live.js": RouteDoc("The script of the page, which looks again when something changed."),
    "/v1/reload": RouteDoc(
        """Fetches the endpoints of every namespace again, compares them with the proxy, and applies
the difference. Any method works. The response is 202 with `queued`, or with `queue is full` if the
same request is queued already."""
    ),
    "/v1/accept": RouteDoc(
        """Applies the withdrawals that the guard holds immediately. Use it when a large withdrawal
was intended. `drove-gateway accept` does the same from the command line, with the address,
certificate and token of the configuration."""
    ),
}
"""Each route by its path."""
