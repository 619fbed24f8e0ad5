"""`check --diff`: a unified diff that other tools can read, once its colours are taken away."""

import click

from drove_gateway.cli.file_diff import file_diff
from drove_gateway.config.declared_secrets import without_declared_secrets


def lines(before: str | None, after: str) -> list[str]:
    return [
        click.unstyle(line)
        for line in file_diff(before, after, "/etc/nginx.conf", without_declared_secrets)
    ]


def test_changed_lines_are_shown_with_their_surroundings() -> None:
    assert lines("a\nb\nc\n", "a\nB\nc\n") == [
        "--- /etc/nginx.conf",
        "+++ /etc/nginx.conf",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+B",
        " c",
    ]


def test_secrets_are_hidden_in_what_people_paste() -> None:
    shown = lines("a\n", "user jo password OPENSESAME\n")

    assert shown[-1] == "+user jo password ***"


def test_equal_files_have_no_diff() -> None:
    assert lines("a\n", "a\n") == []


def test_a_new_file_is_added_as_a_whole() -> None:
    assert lines(None, "a\nb\n") == [
        "--- /dev/null",
        "+++ /etc/nginx.conf",
        "@@ -0,0 +1,2 @@",
        "+a",
        "+b",
    ]


def test_lines_are_coloured_for_terminals() -> None:
    painted = list(file_diff("a\n", "b\n", "f", str))
    assert "\x1b[31m-a\x1b[0m" in painted
    assert "\x1b[32m+b\x1b[0m" in painted
