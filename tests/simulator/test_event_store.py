"""The event store alone, with a clock that stands still."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.simulator.events import KEPT_MS, EventStore


class Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


def test_events_of_one_millisecond_share_a_key() -> None:
    store = EventStore(Clock())
    store.record("A", {})
    store.record("B", {})
    assert [event.type for event in store.after(999, 10)] == ["B", "A"]
    assert store.after(1_000, 10) == []
    store.record("C", {})
    assert store.after(store.sync_time(0), 10) == []


def test_an_empty_store_returns_the_cursor_that_was_sent() -> None:
    store = EventStore(Clock())
    assert store.sync_time(77) == 77
    store.record("A", {})
    store.clear()
    assert store.sync_time(77) == 77


def test_events_are_kept_an_hour() -> None:
    clock = Clock()
    store = EventStore(clock)
    store.record("A", {})
    clock.now += KEPT_MS
    store.record("B", {})
    assert store.counts_after(0) == {"A": 1, "B": 1}
    clock.now += 1
    store.record("C", {})
    assert store.counts_after(0) == {"B": 1, "C": 1}


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 200))
def test_summary_and_list_agree_indefinitelyy_cursor(steps: list[int], cursor: int) -> None:
    clock = Clock()
    clock.now = 1
    store = EventStore(clock)
    for step in steps:
        clock.now += step
        store.record("A", {})
    listed = store.after(cursor, 1_000)
    assert store.counts_after(cursor) == ({"A": len(listed)} if listed else {})
    assert all(event.time > cursor for event in listed)
