"""Which controller leads, decided from each controller's response to a ping. Pure.

A stand-by and a cluster that is electing respond alike, with status 400; two controllers may
respond with 200 for a moment while the leadership moves, and the deposed leader soon responds with
400.
"""

import enum
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from drove_gateway.model.vocabulary import Leader

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Standing(enum.Enum):
    """What a controller is, by its response to a ping."""

    LEADS = "leads"
    STANDS_BY = "stands by"  # 400
    ABSENT = "absent"  # nothing listens there
    UNWELL = "unwell"  # too slow, cut off, another status, or not a controller's response


class Ping(msgspec.Struct, frozen=True):
    """A controller's response to a ping, a message about it, and whether there was a response.

    `denied` says that the controller refuses the credentials.
    """

    standing: Standing
    message: str = "OK"
    answered: bool = True
    denied: bool = False


class Leadership(msgspec.Struct, frozen=True):
    """Who is asked: an index into the configured controllers, or None.

    `term` counts the leaderships seen. `took_over` says that this one began while we watched, so
    that the leader may not know all its instances yet; one that was found at the first look is
    taken as settled.
    """

    leader: int | None = None
    term: int = 0
    took_over: bool = False
    looked: bool = False


def follow(now: Leadership, pings: Sequence[Ping], *, doubted: bool = False) -> Leadership:
    """Return the leadership after a round of `pings`, which are in the configured order.

    The current leader stays while it says that it leads: another controller that says so too is
    either deposed or will still be there when the current leader responds with 400. `doubted` says
    that the current leader fails to respond as a leader must; then another is preferred. Where none
    leads, an unwell leader is still asked: it may be slow, not deposed.
    """
    leading = [place for place, ping in enumerate(pings) if ping.standing is Standing.LEADS]
    if doubted:
        leading = [place for place in leading if place != now.leader] or leading
    if now.leader in leading:
        return _looked(now)
    if leading:
        return Leadership(leading[0], term=now.term + 1, took_over=now.looked, looked=True)
    if now.leader is not None and pings[now.leader].standing is Standing.UNWELL:
        return now
    return Leadership(None, term=now.term, looked=True)


def leader_of(url: str) -> Leader:
    """The leader as a template sees it: the configured URL, and the host and port split from it.

    Without a port it is the scheme's. Credentials in the URL are left out.
    """
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    host = parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return Leader(endpoint=parts._replace(netloc=address).geturl(), host=host, port=port)


def _looked(now: Leadership) -> Leadership:
    return now if now.looked else msgspec.structs.replace(now, looked=True)
