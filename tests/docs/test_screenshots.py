"""The screenshots of the documentation are those that the script takes."""

import re

import pytest
from tests.docs.pages import ROOT
from tools.screenshots import HEALTHY, REFUSED

IMAGES = ROOT / "docs" / "images"
SHOTS = [shot.name for shot in (*HEALTHY, *REFUSED)]


def test_each_screenshot_is_taken_by_the_script() -> None:
    assert sorted(picture.stem for picture in IMAGES.iterdir()) == sorted(SHOTS)


@pytest.mark.parametrize("name", SHOTS)
def test_each_screenshot_is_shown_with_words_for_those_who_cannot_see_it(name: str) -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "operations.md").read_text()

    assert re.search(rf"!\[[^\]]{{20,}}\]\((docs/)?images/{name}\.png\)", text)
