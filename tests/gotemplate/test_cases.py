"""What Go made of a thousand templates, its messages included."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from tests.gotemplate.sample import (
    all_data,
    load,
    outcome,
    render,
    render_compiled,
    render_interpreted,
)

FILES = ("json.json", "typed.json", "language.json")
CASES = [
    pytest.param({"data": "typed", **case}, id=f"{name[:-5]}:{case['name']}")
    for name in FILES
    for case in load(name)["cases"]
]


@pytest.fixture(scope="module")
def data() -> Mapping[str, object]:
    return all_data()


def expected(case: Mapping[str, str]) -> Mapping[str, str]:
    if "want" in case:
        return {"want": case["want"]}
    return {"error": case["error"], "message": case["message"].replace("main.", "")}


def without_time(found: Mapping[str, str], case: Mapping[str, str]) -> Mapping[str, str]:
    if "# Generated NOW" not in case.get("want", ""):
        return found
    return {"want": re.sub("# Generated .*", "# Generated NOW", found["want"])}


def given(param: Any) -> Mapping[str, str]:
    return param.values[0]  # type: ignore[no-any-return]


TIMELESS = [param for param in CASES if "datetime" not in given(param)["template"]]
# A variable declared within parentheses may or may not exist afterwards; a `break` within `else`
# ends that `range` only; widths given as arguments may be large.
INTERPRETED = ("($", "{{else}}{{break}}", "%*d")
COMPILED = [
    param
    for param in TIMELESS
    if "want" in given(param) and not any(part in given(param)["template"] for part in INTERPRETED)
]


@pytest.mark.parametrize("case", CASES)
def test_renders_as_go_does(case: Mapping[str, str], data: Mapping[str, object]) -> None:
    found = outcome(lambda: render(case, data[case["data"]]))

    assert without_time(found, case) == expected(case)


@pytest.mark.parametrize("case", TIMELESS)
def test_interpreter_alone_does_too(case: Mapping[str, str], data: Mapping[str, object]) -> None:
    assert outcome(lambda: render_interpreted(case, data[case["data"]])) == expected(case)


@pytest.mark.parametrize("case", COMPILED)
def test_compiled_code_needs_no_help(case: Mapping[str, str], data: Mapping[str, object]) -> None:
    assert render_compiled(case, data[case["data"]]) == case["want"]
