"""The process ends, whatever its threads wait for."""

import queue

import pytest

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


def test_its_exit_code_says_whether_that_was_a_failure() -> None:
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    end_within(0.01, lambda: None, leave=left.put, code=1)
    assert left.get(timeout=10) == 1


def test_it_lives_on_when_what_it_waited_for_has_ended() -> None:
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended = end_within(0.2, lambda: None, leave=left.put)
    ended()
    with pytest.raises(queue.Empty):
        left.get(timeout=0.5)
