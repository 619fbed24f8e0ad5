"""A mapping whose versions share what did not change: a dictionary in all but its cost."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.versioned_map import VersionedMap, changed_keys, versioned

KEYS = st.text(alphabet="abc.-\N{LATIN SMALL LETTER E WITH ACUTE}", max_size=4)
MAPPINGS = st.dictionaries(KEYS, st.integers(0, 3), max_size=30)


@given(MAPPINGS)
def test_it_reads_as_a_dictionary(items: dict[str, int]) -> None:
    made = VersionedMap(items)
    assert made == items
    assert len(made) == len(items)
    assert sorted(made) == sorted(items)
    assert dict(made.items()) == items
    assert sorted(made.values()) == sorted(items.values())
    assert all(key in made and made.get(key) == value for key, value in items.items())


@given(MAPPINGS, MAPPINGS, st.sets(KEYS))
def test_a_version_has_the_changes_and_leaves_the_one_before_alone(
    items: dict[str, int], changes: dict[str, int], without: set[str]
) -> None:
    before = VersionedMap(items)
    after = before.updated(changes, without=without)
    kept = {key: value for key, value in items.items() if key not in without}
    assert after == {**kept, **changes}
    assert len(after) == len({**kept, **changes})
    assert before == items


@given(MAPPINGS, MAPPINGS)
def test_versions_differ_in_what_was_changed(
    items: dict[str, int], changes: dict[str, int]
) -> None:
    before = VersionedMap(items)
    gone = sorted(items)[::2]
    after = before.updated(changes, without=gone)
    expected = sorted(
        key
        for key in before.keys() | after.keys()
        if before.get(key) is not after.get(key) or (key in before) != (key in after)
    )
    assert changed_keys(before, after) == expected
    assert changed_keys(dict(before.items()), dict(after.items())) == expected


def test_keys_and_values_of_any_kind_are_reported_apart() -> None:
    assert changed_keys(VersionedMap(), VersionedMap({"none": None})) == ["none"]
    assert changed_keys(VersionedMap({"same": "a"}), VersionedMap({"same": "a"})) == []
    number: Any = 7
    assert number not in VersionedMap({"7": 7})
    with pytest.raises(KeyError, match="absent"):
        VersionedMap({"here": 1})["absent"]


def test_what_does_not_change_is_shared() -> None:
    before = VersionedMap({f"app{number}.example.com": number for number in range(2_000)})
    after = before.updated({"app7.example.com": 0})
    same = [shard is other for shard, other in zip(before.shards, after.shards, strict=True)]
    assert same.count(False) == 1


def test_a_sharded_mapping_is_taken_as_it_is() -> None:
    made: Mapping[str, int] = VersionedMap({"a": 1})
    assert versioned(made) is made
    assert versioned({"a": 1}) == made
