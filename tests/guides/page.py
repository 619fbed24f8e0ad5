"""A guide as a reader follows it: the edits of files and the commands, in their order.

A fenced block does what its title says:

    toml, titled nixy.toml      settings to add to nixy.toml
    diff, titled NAME.tmpl      lines to replace in the template of that proxy
    any, titled otherwise       a file of that name
    sh                          commands; titled with a proxy, they are for that proxy
    text                        what the commands before it print, `…` for the rest of a line
    console                     not run: needs another machine, or root
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.docs.pages import Block, blocks

_ASSIGNED = re.compile(r"^(\w+) *=", re.MULTILINE)
_HEADER = re.compile(r"^\[+(\w+)\]+$", re.MULTILINE)


class Step(NamedTuple):
    """A block of a guide: its language, its title, and its text."""

    block: Block
    language: str
    title: str

    def for_proxy(self, proxy: str) -> bool:
        """Whether a reader with this proxy follows it."""
        named = next((kind for kind in ("haproxy", "nginx") if kind in self.title.lower()), proxy)
        return named == proxy


def steps(page: Path, proxy: str) -> Iterator[Step]:
    """Return what a reader of the guide does who has this proxy."""
    for block in blocks(page):
        language, _, rest = block.info.partition(" ")
        title = re.sub(r'^title="(.*)"$', r"\1", rest)
        step = Step(block, language, title)
        if language != "console" and step.for_proxy(proxy):
            yield step


def with_settings(text: str, addition: str) -> str:
    """Return nixy.toml with keys and tables added or replaced, as a reader edits it."""
    first, *tables = _sections(addition)
    text = _top_keys_replaced(text, first)
    for table in tables:
        header, _, keys = table.partition("\n")
        if header in text.splitlines():
            for name in _ASSIGNED.findall(keys):
                text = re.sub(rf"^{name} *=.*\n", "", text, flags=re.MULTILINE)
            text = text.replace(f"{header}\n", f"{header}\n{keys}", 1)
        else:
            text = f"{text.rstrip()}\n\n{table}"
    return text


def with_difference(text: str, difference: str) -> str:
    """Return a template with the lines of a diff replaced. Raises AssertionError if they differ."""
    for hunk in re.split(r"^…\n", difference, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"the template has {text.count(before)} times:\n{before}"
        text = text.replace(before, after)
    return text


def printed(output: str, expected: str) -> str:
    """Return the first expected line that the output does not have in its place, or ""."""
    lines = (" ".join(line.split()) for line in output.splitlines())
    for line in filter(str.strip, expected.splitlines()):
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        if not any(re.fullmatch(pattern, each, re.IGNORECASE) for each in lines):
            return line
    return ""


def _sections(addition: str) -> list[str]:
    starts = [0, *(match.start() for match in _HEADER.finditer(addition)), len(addition)]
    return [addition[start:end] for start, end in pairwise(starts)]


def _top_keys_replaced(text: str, keys: str) -> str:
    end = text.index("\n[[namespaces]]")
    head, tail = text[:end], text[end:]
    for name in _ASSIGNED.findall(keys):
        head = re.sub(rf"^{name} *=.*\n", "", head, flags=re.MULTILINE)
    return f"{head}\n{keys}{tail}"
