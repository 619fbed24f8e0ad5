"""What a template writes, gathered in f-strings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block, Value, literal_text
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.go.format import text
from drove_gateway.gotemplate.go.types import Kind

_PARTS_PER_STRING: Final = 64


class Output:
    """Emits the code that writes; `w` is the function's name for it."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._pending: list[str] = []

    def write(self, literal: str) -> None:
        """Write a text."""
        self._add(literal_text(literal))

    def show(self, value: Value) -> None:
        """Write a value."""
        code = value.code
        if value.is_constant:
            self.write(text(value.constant))
        elif value.kind in {Kind.STRING, Kind.INT, Kind.UINT}:
            self._add(f"{{{code}}}")
        elif value.kind is Kind.BOOL:
            self._add(f"{{'true' if {code} else 'false'}}")
        elif value.type is None:
            self._add(f"{{{code} if type({code}) is str else show({code})}}")
        else:
            self._add(f"{{show({self._emit.boxed(value)})}}")
        if value.is_variable:
            self.flush()

    def _add(self, code: str) -> None:
        self._pending.append(code)
        if len(self._pending) >= _PARTS_PER_STRING:
            self.flush()

    def flush(self) -> None:
        """Emit what is to be written; it may not be written later than here."""
        if self._pending:
            self._emit.add(f'w(f"{"".join(self._pending)}")')
            self._pending.clear()

    @contextmanager
    def inside(self, block: Block) -> Iterator[None]:
        """Emit actions into a block that is executed once, many times, or not at all."""
        with self._emit.within(block):
            yield
            self.flush()
