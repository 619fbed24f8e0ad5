"""The template on disk: read again when it changed, the last good one kept."""

import os
from pathlib import Path

import pytest

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import RenderError
from drove_gateway.proxies.installation.template_file import TemplateFile

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
