"""The routes that answer a person's question about a vhost, an app or an instance."""

import asyncio

from aiohttp import web

from drove_gateway.admin.query import number
from drove_gateway.admin.responses import json_response
from drove_gateway.admin.sources import Sources
from drove_gateway.status.explain_document import (
    MOST_NAMES,
    MOST_VHOSTS,
    explain_document,
    vhost_names,
)
from drove_gateway.status.question import LONGEST_QUESTION, subject_of


class Questions:
    """The handlers of `/v1/explain` and `/v1/vhosts`. Long searches run in a thread."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def explain(self, request: web.Request) -> web.Response:
        """Explain what the query's `q` is about."""
        question = request.query.get("q", "").strip()
        if not question or len(question) > LONGEST_QUESTION:
            error = (
                "the query needs q: a vhost, a URL, the name of an app, or an instance's host:port"
            )
            return json_response({"error": error}, 400)
        status = self._sources.current()
        subject = await asyncio.to_thread(subject_of, status.built, question, status.applied)
        readings = await self._sources.readings(status, subject.vhosts[:MOST_VHOSTS])
        document = await asyncio.to_thread(
            lambda: explain_document(status, subject, readings, self._sources.past(status))
        )
        return json_response(document)

    async def vhosts(self, request: web.Request) -> web.Response:
        """List the vhosts that begin with the query's `prefix`, at most `limit`."""
        limit = number(request, "limit", MOST_NAMES)
        prefix = request.query.get("prefix", "")
        status = self._sources.current()
        return json_response(await asyncio.to_thread(vhost_names, status, prefix, limit))
