"""The simulator is a witness: it must not share code with what it is to check."""

import ast
from collections.abc import Iterator
from pathlib import Path

import drove_gateway.simulator

PACKAGE = Path(drove_gateway.simulator.__file__).parent


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_it_imports_nothing_of_the_gateway() -> None:
    names = {name for source in PACKAGE.glob("*.py") for name in imported(source)}
    ours = {name for name in names if name.startswith("drove_gateway")}
    assert ours
    assert all(name.startswith("drove_gateway.simulator") for name in ours)
