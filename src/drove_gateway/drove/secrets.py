"""Takes secrets out of text, in whatever encoding they come back. Pure.

A controller, or a proxy before it, may reflect what it was sent: as it is, as JSON, in a URL, in
HTML, in base64, in hex, and cut short. So text is compared after its escapes were resolved, and a
piece of a secret is hidden like the whole.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from drove_gateway.model.common_text import common_prefix

_MARK = "…"

# A shorter piece of a secret tells little, and would be found in harmless text.
_PIECE = 8
# Escapes of escapes, so deep.
_LAYERS = 3

_UNIT = re.compile(
    r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};"
    r"|&(?:amp|lt|gt|quot|apos);|\\.|.",
    re.DOTALL,
)
# What every escape begins with.
_ESCAPES = "%\\&"
_NAMED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class _Unit(NamedTuple):
    """A character, and the place in the text that stands for it."""

    char: str
    start: int
    end: int


class Secrets:
    """The secrets of a namespace or a gateway, in each form in which they could be reflected.

    With `pieces`, as for a controller's words, every piece of a secret counts. Without, as for
    texts with names of vhosts and files, only the whole of it does, and its beginning where the
    text was cut: a piece could be part of any name.
    """

    def __init__(self, secrets: Iterable[str], *, pieces: bool = True) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._short = tuple(sorted(form for form in forms if len(form) < _PIECE))
        long = sorted(form for form in forms if len(form) >= _PIECE)
        self._whole = () if pieces else tuple(long)
        self._pieces = frozenset(
            form[start : start + _PIECE]
            for form in (long if pieces else ())
            for start in range(len(form) - _PIECE + 1)
        )

    def hide(self, text: str) -> str:
        """Return `text` with a mark in place of every secret, and of every piece that counts."""
        if not self._reflected(text):
            return text
        units: Sequence[_Unit] = [_Unit(char, at, at + 1) for at, char in enumerate(text)]
        spans: list[tuple[int, int]] = []
        for _ in range(_LAYERS + 1):
            spans += self._found(units)
            resolved = _resolved(units)
            if len(resolved) == len(units):
                break
            units = resolved
        return _without(text, spans)

    def _reflected(self, text: str) -> bool:
        """Whether `text` may have a secret; cheap, because most texts have none."""
        if not self._pieces and not self._short and not self._whole:
            return False
        return (
            any(mark in text for mark in _ESCAPES)
            or any(text[at : at + _PIECE] in self._pieces for at in range(len(text) - _PIECE + 1))
            or any(form in text for form in self._short)
            or any(form[:_PIECE] in text for form in self._whole)
        )

    def _found(self, units: Sequence[_Unit]) -> Iterator[tuple[int, int]]:
        plain = "".join(unit.char for unit in units)
        for at in range(len(plain) - _PIECE + 1 if self._pieces else 0):
            if plain[at : at + _PIECE] in self._pieces:
                yield units[at].start, units[at + _PIECE - 1].end
        for form in (*self._short, *self._whole):
            for at, end in _occurrences(form, plain):
                yield units[at].start, units[end - 1].end


def _occurrences(form: str, plain: str) -> Iterator[tuple[int, int]]:
    """Where `form` is in `plain`, or its beginning just before the text was cut."""
    at = plain.find(form[:_PIECE])
    while at >= 0:
        end = at + common_prefix(form, plain[at : at + len(form)])
        if end - at == len(form) or plain[end : end + 1] in {"", _MARK}:
            yield at, end
        at = plain.find(form[:_PIECE], at + 1)


def _forms(secret: str) -> Iterator[str]:
    """Yield the secret, and what of it is recognisable in base64 and hex, wherever it begins."""
    yield secret
    raw = secret.encode(errors="surrogatepass")
    # In a URL each byte is escaped by itself.
    yield raw.decode("latin-1")
    yield raw.hex()
    yield raw.hex().upper()
    for shift in range(3):
        # The first and last characters also encode the neighbours.
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[shift + 1 if shift else 0 : (shift + len(raw)) * 8 // 6]
        if len(inner) >= _PIECE:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _resolved(units: Sequence[_Unit]) -> Sequence[_Unit]:
    """Resolve the escapes of one layer."""
    plain = "".join(unit.char for unit in units)
    return [
        _Unit(_meant(match[0]), units[match.start()].start, units[match.end() - 1].end)
        for match in _UNIT.finditer(plain)
    ]


def _meant(unit: str) -> str:
    if len(unit) == 1:
        return unit
    if unit in _NAMED:
        return _NAMED[unit]
    if unit.startswith("&#"):
        digits = unit[2:-1]
        code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
        return chr(code) if code <= 0x10FFFF else "�"
    if unit[0] == "%":
        return chr(int(unit[1:], 16))
    if unit[1] in "ux" and len(unit) > 2:
        return chr(int(f"0x{unit[2:]}", 0))
    return _CONTROLS.get(unit[1], unit[1])


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts: list[str] = []
    shown = 0
    for start, end in sorted(spans):
        if start > shown or not parts:
            parts += [text[shown:start], _MARK]
        shown = max(shown, end)
    return "".join(parts) + text[shown:]
