"""Read configurations that follow each other: only what differs from a text before is read. Pure.

A configuration of 1,000 vhosts has half a megabyte, and most changes concern a single vhost. The
beginning and the end that two texts share are found by comparing memory; the sections in between
are read again. The result is that of `read_configuration`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import msgspec

from drove_gateway.model.common_text import common_prefix, common_suffix
from drove_gateway.proxies.haproxy.shared_part import (
    Configuration,
    Section,
    configuration,
    read_sections,
)

_KEPT_TEXTS = 4


class _Known(msgspec.Struct, frozen=True):
    """A text that was read."""

    text: str
    sections: Sequence[Section]
    configuration: Configuration


class ConfigurationReader:
    """Reads texts, and remembers the last few. May be used by several threads."""

    def __init__(self, is_ours: Callable[[str], bool] = lambda _: False) -> None:
        """`is_ours` knows the names of servers that the gateway gives."""
        self.is_ours = is_ours
        # The newest first; replaced as a whole, so that threads see it complete.
        self._known: tuple[_Known, ...] = ()

    def read(self, text: str) -> Configuration:
        """Return what `read_configuration` returns for `text`."""
        known = self._known
        found = next((each for each in known if each.text == text), None)
        if found is None:
            sections = (
                sections_after(known[0].text, known[0].sections, text, self.is_ours)
                if known
                else read_sections(text, self.is_ours)
            )
            found = _Known(text, sections, configuration(sections, self.is_ours))
        others = [each for each in known if each is not found]
        self._known = (found, *others[: _KEPT_TEXTS - 1])
        return found.configuration


def sections_after(
    before: str, sections: Sequence[Section], text: str, is_ours: Callable[[str], bool]
) -> list[Section]:
    """Return the sections of `text`, where `sections` are those of the text `before`."""
    begin = common_prefix(before, text)
    end = common_suffix(before, text, min(len(before), len(text)) - begin)
    starts = [section.start for section in sections]
    # The first section that is read again has its whole first line in what both texts share: it is
    # the last but one that begins there. So the lines that follow cannot belong to an earlier one.
    first = max(bisect_left(starts, begin) - 2, 0)
    # The first section that is kept follows a line break that both texts have.
    rest = bisect_right(starts, len(before) - end)
    longer = len(text) - len(before)
    stop = starts[rest] + longer if rest < len(starts) else len(text)
    new = read_sections(text[starts[first] : stop], is_ours, starts[first])
    if first:
        # It begins with the first line of a section: nothing comes before that.
        del new[0]
    kept = sections[rest:]
    if longer:
        kept = [msgspec.structs.replace(each, start=each.start + longer) for each in kept]
    return [*sections[:first], *new, *kept]
