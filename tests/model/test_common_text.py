"""What two texts have in common at their ends."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.common_text import common_prefix, common_suffix

TEXTS = st.text("ab\n", max_size=30)


@given(TEXTS, TEXTS)
def test_the_prefix_is_the_longest_that_both_begin_with(text: str, other: str) -> None:
    shared = common_prefix(text, other)
    assert text[:shared] == other[:shared]
    assert text[shared : shared + 1] != other[shared : shared + 1] or text == other


@given(TEXTS, TEXTS, st.integers(0, 30))
def test_the_suffix_is_the_longest_that_both_end_with_within_the_limit(
    text: str, other: str, limit: int
) -> None:
    most = min(limit, len(text), len(other))
    shared = common_suffix(text, other, most)
    assert text[len(text) - shared :] == other[len(other) - shared :]
    longer = shared + 1
    assert longer > most or text[len(text) - longer :] != other[len(other) - longer :]
