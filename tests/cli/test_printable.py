"""Text from outside cannot control the operator's terminal."""

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
def test_printable_text_has_no_control_characters_and_keeps_the_rest(text: str) -> None:
    shown = printable(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    assert len(shown) == len(text)
    assert printable(shown) == shown
    assert all(a == b for a, b in zip(text, shown, strict=True) if a.isprintable())


def test_tables_contain_no_control_characters() -> None:
    drawn = "\n".join(table(("A", "B"), [(Cell(EVIL), Cell(EVIL))], 80))
    assert "\x1b" not in click.unstyle(drawn)
    assert "\x07" not in drawn


@pytest.mark.parametrize("command", ["render", "explain", "check"])
@pytest.mark.usefixtures("nixy")
def test_no_command_prints_control_characters_of_an_app_id(
    call: Call, directory: Path, command: str
) -> None:
    bad = {**ANSWER[0], "appId": EVIL, "vhost": "web..example.com"}
    good = {**ANSWER[0], "appId": f"good-{EVIL}"}
    (directory / "answer.json").write_text(json.dumps([good, bad]))
    vhost = ("web.example.com",) if command == "explain" else ()
    result = call(command, *vhost, "--endpoints", f"stage={directory}/answer.json")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.output
    assert "\x07" not in result.output


@pytest.mark.usefixtures("nixy")
def test_template_that_is_not_utf_8_is_rendered_unchanged(call: Call, directory: Path) -> None:
    template = directory / "nginx.tmpl"
    template.write_bytes(b"# caf\xe9\n" + template.read_bytes())
    saved = ("--endpoints", f"stage={directory}/answer.json")
    assert call("render", *saved).stdout_bytes.startswith(b"# caf\xe9")
    checked = call("check", "--diff", *saved)
    assert checked.exit_code == 0, checked.stderr
    assert "+# caf�" in checked.stdout
