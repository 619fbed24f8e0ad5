"""The example configurations work as they are."""

import re
from pathlib import Path

import pytest

from drove_gateway.config import Settings, load
from drove_gateway.config.sentences import keys_of
from drove_gateway.config.settings import NamespaceSettings
from drove_gateway.proxies.haproxy.lint import lint

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def test_there_is_one_for_each_proxy() -> None:
    names = [path.name for path in EXAMPLES]
    assert names == ["nixy-haproxy.toml", "nixy-nginx-plus.toml", "nixy.toml"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_each_loads_without_a_warning(path: Path) -> None:
    assert load(path, {}).warnings == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_keys_in_comments_exist(path: Path) -> None:
    commented = set(re.findall(r"^# (\w+) = ", path.read_text(), re.MULTILINE))
    assert commented <= {*keys_of(Settings), *keys_of(NamespaceSettings)}


def test_servers_of_the_haproxy_example_have_no_option_that_loses_requests() -> None:
    (path,) = (path for path in EXAMPLES if path.name == "nixy-haproxy.toml")
    settings = load(path, {}).settings
    server = "backend b\n    server s 10.0.0.1:80 check "
    options = settings.haproxy_add_server_attributes_string
    assert lint(server + options) == lint(server)
