"""What all open pages share: a look at the status each second, and the rendered first page.

The cost of many open pages is that of one: the status is compared once, and the first page is
rendered once for all that look again.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drove_gateway.admin.sessions import Viewer
from drove_gateway.status.status import Status

_LOOK_SECONDS = 1.0
# While changes come all the time, pages look again at this pace.
_REST_SECONDS = 2.0


class Live:
    """Tells open pages when to look again, and keeps the first page for them.

    `render` makes the first page; it runs in a thread.
    """

    def __init__(
        self, current: Callable[[], Status], render: Callable[[Status, Viewer], bytes]
    ) -> None:
        self._current = current
        self._render = render
        self._watchers = 0
        self._version = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._rendering = asyncio.Lock()
        self._rendered: dict[Viewer, tuple[int, Status, bytes]] = {}

    @property
    def watchers(self) -> int:
        """How many pages are open."""
        return self._watchers

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count an open page; the status is looked at while there is a page."""
        self._watchers += 1
        if self._task is None:
            self._version += 1
            self._task = asyncio.create_task(self._look(self._current()))
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def changed(self, seconds: float, closing: asyncio.Event) -> bool:
        """Wait until pages would look different, for at most `seconds` and until `closing`;
        whether they do."""
        waits = [asyncio.create_task(event.wait()) for event in (self._changed, closing)]
        try:
            first, _ = await asyncio.wait(
                waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()
        return waits[0] in first

    async def overview(self, viewer: Viewer) -> bytes:
        """Return the first page as of now, or as of the last look while pages are open.

        There are few viewers: those that may act, and the others.
        """
        async with self._rendering:
            version, status = self._version, self._current()
            if viewer in self._rendered:
                of_version, of_status, page = self._rendered[viewer]
                looked_at = self._task is not None and of_version == version
                if looked_at or not differs(of_status, status):
                    return page
            page = await asyncio.to_thread(self._render, status, viewer)
            self._rendered[viewer] = version, status, page
            return page

    async def _look(self, seen: Status) -> None:
        """Compare the status with that of the last look, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            latest = self._current()
            if differs(seen, latest):
                seen = latest
                self._version += 1
                self._changed.set()
                self._changed = asyncio.Event()
                await asyncio.sleep(_REST_SECONDS - _LOOK_SECONDS)


def differs(shown: Status, latest: Status) -> bool:
    """Whether a page would look different; times of polls do not count."""
    return (
        shown.history is not latest.history
        or shown.progress != latest.progress
        or shown.built is not latest.built
        or shown.held != latest.held
        or shown.stored.problem != latest.stored.problem
        or shown.history_problem != latest.history_problem
        or shown.restored != latest.restored
        or shown.since != latest.since
        or shown.reloads != latest.reloads
        or [(view.endpoints, view.last_error) for view in shown.namespaces]
        != [(view.endpoints, view.last_error) for view in latest.namespaces]
        or shown.proxy != latest.proxy
    )
