"""The hash of a desired state, the same on every gateway that wants the same. Pure.

It covers the vhosts with their servers, tags and host groups, and the leaders that are served at a
vhost. The order of servers and vhosts does not matter, and neither does what a proxy makes of it.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from drove_gateway.model.versioned_map import VersionedMap, versioned
from drove_gateway.model.vocabulary import App, Topology

_MODULUS = 1 << 256
_SHOWN = 16

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Fingerprint(msgspec.Struct, frozen=True):
    """The hash of a topology as `text`; `shards` are the parts that the next one may share."""

    text: str
    shards: tuple[tuple[Mapping[str, App], int], ...] = ()


NO_FINGERPRINT = Fingerprint("")


def fingerprint(topology: Topology, before: Fingerprint = NO_FINGERPRINT) -> Fingerprint:
    """Return the hash of `topology`. What it shares with the topology of `before` costs nothing."""
    apps: VersionedMap[App] = versioned(topology.apps)
    known = before.shards or tuple((shard, -1) for shard in apps.shards)
    shards = tuple(
        (shard, total if shard is old and total >= 0 else _total(shard))
        for shard, (old, total) in zip(apps.shards, known, strict=True)
    )
    leaders = sorted(
        (seen.leader_vhost.lower(), seen.leader.endpoint)
        for seen in topology.namespaces.values()
        if seen.leader_vhost
    )
    total = sum(each for _, each in shards) % _MODULUS
    digest = hashlib.sha256(total.to_bytes(32) + _ENCODER.encode(leaders))
    return Fingerprint(digest.hexdigest()[:_SHOWN], shards)


def _total(shard: Mapping[str, App]) -> int:
    """The sum of the hashes of the vhosts: independent of their order."""
    return sum(_hash(vhost, app) for vhost, app in shard.items())


def _hash(vhost: str, app: App) -> int:
    groups = {name: (sorted(group.hosts), group.tags) for name, group in app.groups.items()}
    content = (vhost, sorted(app.hosts), app.tags, groups, app.routing_tag_key)
    return int.from_bytes(hashlib.sha256(_ENCODER.encode(content)).digest())
