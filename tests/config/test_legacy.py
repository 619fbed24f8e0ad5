"""Older files: deprecated names, the form before namespaces, careless times."""

from pathlib import Path

import pytest
from tests.config.places import without_line

from drove_gateway.config import Loaded, load
from drove_gateway.model.errors import ConfigError

NAMESPACE = '\n[[namespaces]]\nname = "stage1"\ndrove = ["http://controller1:10000"]\n'
SINGLE = """
drove = ["http://controller1:10000"]
user = "guest"
pass = "secret"
access_token = ""
realm = "api.example.com"
realm_suffix = ".example.com"
routing_tag = "environment"
leader_vhost = "drove.example.com"
"""


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> Loaded:
    Path("nixy.toml").write_text(text)
    return load(Path("nixy.toml"), {})


def refused(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        read(text)
    return tuple(map(without_line, error.value.problems))


def test_deprecated_names_are_taken_with_a_warning() -> None:
    loaded = read(
        'maxfailsupstream = 3\nfailtimeoutupstream = "7s"\nslowstartupstream = "9s"' + NAMESPACE
    )
    settings = loaded.settings
    assert settings.nginx_max_fails == 3
    assert (settings.nginx_fail_timeout, settings.nginx_slow_start) == ("7s", "9s")
    assert [(notice.level, without_line(notice.text)) for notice in loaded.warnings] == [
        ("warning", "nixy.toml: maxfailsupstream: is deprecated; use nginx_max_fails instead"),
        (
            "warning",
            "nixy.toml: failtimeoutupstream: is deprecated; use nginx_fail_timeout instead",
        ),
        ("warning", "nixy.toml: slowstartupstream: is deprecated; use nginx_slow_start instead"),
    ]


def test_keys_are_taken_in_any_case_as_by_the_original() -> None:
    loaded = read(
        'Port = "7000"\nMaxFailsUpstream = 3\n'
        '[[Namespaces]]\nName = "stage1"\nDROVE = ["http://controller1:10000"]\n'
        'user = "u"\nPass = "secret"\n'
    )
    (namespace,) = loaded.settings.namespaces
    assert loaded.settings.port == 7000
    assert loaded.settings.nginx_max_fails == 3
    assert (namespace.name, namespace.drove) == ("stage1", ("http://controller1:10000",))
    assert namespace.password.get_secret_value() == "secret"
    assert [without_line(notice.text) for notice in loaded.warnings] == [
        "nixy.toml: Port: is read as port; write port",
        "nixy.toml: MaxFailsUpstream: is read as maxfailsupstream; write maxfailsupstream",
        "nixy.toml: maxfailsupstream: is deprecated; use nginx_max_fails instead",
        "nixy.toml: Namespaces: is read as namespaces; write namespaces",
        "nixy.toml: namespaces[0]: Name: is read as name; write name",
        "nixy.toml: namespaces[0]: DROVE: is read as drove; write drove",
        "nixy.toml: namespaces[0]: Pass: is read as pass; write pass",
    ]


def test_a_key_in_both_cases_counts_as_it_should_be_written() -> None:
    loaded = read('PORT = "7000"\nport = "6001"' + NAMESPACE)
    assert loaded.settings.port == 6001
    (notice,) = loaded.warnings
    assert without_line(notice.text) == "nixy.toml: PORT: has no effect, because port is set too"


def test_deprecated_names_win_over_the_new_ones() -> None:
    loaded = read("nginx_max_fails = 1\nmaxfailsupstream = 3" + NAMESPACE)
    assert loaded.settings.nginx_max_fails == 3
    (notice,) = loaded.warnings
    assert "wins over nginx_max_fails, which is set too" in notice.text


def test_a_problem_names_the_key_that_was_written() -> None:
    (problem,) = refused('maxfailsupstream = "3"' + NAMESPACE)
    assert problem == 'nixy.toml: maxfailsupstream = "3": must be a whole number, without quotes'


@pytest.mark.parametrize("value", ["10", "10 s", "1m", " ", "-1s", "1s\\n", "\u0661s"])
@pytest.mark.parametrize("key", ["nginx_fail_timeout", "nginx_slow_start"])
def test_a_time_that_nginx_would_not_take_becomes_0s(key: str, value: str) -> None:
    loaded = read(f'{key} = "{value}"' + NAMESPACE)
    assert getattr(loaded.settings, key) == "0s"
    (notice,) = loaded.warnings
    assert notice.level == "error"
    assert without_line(notice.text).startswith(
        f'nixy.toml: {key} = "{value}": must be digits and s'
    )


def test_a_time_of_another_type_is_refused() -> None:
    (problem,) = refused("nginx_fail_timeout = 10" + NAMESPACE)
    assert problem == "nixy.toml: nginx_fail_timeout = 10: must be text in quotes"


def test_the_form_before_namespaces_is_one_namespace_named_default() -> None:
    loaded = read(SINGLE)
    (namespace,) = loaded.settings.namespaces
    assert namespace.name == "default"
    assert namespace.drove == ("http://controller1:10000",)
    assert (namespace.user, namespace.password.get_secret_value()) == ("guest", "secret")
    assert (namespace.realm, namespace.realm_suffix) == ("api.example.com", ".example.com")
    assert (namespace.routing_tag, namespace.leader_vhost) == ("environment", "drove.example.com")
    (notice,) = loaded.warnings
    assert notice.text == (
        "nixy.toml: drove, user, pass, access_token, realm, realm_suffix, routing_tag, "
        'leader_vhost: are deprecated at top level and read as namespace "default"; write '
        '[[namespaces]] and name = "default" above them, at the end of the file'
    )


def test_problems_of_that_form_name_the_keys_as_written() -> None:
    assert refused('drove = ["controller1"]\nuser = 5') == (
        (
            'nixy.toml: drove[0] = "controller1": must begin with http:// or https://, such as '
            "http://controller1:10000"
        ),
        "nixy.toml: user = 5: must be text in quotes",
    )


def test_left_over_keys_beside_namespaces_have_no_effect_as_in_the_original() -> None:
    loaded = read('realm = "a"\nuser = ""' + NAMESPACE)
    (namespace,) = loaded.settings.namespaces
    assert (namespace.realm, namespace.user) == ("", "")
    assert [notice.text for notice in loaded.warnings] == [
        f"nixy.toml:{line}: {key}: has no effect beside [[namespaces]]; move it into a table, or "
        "remove it"
        for line, key in ((1, "realm"), (2, "user"))
    ]
