"""The project's prose is plain English: no phrase that a stranger has to decode."""

from pathlib import Path

import pytest
from tests.docs.language import findings
from tests.docs.pages import PAGES, ROOT

PARTS = {
    "documentation": PAGES,
    "examples": sorted(file for file in (ROOT / "examples").rglob("*") if file.is_file()),
    "docker": sorted((ROOT / "docker").iterdir()),
    "packaging": sorted(file for file in (ROOT / "packaging").rglob("*") if file.is_file()),
    "templates": sorted((ROOT / "src" / "drove_gateway" / "templates").glob("*.tmpl")),
    "build": [ROOT / "Makefile", ROOT / ".ci" / "run"],
    "tests of the documentation": sorted(
        file for name in ("docs", "examples") for file in (ROOT / "tests" / name).glob("*.py")
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_the_text_uses_plain_english(part: str) -> None:
    found = [str(finding) for file in PARTS[part] for finding in findings(file)]
    assert found == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The controller was asked in vain.",
        "Traffic is not concerned.",
        "What answers there is no gateway.",
        "An answer that lacks servers",
    ],
)
def test_a_sentence_of_the_old_dialect_is_found(sentence: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / "x.md"
    assert page
