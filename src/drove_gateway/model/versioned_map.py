"""A mapping whose versions share what did not change. Pure.

With plain dictionaries a new version costs a copy, and comparing two costs a look at every key: at
10,000 vhosts a few passes over them cost more than a change. Here the keys lie in shards.
A new version copies the shards that change, and two versions differ only where a shard is not the
same object.
"""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain, compress, repeat
from operator import is_not
from typing import Any, Final, TypeVar
from zlib import crc32

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)

# As many shards as a shard has keys, at 65,536 keys; both a copy and a comparison are short then.
_SHARDS = 256
_NOTHING: Final[Any] = object()


class VersionedMap(Mapping[str, V_co]):
    """An immutable mapping of strings. Its order is that of the keys' hashes, on every machine."""

    __slots__ = ("_shards", "_size")

    def __init__(self, items: Mapping[str, V_co] | Iterable[tuple[str, V_co]] = ()) -> None:
        shards: tuple[dict[str, V_co], ...] = tuple({} for _ in range(_SHARDS))
        for key, value in items.items() if isinstance(items, Mapping) else items:
            shards[_shard(key)][key] = value
        self._shards = shards
        self._size = sum(map(len, shards))

    def __getitem__(self, key: str) -> V_co:
        return self._shards[_shard(key)][key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._shards[_shard(key)]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._shards)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"ShardedMap({dict(self.items())!r})"

    def items(self) -> ItemsView[str, V_co]:
        """As a dictionary's, at a dictionary's speed."""
        return _Items(self)

    def values(self) -> ValuesView[V_co]:
        """As a dictionary's, at a dictionary's speed."""
        return _Values(self)

    @property
    def shards(self) -> tuple[Mapping[str, V_co], ...]:
        """The parts, to be compared by identity with another version's."""
        return self._shards

    def updated(
        self: "VersionedMap[V]", changes: Mapping[str, V], without: Iterable[str] = ()
    ) -> "VersionedMap[V]":
        """A version without the keys of `without`, and with `changes`."""
        shards = list(self._shards)
        copied: set[int] = set()

        def own(key: str) -> dict[str, V]:
            number = _shard(key)
            if number not in copied:
                copied.add(number)
                shards[number] = dict(shards[number])
            return shards[number]

        for key in without:
            if key in self:
                own(key).pop(key, None)
        for key, value in changes.items():
            own(key)[key] = value
        version: VersionedMap[V] = object.__new__(VersionedMap)
        version._shards = tuple(shards)
        version._size = self._size + sum(
            len(shards[number]) - len(self._shards[number]) for number in copied
        )
        return version


def versioned(mapping: Mapping[str, V]) -> VersionedMap[V]:
    """`mapping` itself where it is sharded already."""
    return mapping if isinstance(mapping, VersionedMap) else VersionedMap(mapping)


def changed_keys(before: Mapping[str, V], after: Mapping[str, V]) -> list[str]:
    """Return the sorted keys that only one map has, or whose values are not the same object."""
    if isinstance(before, VersionedMap) and isinstance(after, VersionedMap):
        others = map(is_not, before.shards, after.shards)
        pairs = compress(zip(before.shards, after.shards, strict=True), others)
        return sorted(key for old, new in pairs for key in _differing(old, new))
    return sorted(_differing(before, after))


def _differing(before: Mapping[str, V], after: Mapping[str, V]) -> Iterator[str]:
    others = map(is_not, map(before.get, after, repeat(_NOTHING)), after.values())
    yield from compress(after, others)
    yield from (key for key in before if key not in after)


def _shard(key: str) -> int:
    return crc32(key.encode(errors="surrogatepass")) % _SHARDS


class _Items(ItemsView[str, V_co]):
    _mapping: VersionedMap[V_co]

    def __iter__(self) -> Iterator[tuple[str, V_co]]:
        return chain.from_iterable(shard.items() for shard in self._mapping.shards)


class _Values(ValuesView[V_co]):
    _mapping: VersionedMap[V_co]

    def __iter__(self) -> Iterator[V_co]:
        return chain.from_iterable(shard.values() for shard in self._mapping.shards)
