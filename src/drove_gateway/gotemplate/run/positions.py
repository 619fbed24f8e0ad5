"""Where a node stands, and the error that says so."""

from drove_gateway.gotemplate.errors import TemplateExecError
from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.go.values import encode
from drove_gateway.gotemplate.syntax.nodes import Node, Tree, text_of


def line_and_column(source: str, pos: int) -> tuple[int, int]:
    """The line, from 1, and the byte within the line, from 0."""
    start = source.rfind("\n", 0, pos) + 1
    return source.count("\n", 0, pos) + 1, len(encode(source[start:pos]))


def exec_error(tree: Tree, node: Node | None, message: str) -> TemplateExecError:
    """The error of an execution that stopped at a node."""
    if node is None:
        return TemplateExecError(f"template: {tree.name}: {message}", name=tree.file, line=1)
    line, column = line_and_column(tree.source, node.pos)
    where = f"{tree.file}:{line}:{column}: executing {quote(tree.name)} at <{text_of(node)}>"
    return TemplateExecError(f"template: {where}: {message}", name=tree.file, line=line)
