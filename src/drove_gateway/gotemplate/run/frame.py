"""The execution of a template: its variables, its limits, and the node that an error would name."""

from collections.abc import Callable
from typing import Never

from drove_gateway.gotemplate.run.limits import Budget, LimitError
from drove_gateway.gotemplate.run.positions import exec_error
from drove_gateway.gotemplate.syntax import nodes


class Frame:
    """What everything that executes a template shares; each template call has a frame of its own.

    `node` is where execution is. `out` collects the output of all frames, `depth` counts the
    template calls around this frame.
    """

    def __init__(
        self, tree: nodes.Tree, budget: Budget, out: list[str], dot: object, depth: int
    ) -> None:
        self.tree = tree
        self.node: nodes.Node = tree.body
        self.depth = depth
        self.variables = [("$", dot)]
        self._budget = budget
        self._out = out

    def inner(self, tree: nodes.Tree, dot: object) -> "Frame":
        """Return the frame of a template that is called from this frame."""
        return Frame(tree, self._budget, self._out, dot, self.depth + 1)

    def fail(self, message: str) -> Never:
        """Raise `TemplateExecError` for the current node."""
        raise exec_error(self.tree, self.node, message)

    # Limits

    def spend(self) -> None:
        """Count a step."""
        self._limited(self._budget.spend)

    def charge(self, *values: object, times: int = 1) -> None:
        """Count long arguments and results of functions, which use each value so many times."""
        self._limited(lambda: self._budget.spend_on(*values, times=times))

    def write(self, output: str) -> None:
        """Add to the output."""
        self._limited(lambda: self._budget.write(len(output)))
        self._out.append(output)

    def _limited(self, count: Callable[[], None]) -> None:
        try:
            count()
        except LimitError as error:
            self.fail(str(error))

    # Variables

    def declare(self, name: str, value: object) -> None:
        """Make a variable, which may hide another of the same name."""
        self.variables.append((name, value))

    def assign(self, name: str, value: object) -> None:
        """Change the variable that was declared last under a name."""
        for at in range(len(self.variables) - 1, -1, -1):
            if self.variables[at][0] == name:
                self.variables[at] = (name, value)
                return
        self.fail(f"undefined variable: {name}")

    def variable(self, name: str) -> object:
        """Return the value of a variable."""
        for known, value in reversed(self.variables):
            if known == name:
                return value
        return self.fail(f"undefined variable: {name}")
