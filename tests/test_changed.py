"""Finding what changed by identity."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.changed import changed


class Element:
    """Equal to nothing but itself."""


POOL = tuple(Element() for _ in range(6))
SEQUENCES = st.lists(st.sampled_from(POOL), max_size=6).map(tuple)


def test_one_replaced_element_is_all_that_changed() -> None:
    assert changed(POOL[:3], (POOL[0], POOL[5], POOL[2])) == ((POOL[1],), (POOL[5],))


def test_one_more_element_is_all_that_changed() -> None:
    assert changed(POOL[:3], (*POOL[:2], POOL[5], POOL[2])) == ((), (POOL[5],))


def test_the_same_sequence_has_no_change() -> None:
    assert changed(POOL, POOL) == ((), ())


@given(SEQUENCES, SEQUENCES)
def test_what_is_left_out_is_the_same_in_both(
    before: tuple[Element, ...], after: tuple[Element, ...]
) -> None:
    gone, come = changed(before, after)
    assert sorted(map(id, [*before, *come])) == sorted(map(id, [*after, *gone]))


@given(SEQUENCES, SEQUENCES)
def test_both_keep_their_order(before: tuple[Element, ...], after: tuple[Element, ...]) -> None:
    gone, come = changed(before, after)
    for part, whole in ((gone, before), (come, after)):
        rest = iter(whole)
        assert all(any(one is other for other in rest) for one in part)
