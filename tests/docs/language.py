"""Finds phrases and names that the project replaces by plain English, in prose and in code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# Phrases that a reader has to decode, as regular expressions, and what to write instead.
PHRASES: Mapping[str, str] = {
    "in vain": "without success",
    "(?:is|are|was|were|be|been|being) told": "is reported, is logged",
    "lack(?:s|ed|ing)?": "is missing, without",
    "be it": "whether, possibly",
    "see(?:s|n|ing)? to(?! it)": "fix, check",
    "mend(?:s|ed|ing)?": "fix, repair",
    "by hand": "manually, by an operator",
    "(?<!here )(?:is|are) no(?! longer| problem| other)": "is not a",
    "(?:go|goes|went|going) on(?! to)": "continue, keep serving",
    "(?:is|are) (?:not )?concerned": "is affected, is unaffected",
    "(?:stands?|stood|standing) (?:in|at|beside|there|under|before|above|below)": "is in",
    "(?:ask|asks|asked|asking) for": "request",
    "lets? go": "apply, release",
    "for ever": "indefinitely",
    "but for": "except for",
    "be had": "be obtained, be opened",
    "became of": "the outcome of",
    "whoever": "anyone who",
    "as doubles": "as duplicates",
    "made good": "repaired",
    "gone round": "avoided",
    "(?:controller|leader|Drove)(?:'s|s') answers?": "response",
    "answers? of (?:a|the|its) (?:controller|leader)s?": "response",
}
# Names that do not say what they hold.
NAMES = frozenset({"one", "ones", "said", "told", "whence", "wish"})

_PATTERNS = {
    re.compile(rf"(?<![\w-]){phrase}(?![\w-])", re.IGNORECASE): advice
    for phrase, advice in PHRASES.items()
}
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")


class Finding(NamedTuple):
    """A phrase or name to replace, and what to write instead."""

    line: int
    text: str
    advice: str


def in_text(text: str) -> Iterator[Finding]:
    """Find phrases in plain text."""
    for pattern, advice in _PATTERNS.items():
        for match in pattern.finditer(text):
            excerpt = text[max(0, match.start() - 30) : match.end() + 20]
            yield Finding(text.count("\n", 0, match.start()) + 1, excerpt, advice)


def in_markdown(text: str) -> Iterator[Finding]:
    """Find phrases in the prose of a page, without its code."""
    prose = _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    return in_text(_CODE.sub("`…`", prose))


def in_python(text: str) -> Iterator[Finding]:
    """Find phrases in comments and strings, and names that a module binds."""
    for first_line, prose in _python_prose(text):
        for found in in_text(_CODE.sub("`…`", prose)):
            yield found._replace(line=found.line + first_line - 1)
    for line, name in _bound_names(text):
        if name in NAMES:
            yield Finding(line, name, "a noun")


def in_file(path: Path) -> Iterator[Finding]:
    """Find phrases and names in a file of any kind."""
    text = path.read_text("utf-8")
    kinds = {".md": in_markdown, ".py": in_python}
    return kinds.get(path.suffix, in_text)(text)


def _python_prose(text: str) -> Iterator[tuple[int, str]]:
    """Return all comments, strings and function names of a module, with their first lines."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name.replace("_", " ")


def _bound_names(text: str) -> Iterator[tuple[int, str]]:
    """Return the variables and arguments of a module, with their lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
