"""The documentation site builds without a warning, and needs no Internet."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT
from tools.site.pages import BESIDE

pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return directory


def test_site_has_every_page(site: Path) -> None:
    beside = {path: page for page, path in BESIDE.items()}
    for page in PAGES:
        path = str(page.relative_to(ROOT))
        uri = beside.get(path, path.removeprefix("docs/"))
        html = Path(uri).with_suffix(".html")
        html = html.with_name("index.html") if html.name == "README.html" else html
        assert (site / html).exists(), path


def test_links_of_the_first_page_stay_on_the_site(site: Path) -> None:
    html = (site / "index.html").read_text()
    targets = [
        target.partition("#")[0]
        for target in re.findall(r'href="([^":]+)"', html)
        if not target.startswith("#")
    ]
    assert [target for target in targets if not (site / target).exists()] == []
    assert "guides/tls.html" in targets


def test_search_finds_words_of_the_guides_without_the_internet(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert "guides/lets-encrypt.html" in found

    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img)[^>]* src="(https?:[^"]+)"', page.read_text())
        loaded += re.findall(
            r'<link[^>]*rel="stylesheet"[^>]*href="(https?:[^"]+)"', page.read_text()
        )
        assert loaded == [], page
