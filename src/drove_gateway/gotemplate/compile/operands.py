"""What calls and conditions need of the pipelines around them."""

from typing import Protocol

from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.syntax import nodes


class Operands(Protocol):
    """Compiles the operands of a call."""

    def argument(self, dot: Value, wanted: GoType, node: nodes.Operand) -> Value:
        """Return the value of an argument, before it is checked."""
        ...

    def pipeline(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """Return the value of a pipeline that declares nothing."""
        ...
