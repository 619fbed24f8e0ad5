"""`.Vars`: the `[template]` table of nixy.toml, where environment variables win."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.templates.serving import Shipped, topology

from drove_gateway.cli import main
from drove_gateway.config import load
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.installation.template_data import template_variables
from drove_gateway.templates import NAMES, shipped
from drove_gateway.templates.variables import VARIABLES

_NAMESPACE = '[[namespaces]]\nname = "stage"\ndrove = ["http://127.0.0.1:1"]\n'


def table(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "nixy.toml").write_text(f"{_NAMESPACE}[template]\n{text}\n")
    return dict(load(tmp_path / "nixy.toml", {}, runs_here=False).settings.template)


def test_values_are_text(tmp_path: Path) -> None:
    text = 'PORT = 8080\nname = "a b"\nyes = true\nno = false\nshare = 0.5'
    expected = {"PORT": "8080", "name": "a b", "yes": "on", "no": "off", "share": "0.5"}
    assert table(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"a-b" = 1', "must consist of letters, digits and _"),
        ("A = [1]", "A must be text, a number or a boolean"),
        ('A = "two\\nlines"', "A must be one line"),
    ],
)
def test_values_that_a_template_cannot_use_are_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        table(tmp_path, text)


def test_environment_wins_and_an_empty_variable_is_unset() -> None:
    values = {"PROXY_HTTP_PORT": "80", "MINE": "table"}
    environ = {"PROXY_HTTP_PORT": "8080", "MINE": "", "HTTP3": "on", "DROVE_PASSWORD": "secret"}
    expected = {"PROXY_HTTP_PORT": "8080", "MINE": "table", "HTTP3": "on"}
    assert template_variables(values, environ) == expected


@pytest.mark.parametrize("name", NAMES)
def test_shipped_template_explains_the_settings_that_it_reads(name: str) -> None:
    head, _, body = shipped(name).partition("*/ -}}")
    read = set(re.findall(r"\.Vars\.(\w+)", body))
    explained = set(re.findall(r"^    ([A-Z][A-Z0-9_]+) ", head, re.MULTILINE))
    assert read == explained
    assert read <= VARIABLES


def test_page_explains_every_setting_of_the_shipped_templates() -> None:
    page = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
    assert [name for name in sorted(VARIABLES) if f"`{name}`" not in page] == []


@pytest.mark.parametrize(("environ", "port"), [({}, "8080"), ({"PROXY_HTTP_PORT": "8081"}, "8081")])
def test_render_sees_the_table_as_the_daemon_does(
    tmp_path: Path, environ: dict[str, str], port: str
) -> None:
    template, responses = tmp_path / "t.tmpl", tmp_path / "none.json"
    template.write_text("listen {{.Vars.PROXY_HTTP_PORT}};\n")
    responses.write_text("[]")
    file = tmp_path / "nixy.toml"
    file.write_text(
        f'nginx_template = "{template}"\n{_NAMESPACE}[template]\nPROXY_HTTP_PORT = 8080\n'
    )
    arguments = ("render", "-f", str(file), "--endpoints", f"stage={responses}")
    result = CliRunner().invoke(main, arguments, env=environ)
    assert result.stdout == f"listen {port};\n", result.stderr


@pytest.mark.parametrize("name", ["haproxy", "haproxy-header-routing"])
async def test_the_default_certificate_is_a_file_of_the_directory_that_ends_in_a_slash(
    name: str, tmp_path: Path
) -> None:
    """With two slashes, HAProxy would keep it apart from the file that is renewed."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho HAProxy version 3.4.0\n")
    program.chmod(0o755)
    settings = {"TLS_CERTIFICATES": "/etc/certificates/"}
    text = await Shipped(name, program, tmp_path, 8080, 6081, settings).write(topology())
    assert " crt /etc/certificates/default.pem " in text
