"""Strangers' text never commands the operator's terminal."""

import json
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import ANSWER, Call

from drove_gateway.cli.table import Cell, table
from drove_gateway.model.wording import printable

EVIL = "web\x1b]0;owned\x07-1"


@given(st.text())
def test_what_is_left_can_be_shown_and_what_was_harmless_stays(text: str) -> None:
    shown = printable(text)
    assert all(one.isprintable() or one in "\n\t" for one in shown)
    assert len(shown) == len(text)
    assert printable(shown) == shown
    assert all(a == b for a, b in zip(text, shown, strict=True) if a.isprintable())


def test_tables_hold_none() -> None:
    drawn = "\n".join(table(("A", "B"), [(Cell(EVIL), Cell(EVIL))], 80))
    assert "\x1b" not in click.unstyle(drawn)
    assert "\x07" not in drawn


@pytest.mark.parametrize("command", ["render", "explain", "check"])
@pytest.mark.usefixtures("nixy")
def test_no_command_lets_an_apps_id_through(call: Call, directory: Path, command: str) -> None:
    bad = {**ANSWER[0], "appId": EVIL, "vhost": "*.example.com"}
    good = {**ANSWER[0], "appId": f"good-{EVIL}"}
    (directory / "answer.json").write_text(json.dumps([good, bad]))
    vhost = ("web.example.com",) if command == "explain" else ()
    result = call(command, *vhost, "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.output
    assert "\x07" not in result.output


@pytest.mark.usefixtures("nixy")
def test_a_template_that_is_no_utf_8_is_rendered_as_it_is(call: Call, directory: Path) -> None:
    template = directory / "nginx.tmpl"
    template.write_bytes(b"# caf\xe9\n" + template.read_bytes())
    saved = ("--endpoints", f"stage={directory}/answer.json")
    assert call("render", *saved).stdout_bytes.startswith(b"# caf\xe9")
    checked = call("check", "--diff", *saved)
    assert checked.exit_code == 0, checked.stderr
    assert "+# caf�" in checked.stdout
