"""The process ends, whatever its threads wait for."""

import queue

from drove_gateway.process.ending import end_within


def test_a_process_that_does_not_end_in_time_says_so_and_ends() -> None:
    events: queue.SimpleQueue[object] = queue.SimpleQueue()
    end_within(0.01, lambda: events.put("last words"), leave=events.put)
    assert [events.get(timeout=10), events.get(timeout=10)] == ["last words", 0]


def test_it_ends_although_the_last_words_cannot_be_written() -> None:
    hang: queue.SimpleQueue[int] = queue.SimpleQueue()
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    end_within(0.01, lambda: print(hang.get()), leave=left.put)
    assert left.get(timeout=10) == 0
    hang.put(0)
