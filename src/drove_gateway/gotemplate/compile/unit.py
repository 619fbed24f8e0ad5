"""What the functions of a compilation share."""

from collections.abc import Mapping
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Names
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.syntax import nodes

MAX_FUNCTIONS: Final = 200
"""How many functions a template may become before it is left to the interpreter."""


class Unit:
    """Which functions there are, and which are still to be compiled.

    `reuse` says whether loops may reuse what an earlier rendering wrote.
    """

    def __init__(
        self,
        trees: Mapping[str, nodes.Tree],
        functions: Mapping[str, Function],
        *,
        reuse: bool = False,
    ) -> None:
        self.trees = trees
        self.functions = functions
        self.reuse = reuse
        self.names = Names()
        self.nodes: list[tuple[nodes.Tree, nodes.Node]] = []
        self._function_names: dict[tuple[str, GoType | None], str] = {}
        self._todo: list[tuple[str, GoType | None]] = []

    def function(self, name: str, dot: GoType | None) -> str:
        """Return the name of the function for a template and a type of dot."""
        key = (name, dot)
        if key not in self._function_names:
            if len(self._function_names) >= MAX_FUNCTIONS:
                raise NotCompilableError(
                    f"its named templates are called with more than {MAX_FUNCTIONS} types of data"
                )
            self._function_names[key] = self.names.fresh("t")
            self._todo.append(key)
        return self._function_names[key]

    def node_number(self, tree: nodes.Tree, node: nodes.Node) -> int:
        """Return the number by which the running code names a node in errors."""
        self.nodes.append((tree, node))
        return len(self.nodes) - 1

    def pop(self) -> tuple[str, nodes.Tree, GoType | None] | None:
        """Return a function that is wanted and not compiled yet: name, template and type of dot."""
        if not self._todo:
            return None
        name, dot = self._todo.pop()
        return self._function_names[name, dot], self.trees[name], dot
