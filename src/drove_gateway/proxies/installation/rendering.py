"""Rendering off the event loop: a large template is seconds of work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from drove_gateway.gotemplate import Template
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.render import Rendered

Render = Callable[[Template, Topology], Rendered]
_T = TypeVar("_T")


class RenderMetrics(Protocol):
    """What rendering counts."""

    def template_interpreted_renders(self) -> None: ...


class Renderer:
    """Renders in a thread, one rendering at a time.

    `interpreted_because` is why the last rendering was slow, empty when it was not: see `Template`.
    """

    def __init__(self, render: Render, metrics: RenderMetrics) -> None:
        self.interpreted_because = ""
        self._render = render
        self._metrics = metrics
        self._rendering = asyncio.Lock()

    async def rendered(self, template: Template, topology: Topology) -> Rendered:
        """What `template` makes of `topology`. Raises RenderError.

        Where the caller is cancelled, the thread cannot be: its end is waited for, which the
        template's limits bound, so that a template is never executed twice at the same time.
        """
        async with self._rendering:
            result = await to_the_end(lambda: self._render(template, topology))
        self.interpreted_because = result.interpreted_because
        if result.interpreted_because:
            self._metrics.template_interpreted_renders()
        return result


async def to_the_end(work: Callable[[], _T]) -> _T:
    """Run `work` in a thread, and return or raise what it does, not before it has ended."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        while not thread.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([thread])
        thread.exception()  # nobody is left to hear of it
        raise
