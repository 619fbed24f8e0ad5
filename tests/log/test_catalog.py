"""Every line of the log is declared, and written as it is declared."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from tools.reference.logs import main, page

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.log.fields import FIELDS
from drove_gateway.log.line import LEVELS
from drove_gateway.log.lines import logger

SOURCE = Path("src/drove_gateway")
PAGE = Path("docs/reference/logs.md")


def calls() -> Iterator[tuple[str, ast.Call, LogEvent]]:
    """Each call that writes a line whose event is named in the call, and where it is."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            event = node.args[0]
            if isinstance(event, ast.Attribute) and ast.unparse(event.value) == "LogEvent":
                yield f"{file}:{node.lineno}", node, LogEvent[event.attr]


def test_each_line_is_written_with_declared_fields_only() -> None:
    undeclared = [
        f"{where}: {keyword.arg}"
        for where, call, event in calls()
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg not in event.value.fields
    ]

    assert undeclared == []


def test_each_declared_event_is_used() -> None:
    text = "".join(file.read_text() for file in SOURCE.rglob("*.py") if file.name != "catalog.py")

    unused = [event.name for event in LogEvent if not re.search(rf"LogEvent\.{event.name}\b", text)]
    assert unused == []


def test_only_the_log_itself_can_write_a_line_without_a_declared_event() -> None:
    imports = re.compile(r"^(import|from) (logging|structlog)", re.MULTILINE)
    others = [
        str(file)
        for file in SOURCE.rglob("*.py")
        if file.parent.name != "log" and imports.search(file.read_text())
    ]

    assert others == []
    assert not {"debug", "info", "warning", "error", "msg"} & {*dir(EventLog)}


@pytest.mark.parametrize("event", LogEvent, ids=lambda event: event.label)
def test_a_kind_of_line_has_a_plain_name_known_fields_and_a_message_of_its_own(
    event: LogEvent,
) -> None:
    line = event.value

    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", event.label)
    assert set(line.fields) <= FIELDS.keys()
    assert not {"time", "level", "event", "msg"} & {*line.fields}
    assert [other for other in LogEvent if other.value.message == line.message] == [event]
    assert line.level in LEVELS


@pytest.mark.parametrize(
    "event",
    [event for event in LogEvent if event.value.level in {"warning", "error"}],
    ids=lambda event: event.label,
)
def test_a_warning_says_what_still_works_or_what_to_do(event: LogEvent) -> None:
    assert len(re.split(r"[:;,] ", event.value.message)) > 1


def test_no_field_is_described_that_no_line_has() -> None:
    used = {name for event in LogEvent for name in event.value.fields}

    assert FIELDS.keys() - used == set()


def test_a_line_below_the_chosen_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log = logger("warn", sys.stdout)
    log.write(LogEvent.APPLIED)
    log.write(LogEvent.LEADER_LOST, reasons="401")

    assert not log.shows(LogEvent.APPLIED)
    assert capsys.readouterr().out.count("\n") == 1


def test_bound_fields_are_in_each_line() -> None:
    with structlog.testing.capture_logs() as lines:
        EventLog(structlog.get_logger()).bind(namespace="main").write(LogEvent.LEADER_LOST)

    assert lines[0]["namespace"] == "main"
    assert lines[0]["event"] == "leader_lost"


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tools.reference.logs --write"
    assert CliRunner().invoke(main, ["--check"]).exit_code == 0
