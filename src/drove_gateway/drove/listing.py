"""Decodes the responses of `/v1/endpoints` into the model, one after the other."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import msgspec

from drove_gateway.drove.app_entry import AppEntry, app_of, read_app, rejected_of
from drove_gateway.drove.excerpt import Hide, as_it_is
from drove_gateway.drove.wire import UNREADABLE, decoded, success
from drove_gateway.model.errors import BadResponse
from drove_gateway.model.vocabulary import AppEndpoints, Rejection

# Splitting costs about 70 bytes an element, so a body of `[1,1,1,…` would cost 35 times its size.
# A response with 100,000 hosts has about 350,000 commas, and as many apps at the very most.
MOST_COMMAS = 2_000_000
MOST_APPS = 200_000

# A body with fewer commas is split in a moment. An app has three and a host three, and tags have
# some more.
_COMMAS_TO_COUNT = 100_000
_COMMAS_EACH = 50

# A controller that lists so many unreadable apps lists garbage.
MOST_REJECTED = 5_000


class EndpointsListing(msgspec.Struct, frozen=True):
    """A response of `/v1/endpoints`: its apps, in the response's order, and what was left out."""

    apps: tuple[AppEndpoints, ...]
    rejected: tuple[Rejection, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """What was read of a response, for the next to be compared with.

    `body` is a response that lists everything, None where the listing was put together. `known`
    are the readable elements by their bytes.
    """

    listing: EndpointsListing = EndpointsListing(())
    body: bytes | None = None
    known: Mapping[bytes, AppEntry] = {}


class Merge(msgspec.Struct, frozen=True):
    """A response that lists some apps, merged into what was known; `reading` None: not possible.

    `ignored` says that other apps were listed as well: the controller ignores which were requested.
    """

    reading: Reading | None = None
    ignored: bool = False


class _Envelope(msgspec.Struct):
    status: str = ""
    data: list[msgspec.Raw] | None = None


_ENDPOINTS = msgspec.json.Decoder(_Envelope)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


class EndpointsDecoder:
    """Decodes a namespace's responses, and remembers the last, so that the cost follows the change.

    Equal bytes return the same `EndpointsListing`, and an app whose bytes are equal the same
    `AppEndpoints`: later stages may compare by identity first. `read` and `merge` change nothing,
    so that they can run in a thread that nobody waits for any more; `keep` does.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._last = Reading()

    def decode(self, body: bytes) -> EndpointsListing:
        """Return what `body` lists, and remember it. Raises BadResponse."""
        return self.keep(self.read(body))

    def keep(self, reading: Reading) -> EndpointsListing:
        """Remember `reading` as the last response; return its listing."""
        self._last = reading
        return reading.listing

    def read(self, body: bytes, hide: Hide = as_it_is) -> Reading:
        """Read a response that lists everything. Raises BadResponse.

        A host or an app with wrong types becomes a `Rejection`, and the others are kept. When no
        app can be read the whole response is bad, since an empty list would mean that nothing runs.
        """
        last = self._last
        if body == last.body:
            return last
        entries, known = self._entries(_elements(body, hide), hide)
        listing = _listing(entries, last.listing.apps)
        if listing.rejected and not listing.apps:
            raise BadResponse(
                f"no app in the response can be read; the first problem: "
                f"{listing.rejected[0].reason}"
            )
        if _same(listing.apps, last.listing.apps) and listing.rejected == last.listing.rejected:
            listing = last.listing
        return Reading(listing, body, known)

    def merge(self, body: bytes, names: Collection[str], hide: Hide = as_it_is) -> Merge:
        """Read a response that lists the apps of `names`, all versions. Raises BadResponse.

        It replaces these apps in the last response, whose order it keeps. A response with an app
        that cannot be read is not merged.
        """
        last = self._last
        entries, known = self._entries(_elements(body, hide), hide)
        listing = _listing(entries, last.listing.apps)
        if any(app.app_name not in names for app in listing.apps):
            return Merge(ignored=True)
        if listing.rejected:
            return Merge()
        apps = _merged(last.listing.apps, listing.apps, names)
        if _same(apps, last.listing.apps):
            return Merge(last)
        rejected = last.listing.rejected
        return Merge(Reading(EndpointsListing(apps, rejected), None, {**last.known, **known}))

    def _entries(
        self, elements: Sequence[msgspec.Raw], hide: Hide
    ) -> tuple[list[AppEntry], Mapping[bytes, AppEntry]]:
        before = self._last.known
        known: dict[bytes, AppEntry] = {}
        entries: list[AppEntry] = []
        rejected = 0
        for element in elements:
            raw = bytes(element)
            entry = known.get(raw) or before.get(raw) or read_app(raw, self._namespace, hide)
            known[raw] = entry
            entries.append(entry)
            rejected += isinstance(entry, Rejection)
            if rejected > MOST_REJECTED:
                raise BadResponse(
                    f"more than {MOST_REJECTED:,} apps in the response cannot be read"
                )
        return entries, known


def differing_apps(before: EndpointsListing, after: EndpointsListing) -> tuple[str, ...]:
    """Return the ids of the apps that are not the same in both, whatever the order."""
    if before is after:
        return ()
    old, new = _contents(before), _contents(after)
    return tuple(sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)))


def _contents(listing: EndpointsListing) -> Mapping[str, set[tuple[object, ...]]]:
    found: dict[str, set[tuple[object, ...]]] = {}
    for app in listing.apps:
        tags = tuple(sorted(app.tags.items()))
        found.setdefault(app.app_id, set()).add((app.vhost, tags, frozenset(app.hosts)))
    return found


def _listing(entries: Sequence[AppEntry], before: Sequence[AppEndpoints]) -> EndpointsListing:
    apps = [app for app in map(app_of, entries) if app is not None]
    rejected = dict.fromkeys(each for entry in entries for each in rejected_of(entry))
    return EndpointsListing(_distinct(apps, before), tuple(rejected))


def _distinct(
    apps: Sequence[AppEndpoints], before: Sequence[AppEndpoints]
) -> tuple[AppEndpoints, ...]:
    """Make the ids of entries distinct: of an app that is listed several times, each entry counts.

    A later entry of `web-1` becomes `web-1 (2)`. What is as in `before` is the same object.
    """
    if len({app.app_id for app in apps}) == len(apps):
        return tuple(apps)
    known = {app.app_id: app for app in before}
    found: dict[str, AppEndpoints] = {}
    counts: dict[str, int] = {}
    for app in apps:
        name = app.app_id
        while name in found:
            counts[app.app_id] = counts.get(app.app_id, 1) + 1
            name = f"{app.app_id} ({counts[app.app_id]})"
        entry = app if name == app.app_id else msgspec.structs.replace(app, app_id=name)
        found[name] = known[name] if known.get(name) == entry else entry
    return tuple(found.values())


def _merged(
    before: Sequence[AppEndpoints], fresh: Sequence[AppEndpoints], names: Collection[str]
) -> tuple[AppEndpoints, ...]:
    """Put the apps of `names` into `before`. An app that did not change stays the same object."""
    coming: dict[str, list[AppEndpoints]] = {}
    for app in fresh:
        coming.setdefault(app.app_id, []).append(app)
    merged: list[AppEndpoints] = []
    for app in before:
        if app.app_name not in names:
            merged.append(app)
        elif same_id := coming.get(app.app_id):
            replacement = same_id.pop(0)
            merged.append(app if app == replacement else replacement)
    merged += [app for left in coming.values() for app in left]
    in_order = all(old.app_id <= new.app_id for old, new in pairwise(before))
    return tuple(sorted(merged, key=lambda app: app.app_id) if in_order else merged)


def _same(first: Sequence[AppEndpoints], second: Sequence[AppEndpoints]) -> bool:
    return len(first) == len(second) and all(
        old is new for old, new in zip(first, second, strict=True)
    )


def _elements(body: bytes, hide: Hide) -> list[msgspec.Raw]:
    _refuse_garbage(body)
    elements = _split(body, hide)
    if len(elements) > MOST_APPS:
        raise BadResponse(
            f"the response lists {len(elements):,} apps, more than any cluster produces"
        )
    return elements


def _refuse_garbage(body: bytes) -> None:
    """Count what a list of apps has, since splitting cannot be interrupted. Raises BadResponse."""
    commas = body.count(b",")
    if commas > MOST_COMMAS:
        raise BadResponse(
            f"the response has more than {MOST_COMMAS:,} commas, more than any cluster produces"
        )
    if commas < _COMMAS_TO_COUNT:
        return
    apps = body.count(b'"hosts"')
    if apps > MOST_APPS:
        raise BadResponse(f"the response lists {apps:,} apps, more than any cluster produces")
    if commas > _COMMAS_EACH * (apps + body.count(b'"port"')):
        raise BadResponse(
            f"the response has {commas:,} commas and lists hardly any apps, as no cluster does"
        )


def _split(body: bytes, hide: Hide) -> list[msgspec.Raw]:
    try:
        envelope = _ENDPOINTS.decode(body)
    except UNREADABLE:
        envelope = _Envelope()
    if envelope.status == "SUCCESS" and envelope.data is not None:
        return envelope.data
    # Looked at once more, piece by piece, to say what is wrong.
    data = success(body, hide)
    return decoded(_ELEMENTS, data, "the response is not a list of endpoints", hide)
