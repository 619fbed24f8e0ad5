"""Every message names the line where its value stands, as editors and compilers have it."""

from pathlib import Path

import pytest

from drove_gateway.config import load
from drove_gateway.config.lines import lines
from drove_gateway.model.errors import ConfigError

FILE = '''# the gateway of the stage
port = "many"
 Address = "127.0.0.1"
"nginx_config" = "/etc/nginx/nginx.conf"
xproxy = """
port = 7
"""
drove.x = 1

[[namespaces]]
name = "one"
drove = [
    "http://c1:4000",
    "c2",
]

[[Namespaces]]
user = 5
'''


def test_keys_and_tables_are_found() -> None:
    assert lines(FILE) == {
        ("port",): 2,
        ("Address",): 3,
        ("address",): 3,
        ("nginx_config",): 4,
        ("xproxy",): 5,
        ("drove",): 8,
        ("namespaces",): 10,
        ("namespaces", 0): 10,
        ("namespaces", 0, "name"): 11,
        ("namespaces", 0, "drove"): 12,
        ("Namespaces",): 17,
        ("namespaces", 1): 17,
        ("namespaces", 1, "user"): 18,
    }


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("port", "2: port = "),
        ("user", "11: namespaces[0]: user = 5"),
        ("a missing key's table", "10: namespaces[0]: name: is missing"),
        ("an entry of a list", '13: namespace "two": drove[1] = '),
    ],
)
def test_a_problem_names_its_line(tmp_path: Path, key: str, place: str) -> None:
    del key
    file = tmp_path / "nixy.toml"
    file.write_text(
        '# first\nport = "many"\n\n\n\n\n\n\n\n[[namespaces]]\nuser = 5\n'
        '[[namespaces]]\ndrove = ["http://c1:4000", "c2"]\nname = "two"\n'
    )
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    assert f"{file}:{place}" in str(refused.value)


def test_a_warning_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "nixy.toml"
    file.write_text(
        'nginx_temlpate = "x"\nPORT = 7000\n'
        '[[namespaces]]\nname = "one"\ndrove = ["http://c1:4000"]\nreelm = "x"\n'
    )
    messages = [notice.text for notice in load(file, {}).warnings]
    for place in (
        ":1: nginx_temlpate: unknown",
        ":2: PORT: is read",
        ':6: namespace "one": reelm',
    ):
        assert any(f"{file}{place}" in text for text in messages), (place, messages)


def test_what_the_environment_sets_has_no_line(tmp_path: Path) -> None:
    file = tmp_path / "nixy.toml"
    file.write_text('port = 7000\n[[namespaces]]\nname = "one"\ndrove = ["http://c1:4000"]\n')
    with pytest.raises(ConfigError) as refused:
        load(file, {"DROVE_CONTROLLERS": "c1:4000"})
    assert f"{file}:" not in str(refused.value)
