"""The syntax of NGINX's configuration: directives, and blocks of directives. Pure.

Text that NGINX would refuse is read as far as it makes sense, and never fails.
"""

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<mark>[;{}])
    |"(?P<double>(?:[^"\\]|\\.)*)"?|'(?P<single>(?:[^'\\]|\\.)*)'?
    |(?P<word>(?:[^\s;{}"'\\$]|\\.|\$\{[^}]*\}|\$|(?<=\S)["'])+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# A program in another language, whose quotes and comments are not NGINX's.
_FOREIGN = "_by_lua_block"
_LUA = re.compile(
    r"""--[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}]""",
    re.DOTALL,
)


class Directive(msgspec.Struct, frozen=True):
    """A directive: its name and arguments, and the directives of its block."""

    words: tuple[str, ...]
    block: tuple["Directive", ...] = ()

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""

    def within(self, name: str) -> Iterator["Directive"]:
        """Yield the directives of this name in the block, at any depth."""
        return everywhere(self.block, name)


def everywhere(directives: tuple[Directive, ...], name: str) -> Iterator[Directive]:
    """Yield the directives of this name, at any depth, in the order of the text."""
    waiting = list(reversed(directives))
    while waiting:
        directive = waiting.pop()
        if directive.name == name:
            yield directive
        waiting.extend(reversed(directive.block))


def parse(text: str) -> tuple[Directive, ...]:
    """Return the directives of a configuration."""
    open_blocks: list[tuple[tuple[str, ...], list[Directive]]] = [((), [])]
    words: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            position += 1
            continue
        position = match.end()
        if match.lastgroup and match.lastgroup != "mark":
            words.append(_ESCAPED.sub(r"\1", match[match.lastgroup]))
        elif match["mark"] == "{" and words and words[0].endswith(_FOREIGN):
            position, words = after_block(text, position), []
        elif match["mark"]:
            _close(open_blocks, tuple(words), match["mark"])
            words = []
    while len(open_blocks) > 1:
        _close(open_blocks, (), "}")
    return tuple(open_blocks[0][1])


def _close(
    open_blocks: list[tuple[tuple[str, ...], list[Directive]]], words: tuple[str, ...], mark: str
) -> None:
    """Take in what ends with `mark`: a directive, the words before a block, or a block."""
    if mark == "{":
        open_blocks.append((words, []))
        return
    if words:
        open_blocks[-1][1].append(Directive(words))
    if mark == "}" and len(open_blocks) > 1:
        opening, block = open_blocks.pop()
        open_blocks[-1][1].append(Directive(opening, tuple(block)))


def after_block(text: str, position: int) -> int:
    """Return where the block of Lua that began before `position` ends."""
    depth = 1
    for match in _LUA.finditer(text, position):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text)
