"""The functions that a gateway's template has beside Go's built-ins.

They are those of Go's `strings`, `os`, `net` and `time` packages, with Go's argument order. The
annotations say which Go types the arguments must have.
"""

from collections.abc import Callable, Mapping
from typing import Final

from drove_gateway.gotemplate.go.format import text
from drove_gateway.gotemplate.go.strconv import REPLACEMENT, is_surrogate
from drove_gateway.gotemplate.go.time import GoTime

_MAX_TEXT: Final = 64 * 1024 * 1024
"""The longest result of a function, in characters, where it may be longer than its arguments."""


def gateway_functions(
    environ: Mapping[str, str], now: Callable[[], GoTime]
) -> Mapping[str, Callable[..., object]]:
    """`hasPrefix hasSuffix contains split join trim replace tolower getenv datetime hostport`.

    `getenv` reads `environ`, `datetime` is what `now` says when it is called.
    """

    def getenv(key: str) -> str:
        return environ.get(key, "")

    def datetime() -> GoTime:
        return now()

    return {
        "hasPrefix": has_prefix,
        "hasSuffix": has_suffix,
        "contains": contains,
        "split": split,
        "join": join,
        "trim": trim,
        "replace": replace,
        "tolower": tolower,
        "getenv": getenv,
        "datetime": datetime,
        "hostport": hostport,
    }


def _check_size(characters: int) -> None:
    if characters > _MAX_TEXT:
        raise ValueError(f"the result would have more than {_MAX_TEXT} characters")


def has_prefix(s: str, prefix: str) -> bool:
    """Go's `strings.HasPrefix`."""
    return s.startswith(prefix)


def has_suffix(s: str, suffix: str) -> bool:
    """Go's `strings.HasSuffix`."""
    return s.endswith(suffix)


def contains(s: str, substr: str) -> bool:
    """Go's `strings.Contains`."""
    return substr in s


def split(s: str, sep: str) -> list[str]:
    """Go's `strings.Split`: an empty separator splits into characters."""
    return s.split(sep) if sep else list(s)


def join(elems: list[str], sep: str) -> str:
    """Go's `strings.Join`; the elements must be a `[]string`, as `split` returns."""
    _check_size(len(elems) * len(sep))
    return sep.join(elems)


def trim(s: str, cutset: str) -> str:
    """Go's `strings.Trim`: every character of the cutset goes from both ends."""
    return s.strip(cutset) if cutset else s


def replace(s: str, old: str, new: str, n: int) -> str:
    """Go's `strings.Replace`: the first `n` of them, all when `n` is negative."""
    if len(s) * len(new) > _MAX_TEXT:
        _check_size(s.count(old) * len(new))
    return s.replace(old, new, n)


def tolower(s: str) -> str:
    """Go's `strings.ToLower`: character by character, whatever the context."""
    return s.lower() if s.isascii() else "".join([_lower(char) for char in s])


def _lower(char: str) -> str:
    """Lower a character to a single character (İ is i in Go, i and a dot in Python)."""
    return REPLACEMENT if is_surrogate(char) else char.lower()[0]


def hostport(host: str, port: object) -> str:
    """Go's `net.JoinHostPort`: an IPv6 address is put into brackets, unless it has them."""
    bare = ":" in host and not host.startswith("[")
    return f"[{host}]:{text(port)}" if bare else f"{host}:{text(port)}"
