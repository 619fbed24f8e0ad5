"""Finding what changed, by identity and, where nothing is different, by equality."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.identity_diff import identity_diff


class Element:
    """Equal to nothing but itself."""


POOL = tuple(Element() for _ in range(6))
SEQUENCES = st.lists(st.sampled_from(POOL), max_size=6).map(tuple)


def test_one_replaced_element_is_all_that_changed() -> None:
    assert identity_diff(POOL[:3], (POOL[0], POOL[5], POOL[2])) == ((POOL[1],), (POOL[5],))


def test_one_more_element_is_all_that_changed() -> None:
    assert identity_diff(POOL[:3], (*POOL[:2], POOL[5], POOL[2])) == ((), (POOL[5],))


def test_the_same_sequence_has_no_change() -> None:
    assert identity_diff(POOL, POOL) == ((), ())


def test_a_long_sequence_is_searched_to_its_end() -> None:
    before = tuple(Element() for _ in range(1_000))
    for place in (0, 255, 256, 511, 999):
        other = Element()
        after = (*before[:place], other, *before[place + 1 :])
        assert identity_diff(before, after) == ((before[place],), (other,))
        assert identity_diff(before, (*before[:place], *before[place + 1 :])) == (
            (before[place],),
            (),
        )
        assert identity_diff(before, (*before[:place], other, *before[place:])) == ((), (other,))


def test_equal_sequences_of_other_objects_have_no_change() -> None:
    assert identity_diff(([1], [2]), ([1], [2])) == ((), ())


@given(SEQUENCES, SEQUENCES)
def test_what_is_left_out_is_the_same_in_both(
    before: tuple[Element, ...], after: tuple[Element, ...]
) -> None:
    gone, come = identity_diff(before, after)
    assert sorted(map(id, [*before, *come])) == sorted(map(id, [*after, *gone]))


@given(SEQUENCES, SEQUENCES)
def test_both_keep_their_order(before: tuple[Element, ...], after: tuple[Element, ...]) -> None:
    gone, come = identity_diff(before, after)
    for part, whole in ((gone, before), (come, after)):
        rest = iter(whole)
        assert all(any(member is other for other in rest) for member in part)
