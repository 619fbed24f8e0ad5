"""The documentation names every command, argument, fault and option."""

import inspect
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from drove_gateway.cli.simulate import simulate
from drove_gateway.simulator import Fault, Simulator
from drove_gateway.simulator.faults import Kind
from drove_gateway.simulator.scenarios import Scenarios
from drove_gateway.simulator.simulator import COMMANDS, SCENARIOS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()


@pytest.mark.parametrize("command", COMMANDS + SCENARIOS)
def test_every_command_is_documented_with_its_arguments(command: str) -> None:
    [row] = re.findall(rf"^\| `/{command.replace('_', '-')}` \|.*", PAGE, re.MULTILINE)
    method = getattr(Simulator if command in COMMANDS else Scenarios, command)
    arguments = set(inspect.signature(method).parameters) - {"self", "fault"}
    assert {name for name in arguments if f"`{name}`" not in row} == set()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_fault_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in PAGE


def test_every_property_of_a_fault_is_documented() -> None:
    names = {field.name for field in msgspec.structs.fields(Fault)}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_option_is_documented() -> None:
    options = {option for parameter in simulate.params for option in parameter.opts}
    assert {option for option in options if f"`{option}`" not in PAGE} == set()
