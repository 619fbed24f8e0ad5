"""Which passes through a loop may be replaced by what an earlier rendering wrote.

A pass writes the same text again if all that it reads is the same: its element, and the values from
outside the loop. Its code shows what it reads. It is left alone where it changes something outside,
or calls what may return something else the next time.
"""

import ast
import builtins
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block
from drove_gateway.gotemplate.functions import gateway
from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.run.compiled import IN_CODE

_PURE: Final[frozenset[Callable[..., object]]] = frozenset(
    {
        *(known.call for name, known in BUILTINS.items() if name != "call"),
        *(gateway.has_prefix, gateway.has_suffix, gateway.contains, gateway.split, gateway.join),
        *(gateway.trim, gateway.replace, gateway.tolower, gateway.hostport),
    }
)
_PURE_IN_CODE: Final = IN_CODE.keys() - {"call_method", "invoke", "select"}
_OF_A_RUN: Final = frozenset({"out", "rt", "w"})
_NUMBERED = re.compile(r"[a-z]+([0-9]+)")


def read_from_outside(
    lines: Sequence[str], names: Mapping[str, object], begin: str, own: Collection[str]
) -> tuple[str, ...] | None:
    """Return the names outside a pass that its code reads; None if it may not be replaced.

    `names` are the objects that the code refers to by name. `own` are the names of the pass's key
    and element. `begin` is a fresh name from before the code was made: later names are the pass's
    own, unless it only reads them.
    """
    used = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Name)]
    stored = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    loaded = {node.id for node in used} - stored - _OF_A_RUN - set(own)
    if any(_number(name) < _number(begin) for name in stored):
        return None
    outside = []
    for name in sorted(loaded):
        if name in names:
            if callable(names[name]) and not _is_pure(names[name]):
                return None
        elif name in IN_CODE:
            if name not in _PURE_IN_CODE:
                return None
        elif not hasattr(builtins, name):
            if name != "dot" and _NUMBERED.fullmatch(name) is None:
                return None
            outside.append(name)
    return tuple(outside)


def _is_pure(called: object) -> bool:
    """Whether a callable that the code names is a type, or returns the same for the same."""
    return isinstance(called, type) or called in _PURE or called in IN_CODE.values()


def _number(name: str) -> int:
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else -1


@dataclass(slots=True)
class Reuse:
    """The places around a loop and its passes where code that reuses passes goes."""

    number: int
    index: str
    element: str
    before: Block
    head: Block = field(default_factory=Block)
    tail: Block = field(default_factory=Block)
    after: Block = field(default_factory=Block)

    def emit(self, read: Sequence[str] | None) -> None:
        """Emit the code, where it is known what passes read from outside."""
        if read is None:
            return
        n, index, element = self.number, self.index, self.element
        self.before.add(f"read{n} = ({''.join(f'{name}, ' for name in read)})")
        self.before.add(f"old{n}, new{n} = rt.memory.recall({n}, read{n}), {{}}")
        self.head.add(f"known{n} = old{n}.get({index})")
        same = f"known{n} is not None and known{n}[0] is {element} and rt.again(known{n}[2])"
        self.head.add(f"if {same}:")
        hit = self.head.indented()
        for line in (f"w(known{n}[1])", f"new{n}[{index}] = known{n}", "continue"):
            hit.add(line)
        self.head.add(f"at{n}, parts{n}, steps{n} = len(out), len(rt.parts), rt.budget.steps")
        # What was flushed in between is not at hand any more.
        written = f"{element}, ''.join(out[at{n}:]), rt.budget.steps - steps{n}"
        self.tail.add(f"if len(rt.parts) == parts{n}: new{n}[{index}] = {written}")
        self.after.add(f"rt.memory.keep({n}, read{n}, new{n})")
