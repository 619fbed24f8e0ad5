"""The template on disk: read again when it changed, the last good one kept."""

import os
from pathlib import Path

import pytest

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import RenderError
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.template_memory import TemplateMemory

GO = ("{{", "}}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nginx.tmpl"


def opened(path: Path, delims: tuple[str, str] = GO) -> TemplateFile:
    return TemplateFile(path, delims, {"shout": str.upper})


def test_a_template_is_compiled_with_the_gateways_functions(path: Path) -> None:
    path.write_text('{{shout "well"}}')
    assert opened(path).newest().render({}) == "WELL"


def test_a_template_may_have_its_own_delimiters(path: Path) -> None:
    path.write_text('{{ }} [[shout "well"]]')
    assert opened(path, ("[[", "]]")).newest().render({}) == "{{ }} WELL"


def test_an_unchanged_file_is_not_compiled_again(path: Path) -> None:
    path.write_text("one")
    file = opened(path)
    assert file.newest() is file.newest()


def test_a_changed_file_waits_for_its_release(path: Path) -> None:
    path.write_text("one")
    releases = [0]
    file = TemplateFile(path, GO, {}, release=lambda: releases[-1])
    assert file.newest().render({}) == "one"

    path.write_text("another")
    assert (file.changed(), file.waits()) == (False, True)
    assert file.newest().render({}) == "one"

    releases.append(1)
    assert (file.changed(), file.waits()) == (True, False)
    assert file.newest().render({}) == "another"
    path.write_text("a third")
    assert file.newest().render({}) == "another"


@pytest.mark.parametrize("change", ["rewritten", "replaced"])
def test_a_changed_file_is_noticed_and_read_again(path: Path, change: str) -> None:
    path.write_text("one")
    file = opened(path)
    assert not file.changed()
    assert file.newest().render({}) == "one"
    assert not file.changed()
    if change == "rewritten":
        path.write_text("another")
    else:
        beside = path.with_name("new")
        beside.write_text("another")
        beside.replace(path)
    assert file.changed()
    assert file.newest().render({}) == "another"
    assert file.source == "another"
    assert not file.changed()


def test_a_template_that_cannot_be_parsed_says_its_file_and_line(path: Path) -> None:
    path.write_text("one\n{{if}}\n")
    file = opened(path)
    for _ in range(2):
        with pytest.raises(RenderError, match=r"nginx\.tmpl:2"):
            file.newest()


def test_a_missing_template_says_its_path(path: Path) -> None:
    with pytest.raises(RenderError, match=f"cannot read the template {path}"):
        opened(path).newest()


def test_a_template_that_went_missing_is_a_change_and_so_is_its_return(path: Path) -> None:
    path.write_text("one")
    file = opened(path)
    file.newest()
    path.unlink()
    assert file.changed()
    with pytest.raises(RenderError):
        file.newest()
    path.write_text("one")
    assert file.changed()
    assert file.newest().render({}) == "one"


def test_the_good_template_is_the_last_that_the_proxy_accepted(path: Path) -> None:
    path.write_text("one")
    file = opened(path)
    good: Template = file.newest()
    assert file.good is None
    file.accept(good)
    path.write_text("{{broken")
    with pytest.raises(RenderError):
        file.newest()
    assert file.good is good


def test_bytes_that_are_not_text_pass_through(path: Path) -> None:
    path.write_bytes(b"# caf\xe9")
    assert opened(path).newest().render({}).encode(errors="surrogateescape") == b"# caf\xe9"


def test_a_pipe_in_the_templates_place_is_an_error_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "nginx.tmpl")

    with pytest.raises(RenderError, match="not a regular file"):
        TemplateFile(tmp_path / "nginx.tmpl", ("{{", "}}"), {}).newest()


def remembered(path: Path, proxy: str = "nginx", delims: tuple[str, str] = GO) -> TemplateFile:
    """Open the template as a gateway does that starts, with what an earlier run stored."""
    memory = TemplateMemory(path.with_name("memory"), proxy, delims)
    file = TemplateFile(path, delims, {}, memory)
    file.recall()
    return file


def stored(path: Path, text: str) -> None:
    """Have a gateway accept and store a template."""
    path.write_text(text)
    file = remembered(path)
    file.accept(file.newest())
    file.keep()


def test_the_last_good_template_survives_a_restart(path: Path) -> None:
    stored(path, "good {{len .}}")
    path.write_text("{{")
    file = remembered(path)
    assert file.good is not None
    assert file.good.render({}) == "good 0"


def test_an_unchanged_template_counts_as_good_after_a_restart(path: Path) -> None:
    stored(path, "good")
    file = remembered(path)
    assert file.good is file.newest()


def test_a_template_that_was_never_accepted_is_not_stored(path: Path) -> None:
    stored(path, "good")
    path.write_text("another")
    file = remembered(path)
    file.newest()
    file.keep()
    again = remembered(path).good
    assert again is not None
    assert again.render({}) == "good"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00", b'["nginx", "{{"', b'["nginx", "{{", "}}"]\n{{']
)
def test_a_stored_template_that_is_damaged_is_ignored(path: Path, content: bytes) -> None:
    path.write_text("good")
    path.with_name("memory").write_bytes(content)
    assert remembered(path).good is None


def test_a_template_of_another_kind_of_proxy_or_delimiters_is_ignored(path: Path) -> None:
    stored(path, "good")
    path.write_text("{{")
    assert remembered(path, proxy="haproxy").good is None
    assert remembered(path, delims=("[[", "]]")).good is None


def test_only_the_gateways_user_can_read_a_stored_template(path: Path) -> None:
    stored(path, "password")
    assert path.with_name("memory").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_written_stops_nothing(path: Path) -> None:
    path.write_text("good")
    memory = TemplateMemory(path / "memory", "nginx", GO)
    file = TemplateFile(path, GO, {}, memory)
    file.recall()
    file.accept(file.newest())
    file.keep()
