"""Every value of a wrong type is refused in our own words, never in the library's."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import load
from drove_gateway.config.draft import Draft
from drove_gateway.config.sentences import UNEXPECTED, keys_of
from drove_gateway.config.settings import NamespaceSettings, Settings
from drove_gateway.config.validate import validate
from drove_gateway.model.errors import ConfigError

scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.just(date(2026, 11, 22)),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
NAMESPACE = {"name": "stage1", "drove": ["http://controller1"]}
# What pydantic would say.
FOREIGN = ("Input should", "Value error", "Field required", "String should", "valid tuple")


def _check(values: dict[str, object]) -> None:
    verdict = validate(Draft("nixy.toml", values))
    for line in (*map(str, verdict.problems), *(notice.text for notice in verdict.unknown)):
        assert line.startswith("nixy.toml: ")
        assert "\n" not in line
        assert line.isprintable()
        assert not any(words in line for words in FOREIGN)
        assert not line.endswith(UNEXPECTED)


@given(st.dictionaries(st.sampled_from(keys_of(Settings)), anything))
def test_any_value_of_any_key_is_taken_or_refused_in_a_sentence(values: dict[str, object]) -> None:
    _check({"namespaces": [NAMESPACE], **values})


@given(st.dictionaries(st.sampled_from(keys_of(NamespaceSettings)), anything))
def test_the_same_inside_a_namespace(values: dict[str, object]) -> None:
    _check({"namespaces": [{**NAMESPACE, **values}]})


@given(st.dictionaries(st.text(), anything))
def test_any_unknown_key_is_a_warning(values: dict[str, object]) -> None:
    _check({"namespaces": [{**NAMESPACE, **values}], **values})


@pytest.mark.parametrize("value", [True, 5, 0.5, "x y", [1], {"a": 1}, None])
@pytest.mark.parametrize("key", keys_of(Settings))
def test_each_kind_of_wrong_value_for_each_key(key: str, value: object) -> None:
    _check({"namespaces": [NAMESPACE], key: value})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('port = "6000\n[[namespaces]]', "nixy.toml:1: is not valid TOML: a quote is missing"),
        ("xproxy = lb1", "nixy.toml:1: is not valid TOML: this is not a value; text must be in"),
        ("port = 1 2", "nixy.toml:1: is not valid TOML: something follows the value"),
        ("port", "nixy.toml:1: is not valid TOML: `=` and a value must follow the key"),
        ("port = 1\nport = 2", "nixy.toml:2: is not valid TOML: the key or table stands here for"),
        ('drove = ["a"\n"b"]', "nixy.toml:2: is not valid TOML: the list is not closed"),
        (
            "[[namespaces]]\n[namespaces]",
            "nixy.toml:2: is not valid TOML: each cluster begins with",
        ),
    ],
)
def test_a_file_that_is_not_toml_is_explained_in_plain_words(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nixy.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(Path("nixy.toml"), {})
    (problem,) = refused.value.problems
    assert problem.startswith(sentence)
