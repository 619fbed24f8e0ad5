"""Prose of the project: documentation, comments, docstrings, messages, and names in code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.pages import ROOT

# A phrase that readers had to decode, and what to write instead.
PHRASES: dict[str, str] = {
    r"in vain": "without success",
    r"(?:is|are|was|were|be|been|being) told": "is reported, is logged",
    r"lack(?:s|ed|ing)?": "is missing, without",
    r"be it": "whether, possibly",
    r"see(?:s|n|ing)? to (?!it\b)": "fix, check",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"by hand": "manually, by an operator",
    r"(?<!here )(?:is|are) no (?!longer\b|problem\b|other\b)": "is not a",
    r"(?:go|goes|went|going) on(?! to\b)": "continue, keep serving",
    r"(?:is|are) (?:not )?concerned": "is unaffected, is affected",
    r"(?:stands?|stood|standing) (?:in|at|beside|there|under|before|above|below)": "is in",
    r"(?:ask|asks|asked|asking) for": "request",
    r"lets? go": "apply, release",
    r"for ever": "indefinitely",
    r"but for": "except for",
    r"be had": "be obtained, be opened",
    r"what became of": "the outcome of",
    r"who(?:ever|soever)": "anyone who",
    r"as doubles?": "as duplicates",
    r"made good": "repaired",
    r"would? have (?:it|them) so": "intended",
    r"(?:controller|leader|Drove)(?:'s|s') answers?": "the response",
    r"answers? of (?:a|the|its) (?:controller|leader)s?": "the response",
    r"gone round": "avoided",
}
PATTERNS = {
    re.compile(rf"(?<![\w-]){phrase}(?![\w-])" if phrase[-1].isalnum() else rf"(?<![\w-]){phrase}",
               re.IGNORECASE): advice
    for phrase, advice in PHRASES.items()
}

# Names that say nothing about what they hold.
NAMES = frozenset({"one", "ones", "said", "told", "whence", "wish"})

# Sentences that quote someone else's words, or use a phrase in its ordinary sense.
ALLOWED: frozenset[str] = frozenset()

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")


class Finding(NamedTuple):
    """A phrase to replace, with its place and what to write instead."""

    path: str
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: write {self.advice!r}"


def findings(path: Path) -> Iterator[Finding]:
    """Return the phrases and names in a file that the style replaces."""
    shown = str(path.relative_to(ROOT))
    text = path.read_text("utf-8")
    pieces = list(_python_prose(text)) if path.suffix == ".py" else list(_prose(path, text))
    for line, piece in pieces:
        for pattern, advice in PATTERNS.items():
            for match in pattern.finditer(piece):
                around = piece[max(0, match.start() - 30) : match.end() + 20]
                if not any(sentence in piece for sentence in ALLOWED):
                    yield Finding(
                        shown, line + piece.count("\n", 0, match.start()), around, advice
                    )
    if path.suffix == ".py":
        for name, line in _names(text):
            if name in NAMES:
                yield Finding(shown, line, name, "a noun")


def _prose(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Return the text without code; line numbers stay the same."""
    if path.suffix == ".md":
        text = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
        text = _CODE.sub(lambda found: "`" + "x" * (len(found[0]) - 2) + "`", text)
    yield 1, text


def _python_prose(text: str) -> Iterator[tuple[int, str]]:
    """Return all comments and strings of a module, with the lines they begin at."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, _CODE.sub("``", node.value)


def _names(text: str) -> Iterator[tuple[str, int]]:
    """Return every variable that a module binds, with its line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
