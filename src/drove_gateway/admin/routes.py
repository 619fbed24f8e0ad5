"""The routes of the HTTP API. Every response is made from the status at that moment."""

import asyncio

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.admin.actions import Actions
from drove_gateway.admin.attempts import FailedAttempts
from drove_gateway.admin.closing import announce_closing
from drove_gateway.admin.hosts import known_hosts_only
from drove_gateway.admin.past import Past
from drove_gateway.admin.questions import Questions
from drove_gateway.admin.responses import (
    HEADERS,
    Handler,
    explain_routing_errors,
    json_response,
    same_site_only,
    text_response,
    wants_html,
)
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.tokens import ApiTokens, Right, require
from drove_gateway.admin.ui.forms import Forms
from drove_gateway.admin.ui.handlers import Ui, static
from drove_gateway.metrics import CONTENT_TYPE
from drove_gateway.model.spelling import vhost_spelling
from drove_gateway.model.wording import printable
from drove_gateway.status.config_document import config_document
from drove_gateway.status.document_builder import accepted_withdrawals, status_document
from drove_gateway.status.health_document import health_document

ANY = "*"
_MOST_BODY = 4096
_MOST_CALLER = 100


class Route(msgspec.Struct, frozen=True):
    """A route and the right that it requires. `method` is `ANY` if every method does the same.

    A route for GET answers every method: HAProxy's `option httpchk` sends OPTIONS.
    """

    method: str
    path: str
    handler: Handler
    right: Right = Right.READ

    @property
    def title(self) -> str:
        """The name of the route in the reference and in errors."""
        return f"{'any method' if self.method == ANY else self.method} {self.path}"


class Access(msgspec.Struct, frozen=True):
    """Who may use the API: those with a token; where none is set, those who name a known host.

    `hosts` are the names that a request may use beside addresses and localhost; None allows all.
    `failed` counts the wrong tokens of each address.
    """

    tokens: ApiTokens
    sessions: Sessions
    failed: FailedAttempts
    hosts: tuple[str, ...] | None = None

    def protect(self, route: Route) -> Handler:
        """Return the route's handler for those who may use it."""
        if route.right is Right.FORM:
            return self.sessions.form(route.handler)
        handler = require(route.right, self.tokens, route.handler, self.failed)
        if route.right is Right.READ:
            handler = self.sessions.or_session(handler, route.handler)
        is_open = route.right is not Right.NONE and self.tokens.allow(route.right, "")
        if self.hosts is None or not is_open:
            return handler
        return known_hosts_only(handler, self.hosts)


def application(
    every_route: tuple[Route, ...], access: Access, *around: Middleware
) -> web.Application:
    """The API with these routes for those who have `access`; every request passes `around`."""
    titles = tuple(route.title for route in every_route)
    middlewares = [*around, explain_routing_errors(titles)]
    app = web.Application(client_max_size=_MOST_BODY, middlewares=middlewares)
    announce_closing(app)
    for route in every_route:
        handler = access.protect(route)
        app.router.add_route(ANY if route.method == "GET" else route.method, route.path, handler)
    return app


def routes(sources: Sources, actions: Actions, sessions: Sessions) -> tuple[Route, ...]:
    """All routes, in the order of the documentation."""
    return (
        *_views(sources),
        *_questions(sources),
        *_page(sources, sessions),
        *_forms(actions, sessions),
        *_actions(actions),
    )


def _views(sources: Sources) -> tuple[Route, ...]:
    current, metrics = sources.current, sources.metrics

    async def version(request: web.Request) -> web.Response:
        if wants_html(request):
            return web.Response(status=303, headers={**HEADERS, "Location": "/ui/"})
        return text_response(current().about.lines())

    async def health(_: web.Request) -> web.Response:
        status = current()
        return json_response(health_document(status), 200 if status.healthy else 500)

    async def full_status(_: web.Request) -> web.Response:
        status = current()
        digest = await asyncio.to_thread(sources.desired_hash.of, status.built.topology)
        return json_response(status_document(status, digest))

    async def config(_: web.Request) -> web.Response:
        return json_response(config_document(current(), sources.backend_names))

    async def exposition(_: web.Request) -> web.Response:
        metrics.mirror(current())
        metrics.tasks(len(asyncio.all_tasks()))
        headers = {**HEADERS, "Content-Type": CONTENT_TYPE}
        return web.Response(body=metrics.render(), headers=headers)

    return (
        Route("GET", "/", version, Right.NONE),
        Route("GET", "/v1/health", health, Right.NONE),
        Route("GET", "/v1/status", full_status),
        Route("GET", "/v1/config", config),
        Route("GET", "/v1/metrics", exposition),
    )


def _questions(sources: Sources) -> tuple[Route, ...]:
    questions = Questions(sources)
    return (
        Route("GET", "/v1/explain", questions.explain),
        Route("GET", "/v1/vhosts", questions.vhosts),
        Route("GET", "/v1/history", Past(sources).history),
    )


def _page(sources: Sources, sessions: Sessions) -> tuple[Route, ...]:
    page = Ui(sources, sessions)
    return (
        Route("GET", "/ui/", page.overview),
        Route("GET", "/ui/vhosts", page.vhosts),
        Route("GET", "/ui/vhosts/{vhost}", page.vhost),
        Route("GET", "/ui/applies/{number}", page.past_apply),
        Route("GET", "/ui/events", page.stream),
        Route("GET", "/ui/login", page.login, Right.NONE),
        Route("GET", "/ui/style.css", static("style.css"), Right.NONE),
        Route("GET", "/ui/live.js", static("live.js"), Right.NONE),
    )


def _forms(actions: Actions, sessions: Sessions) -> tuple[Route, ...]:
    forms = Forms(actions, sessions)
    return (
        Route("POST", "/ui/session", same_site_only(forms.log_in), Right.NONE),
        Route("POST", "/ui/session/end", same_site_only(forms.log_out), Right.NONE),
        Route("POST", "/ui/actions/reload", forms.reload, Right.FORM),
        Route("POST", "/ui/actions/accept", forms.accept, Right.FORM),
    )


def _actions(actions: Actions) -> tuple[Route, ...]:
    async def reload(_: web.Request) -> web.Response:
        return text_response("queued\n" if actions.reload() else "queue is full\n", status=202)

    async def accept(request: web.Request) -> web.Response:
        if request.body_exists or request.query.keys() - {"name", "dry_run"}:
            # Without a name everything is accepted: a name in the wrong place must not do that.
            error = "name what to accept in the query: ?name=VHOST, ?name=NAMESPACE, &dry_run=true"
            return json_response({"error": error}, 400)
        dry_run = request.query.get("dry_run", "false").lower() in {"", "1", "true", "yes"}
        names = request.query.getall("name", ())
        spelled = (*names, *map(vhost_spelling, names))
        held = await actions.accept(AcceptRequest(spelled, dry_run, _caller(request)))
        return json_response(accepted_withdrawals(held))

    return (
        Route(ANY, "/v1/reload", same_site_only(reload), Right.ACT),
        Route("POST", "/v1/accept", same_site_only(accept), Right.ACT),
    )


def _caller(request: web.Request) -> str:
    """Who sent the request, for the history: the address, and the name that the client gives."""
    name = printable(request.headers.get("X-Caller", ""), _MOST_CALLER)
    return f"{name} ({request.remote})" if name else str(request.remote)
