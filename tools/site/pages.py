"""A hook of mkdocs: the pages beside docs/ are part of the site, and their links lead to it.

The repository's pages link to each other by their paths in the repository. The site has README.md
as its first page and the other pages of the root at its top, so links between the two move.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
BESIDE = {
    "index.md": "README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
}
"""The pages of the site that are not in docs/, with their paths in the repository."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s:]+)\)|^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages beside docs/."""
    for page, path in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let the links of a page lead to the site's pages."""
    del config
    known = {file.src_uri for file in files}
    uri = page.file.src_uri

    def moved(match: re.Match[str]) -> str:
        return match[0] if match[3] is None else _moved(match, uri, known)

    return _LINK.sub(moved, markdown)


def _moved(link: re.Match[str], uri: str, known: set[str]) -> str:
    """Return the link as it is on the site; its text alone where the site has no such page."""
    image, text, target = link.groups()
    path, hash_mark, anchor = target.partition("#")
    if not path:
        return link[0]
    source = BESIDE.get(uri, f"docs/{uri}")
    in_repository = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    on_site = {path: page for page, path in BESIDE.items()}.get(
        in_repository, in_repository.removeprefix("docs/")
    )
    if on_site in known:
        relative = posixpath.relpath(on_site, posixpath.dirname(uri) or ".")
        return f"{image}[{text}]({relative}{hash_mark}{anchor})"
    if (ROOT / in_repository).exists():
        return text if text.startswith("`") else f"`{in_repository}`"
    return link[0]
