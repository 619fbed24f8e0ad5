"""Documentation, messages and comments are plain English."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.language import in_file, in_markdown, in_python, in_text
from tests.docs.pages import PAGES, ROOT

# This file and the list of phrases quote them.
QUOTING = {ROOT / "tests" / "docs" / name for name in ("language.py", "test_language.py")}


def files(*names: str) -> list[Path]:
    """Return the given files, and all text files below the given directories."""

    def found() -> Iterator[Path]:
        for path in (ROOT / name for name in names):
            yield from path.rglob("*") if path.is_dir() else [path]

    return sorted(
        path for path in found() if path.is_file() and path.suffix != ".pyc" and path not in QUOTING
    )


PARTS = {
    "source": [path for path in files("src") if path.suffix in {".py", ".tmpl"}],
    "tests": [path for path in files("tests") if path.suffix == ".py"],
    "benchmarks": [path for path in files("bench") if path.suffix == ".py"],
    "documentation": PAGES,
    "examples": files("examples"),
    "docker": files("docker"),
    "packaging": files("packaging"),
    "build": files("Makefile", ".ci"),
    "builders of the reference": files("tools"),
}


@pytest.mark.parametrize("part", PARTS)
def test_the_text_is_plain_english(part: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}: write {advice!r}"
        for path in PARTS[part]
        for line, text, advice in in_file(path)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("The controller was asked in vain.", "without success"),
        ("The error is told.", "is reported, is logged"),
        ("Traffic is not concerned.", "is affected, is unaffected"),
        ("The servers that a response lacks.", "is missing, without"),
        ("This is no gateway.", "is not a"),
        ("See to the socket.", "fix, check"),
    ],
)
def test_obscure_phrase_is_found(text: str, advice: str) -> None:
    assert [found.advice for found in in_text(text)] == [advice]


@pytest.mark.parametrize("text", ["There is no gateway.", "It is no longer used.", "Go on to it."])
def test_plain_phrase_is_accepted(text: str) -> None:
    assert list(in_text(text)) == []


def test_code_on_a_page_is_not_prose() -> None:
    page = "Write\n\n```\nin vain\n```\n\nor `in vain`, but not\nin vain.\n"
    assert [found.line for found in in_markdown(page)] == [8]


def test_comments_strings_and_names_of_a_module_are_checked() -> None:
    module = 'x = 1  # in vain\n\nerror = "asked in vain"\nfor one in ():\n    pass\n'
    assert sorted(found.line for found in in_python(module)) == [1, 3, 4]
