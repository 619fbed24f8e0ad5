"""Every path that the architecture page and CONTRIBUTING.md name exists."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT

PACKAGE = ROOT / "src" / "drove_gateway"
PAGES = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"]
_CODE = re.compile(r"`([^`\s]+)`")
_TREE = re.compile(r"^ +(\w+/) ", re.MULTILINE)
_MODULE = re.compile(r"python -m (tools(?:\.\w+)+)")


def named_paths(text: str) -> set[str]:
    """Return the words in code style that look like a path, and the packages of the drawing."""
    words = {word for word in _CODE.findall(text) if "/" in word and "://" not in word}
    modules = {f"{module.replace('.', '/')}.py" for module in _MODULE.findall(text)}
    return {word for word in words if not word.startswith("/")} | modules | set(_TREE.findall(text))


def exists(path: str) -> bool:
    return any((base / path).exists() for base in (ROOT, PACKAGE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_path_exists(page: Path) -> None:
    named = named_paths(page.read_text())

    assert len(named) > 10
    assert sorted(path for path in named if not exists(path)) == []


def test_the_architecture_page_names_every_package() -> None:
    packages = {f"{child.name}/" for child in PACKAGE.iterdir() if (child / "__init__.py").exists()}
    assert packages - named_paths(PAGES[0].read_text()) == set()


def test_contributing_names_every_builder_of_the_reference() -> None:
    builders = {
        f"tools/reference/{file.name}"
        for file in (ROOT / "tools" / "reference").glob("*.py")
        if '__name__ == "__main__"' in file.read_text()
    }
    assert builders <= named_paths(PAGES[1].read_text())
