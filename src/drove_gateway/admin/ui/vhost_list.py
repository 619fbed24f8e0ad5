"""The vhosts as pages of a list, searched on the server. Pure."""

from itertools import islice

import msgspec

from drove_gateway.status.status import Status

PAGE = 50


class VhostRow(msgspec.Struct, frozen=True):
    """A vhost in the list: how many servers it should have, and how many it had at the last
    apply."""

    vhost: str
    wanted: int
    applied: int


class VhostPage(msgspec.Struct, frozen=True):
    """A page of the list; `more` says that another follows."""

    rows: tuple[VhostRow, ...]
    found: int
    number: int
    more: bool


def vhost_page(status: Status, search: str, number: int) -> VhostPage:
    """Return page `number`, from 1 on, of the vhosts that contain `search`."""
    wanted, applied = status.built.topology.apps, status.applied.apps
    word = search.strip().lower()
    names = sorted(name for name in {*wanted, *applied} if word in name)
    number = max(1, min(number, -(-len(names) // PAGE)))
    shown = islice(names, (number - 1) * PAGE, number * PAGE)
    rows = tuple(
        VhostRow(
            name,
            len(wanted[name].hosts) if name in wanted else 0,
            len(applied[name].hosts) if name in applied else 0,
        )
        for name in shown
    )
    return VhostPage(rows, len(names), number, number * PAGE < len(names))
