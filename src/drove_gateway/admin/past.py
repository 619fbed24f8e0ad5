"""The route of the history for programs."""

import asyncio

from aiohttp import web

from drove_gateway.admin.query import number
from drove_gateway.admin.responses import json_response
from drove_gateway.admin.sources import Sources
from drove_gateway.state.journal import Journal
from drove_gateway.status.history_document import HistoryDocument, history_document

_MOST = 200


class Past:
    """The handler of `/v1/history`. Entries are decoded in a thread."""

    def __init__(self, sources: Sources) -> None:
        self._journal = sources.journal

    async def history(self, request: web.Request) -> web.Response:
        """List applies; the query has `before`, a number, and `limit`."""
        limit = min(number(request, "limit", _MOST), _MOST)
        before = request.query.get("before", "")
        document = await asyncio.to_thread(_document, self._journal, before, limit)
        return json_response(document)


def _document(journal: Journal, before: str, limit: int) -> HistoryDocument:
    return history_document(journal.applies(), journal.events(limit), before, limit)
