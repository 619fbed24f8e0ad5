"""The routes, each stated once. Every answer is made from the status of that moment."""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from drove_gateway.admin import views
from drove_gateway.admin.access import Access, Right, permitted
from drove_gateway.admin.answers import (
    Handler,
    from_own_site,
    json_answer,
    teach,
    text_answer,
)
from drove_gateway.metrics import CONTENT_TYPE, Metrics
from drove_gateway.status.status import Status
from drove_gateway.topology.guard import HeldWithdrawal

ANY = "*"
_MOST_BODY = 4096


class Route(msgspec.Struct, frozen=True):
    """One route, and the right that it needs.

    `method` is `ANY` where every method does the same.
    """

    method: str
    path: str
    handler: Handler
    right: Right = Right.READ

    @property
    def title(self) -> str:
        """As the reference and the errors name it."""
        return f"{'any method' if self.method == ANY else self.method} {self.path}"


class Actions(msgspec.Struct, frozen=True):
    """What can be asked for.

    `reload` asks Drove again and applies; it says whether that was queued, or so much is queued
    already that it makes no difference. `accept` lets go what the guard holds, and says what.
    """

    reload: Callable[[], bool]
    accept: Callable[[], tuple[HeldWithdrawal, ...]]


def application(
    current: Callable[[], Status], metrics: Metrics, actions: Actions, access: Access
) -> web.Application:
    """The API over `current()`, the latest status, for those whom `access` allows it."""
    table = routes(current, metrics, actions)
    app = web.Application(
        client_max_size=_MOST_BODY, middlewares=[teach(tuple(one.title for one in table))]
    )
    for one in table:
        handler = permitted(one.handler, one.right, access)
        app.router.add_route(one.method, one.path, handler)
        if one.method == "GET":
            app.router.add_route("HEAD", one.path, handler)
    return app


def routes(current: Callable[[], Status], metrics: Metrics, actions: Actions) -> tuple[Route, ...]:
    """All routes, in the order in which they are documented."""

    async def version(_: web.Request) -> web.Response:
        return text_answer(current().about.lines())

    async def reload(_: web.Request) -> web.Response:
        return text_answer("queued\n" if actions.reload() else "queue is full\n", status=202)

    async def accept(_: web.Request) -> web.Response:
        return json_answer({"accepted": [views.held(one) for one in actions.accept()]})

    async def config(_: web.Request) -> web.Response:
        return json_answer(views.config(current()))

    async def health(_: web.Request) -> web.Response:
        status = current()
        return json_answer(views.health(status), 200 if status.healthy else 500)

    async def count(_: web.Request) -> web.Response:
        metrics.mirror(current())
        metrics.tasks(len(asyncio.all_tasks()))
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def full(_: web.Request) -> web.Response:
        return json_answer(views.full(current()))

    return (
        Route("GET", "/", version, Right.NONE),
        Route("GET", "/v1/health", health, Right.NONE),
        Route("GET", "/v1/status", full),
        Route("GET", "/v1/config", config),
        Route("GET", "/v1/metrics", count),
        Route(ANY, "/v1/reload", from_own_site(reload), Right.ACT),
        Route("POST", "/v1/accept", from_own_site(accept), Right.ACT),
    )
