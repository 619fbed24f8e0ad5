"""The pages of the documentation, with their blocks, commands and links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
PROGRAMS = ("drove-gateway", "nixy", "make", "python")

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_HERE = re.compile(r"<<'?(\w+)'?\n.*?^\1$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its page, first line, info string and text."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


class Command(NamedTuple):
    """A command of a shell line, without assignments and redirections."""

    where: str
    words: tuple[str, ...]


def blocks(page: Path) -> Iterator[Block]:
    """Return all fenced blocks of a page."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def commands(page: Path) -> Iterator[Command]:
    """Return every command of the project in a shell block or in code style."""
    for block in blocks(page):
        if block.info in {"sh", "console", ""}:
            yield from _of_lines(block.where, shell_lines(block))
        elif block.info == "text":
            typed = [line for line in shell_lines(block) if line.startswith(("make ", "python "))]
            yield from _of_lines(block.where, typed)
    prose = _FENCE.sub("", page.read_text())
    yield from _of_lines(page.name, [code for code in _CODE.findall(prose) if " " in code])


def shell_lines(block: Block) -> list[str]:
    """Return the typed lines: without here-documents, prompts and, in a console, output."""
    joined = _HERE.sub("", block.text.replace("\\\n", " ")).splitlines()
    if block.info == "console":
        return [line[2:] for line in joined if line.startswith(("$ ", "# "))]
    return joined


def _of_lines(where: str, lines: list[str]) -> Iterator[Command]:
    for line in lines:
        for words in _commands_of(line):
            if words and words[0] in PROGRAMS:
                yield Command(where, words)


def _commands_of(line: str) -> Iterator[tuple[str, ...]]:
    """Split a shell line at pipes and operators; drop leading assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an apostrophe in prose
        return
    command: list[str] = []
    skip = False
    for word in [*words, ";"]:
        if set(word) <= set("();|&"):
            yield tuple(_called(command))
            command = []
        elif set(word) <= set("<>"):
            if command and command[-1].isdigit():
                command.pop()
            skip = True
        elif skip:
            skip = False
        else:
            command.append(word)


def _called(command: list[str]) -> list[str]:
    words = list(command)
    while words and (re.fullmatch(r"\w+=.*", words[0]) or words[0] in {"sudo", "until", "do"}):
        words.pop(0)
    return [word for word in words if word != "…"]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, which GitHub derives from the titles."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def links(page: Path) -> Iterator[str]:
    """Return the targets of a page's links within the project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text())):
        if "://" not in target:
            yield target
