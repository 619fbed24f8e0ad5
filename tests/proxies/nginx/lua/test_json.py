"""The JSON that the balancer reads and writes is JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules

_MODULES = Modules()
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES, st.booleans())
def test_what_python_writes_comes_back_the_same(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert _MODULES.decode(text) == (value, "")


@given(st.binary(max_size=40))
def test_any_bytes_are_either_read_as_python_reads_them_or_refused(data: bytes) -> None:
    value, problem = _MODULES.decode(data)
    if not problem:
        assert value == json.loads(data)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{", "[", "[1", "[1,]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '"', '"\\x"'),
        *('"\\u12"', '"\\ud800"', '"\n"', "01", "1.", "-", "1e", "+1", "nul", "truee", "1 2"),
        *("'a'", "NaN", "Infinity", "1e999", "[" * 40 + "]" * 40, "{1:2}"),
    ],
)
def test_malformed_json_is_refused_with_its_place(text: str) -> None:
    value, problem = _MODULES.decode(text.encode())
    assert value is None
    assert "at byte" in problem
