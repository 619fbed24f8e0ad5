"""Many open pages cost as much as a single page."""

import asyncio

import msgspec
from tests.admin.statuses import serving
from tests.admin.ui.test_pages import APPLIED

from drove_gateway.admin.sessions import Viewer
from drove_gateway.admin.ui.live import Live
from drove_gateway.model.about import About
from drove_gateway.status.status import Status, with_record


class Watched:
    """A status that changes, and counters of what the pages cost."""

    def __init__(self) -> None:
        self.status = serving(Status(About("1.0"), 0.0, {}, "lb1"))
        self.looks = 0
        self.renders: list[int] = []
        self.closing = asyncio.Event()
        self.live = Live(self._current, self._render)

    def change(self) -> None:
        at = msgspec.structs.replace(APPLIED, at=float(len(self.status.history)))
        self.status = with_record(self.status, at)

    def _current(self) -> Status:
        self.looks += 1
        return self.status

    def _render(self, status: Status, _: Viewer) -> bytes:
        self.renders.append(len(status.history))
        return b"%d" % len(status.history)


async def test_the_first_page_is_rendered_again_only_after_a_change() -> None:
    watched = Watched()
    assert [await watched.live.overview(Viewer()) for _ in range(5)] == [b"0"] * 5
    watched.change()
    assert await watched.live.overview(Viewer()) == b"1"
    assert watched.renders == [0, 1]


async def test_fifty_open_pages_share_each_look_and_each_rendering() -> None:
    watched = Watched()

    async def open_page() -> bytes:
        with watched.live.watching():
            await ready.wait()
            assert await watched.live.changed(10, watched.closing)
            return await watched.live.overview(Viewer())

    ready = asyncio.Event()
    pages = [asyncio.create_task(open_page()) for _ in range(50)]
    await asyncio.sleep(0)
    ready.set()
    watched.change()
    await asyncio.sleep(0)

    assert await asyncio.gather(*pages) == [b"1"] * 50
    assert watched.renders == [1]
    assert watched.live.watchers == 0


async def test_a_change_after_a_rendering_is_reported_at_the_next_look() -> None:
    watched = Watched()
    with watched.live.watching():
        assert await watched.live.overview(Viewer()) == b"0"
        watched.change()
        assert await watched.live.changed(10, watched.closing)
        assert await watched.live.overview(Viewer()) == b"1"


async def test_without_a_change_a_page_waits() -> None:
    watched = Watched()
    with watched.live.watching():
        assert not await watched.live.changed(1.5, watched.closing)


async def test_a_page_does_not_wait_when_the_api_stops() -> None:
    watched = Watched()
    with watched.live.watching():
        waiting = asyncio.create_task(watched.live.changed(3600, watched.closing))
        await asyncio.sleep(0)
        watched.closing.set()
        assert not await asyncio.wait_for(waiting, 10)
