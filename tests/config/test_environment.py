"""Environment variables: alone, and above a file."""

from pathlib import Path

import pytest

from drove_gateway.config import NamespaceSettings, Settings, load
from drove_gateway.model.errors import ConfigError

TWO = """
[[namespaces]]
name = "stage1"
drove = ["http://controller1:10000"]
user = "one"

[[namespaces]]
name = "stage2"
drove = ["http://controller2:10000"]
"""
ONE = TWO.partition("\n\n")[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nixy.toml"


def problems(path: Path | None, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        load(path, environ)
    return refused.value.problems


def only(settings: Settings) -> NamespaceSettings:
    (namespace,) = settings.namespaces
    return namespace


def test_the_controllers_alone_make_a_configuration() -> None:
    loaded = load(None, {"DROVE_CONTROLLERS": "http://controller1:4000, http://controller2:4000,"})
    namespace = only(loaded.settings)
    assert namespace.drove == ("http://controller1:4000", "http://controller2:4000")
    assert (namespace.name, namespace.user) == ("default", "guest")
    assert namespace.password.get_secret_value() == "guest"
    assert namespace.leader_vhost == ""
    assert loaded.warnings == ()


def test_all_variables_make_a_configuration() -> None:
    environ = {
        "DROVE_CONTROLLERS": "http://controller1:4000",
        "DROVE_USERNAME": "reader",
        "DROVE_PASSWORD": " secret ",
        "DROVE_CLUSTER_NAME": "stage",
        "NGINX_DROVE_VHOST": "drove.local",
        "HOME": "/root",
    }
    namespace = only(load(None, environ).settings)
    assert (namespace.name, namespace.user) == ("stage", "reader")
    assert namespace.password.get_secret_value() == " secret "
    assert namespace.leader_vhost == "drove.local"


def test_without_a_file_and_without_variables_it_says_what_is_needed() -> None:
    (problem,) = problems(None, {"DROVE_CONTROLLERS": ""})
    assert problem.startswith("environment: namespaces: no Drove cluster is configured")
    assert "set DROVE_CONTROLLERS" in problem


def test_the_controllers_are_needed_without_a_file() -> None:
    (problem,) = problems(None, {"DROVE_USERNAME": "reader"})
    assert problem.startswith("environment: DROVE_CONTROLLERS: is missing")


def test_problem_of_a_variable_names_the_variable() -> None:
    (problem,) = problems(None, {"DROVE_CONTROLLERS": "http://a,b"})
    assert problem.startswith('environment: DROVE_CONTROLLERS[1] = "b": must begin with http://')


def test_a_list_without_a_url_counts_as_unset() -> None:
    (problem,) = problems(None, {"DROVE_CONTROLLERS": " , "})
    assert problem.startswith("environment: namespaces: no Drove cluster is configured")


def test_variables_override_the_only_namespace_of_a_file(file: Path) -> None:
    file.write_text(ONE)
    environ = {
        "DROVE_CONTROLLERS": "http://other:1",
        "DROVE_PASSWORD": "secret",
        "DROVE_CLUSTER_NAME": "prod",
    }
    loaded = load(file, environ)
    namespace = only(loaded.settings)
    assert namespace.drove == ("http://other:1",)
    assert (namespace.name, namespace.user) == ("prod", "one")
    assert namespace.password.get_secret_value() == "secret"
    assert [notice.text for notice in loaded.warnings] == [
        (
            f'environment: DROVE_CLUSTER_NAME: is used instead of {file}:3: namespace "stage1": '
            'name = "stage1"'
        ),
        (
            f'environment: DROVE_CONTROLLERS: is used instead of {file}:4: namespace "stage1": '
            "drove = […]"
        ),
    ]


def test_a_variable_that_agrees_with_the_file_is_silent(file: Path) -> None:
    file.write_text(ONE + '\npass = "secret"')
    environ = {"DROVE_USERNAME": "one", "DROVE_PASSWORD": "secret", "DROVE_CLUSTER_NAME": "stage1"}
    assert load(file, environ).warnings == ()


def test_a_password_that_differs_is_named_but_not_shown(file: Path) -> None:
    file.write_text(ONE + '\npass = "in-the-file"')
    (notice,) = load(file, {"DROVE_PASSWORD": "in-the-environment"}).warnings
    assert notice.text == (
        f'environment: DROVE_PASSWORD: is used instead of {file}:6: namespace "stage1": pass'
    )


def test_what_no_variable_sets_stays_as_the_file_has_it(file: Path) -> None:
    file.write_text(ONE)
    namespace = only(load(file, {"NGINX_DROVE_VHOST": "drove.local"}).settings)
    assert (namespace.name, namespace.user) == ("stage1", "one")
    assert namespace.leader_vhost == "drove.local"
    assert namespace.password.get_secret_value() == ""


@pytest.mark.parametrize("name", ["stage2", "other"])
def test_variables_beside_several_namespaces_have_no_effect_and_are_named(
    file: Path, name: str
) -> None:
    file.write_text(TWO)
    loaded = load(file, {"DROVE_CLUSTER_NAME": name, "DROVE_USERNAME": "two"})
    assert [each.name for each in loaded.settings.namespaces] == ["stage1", "stage2"]
    assert [each.user for each in loaded.settings.namespaces] == ["one", ""]
    assert any(
        notice.text == "environment: DROVE_USERNAME, DROVE_CLUSTER_NAME: have no effect, because "
        f"{file} has 2 namespaces"
        for notice in loaded.warnings
    )


def test_variables_beside_a_mounted_file_have_no_effect_as_in_the_originals_container(
    file: Path,
) -> None:
    file.write_text(ONE)
    environ = {"CONFIG_FILE_PATH": str(file), "DROVE_USERNAME": "two", "DROVE_PASSWORD": "secret"}
    loaded = load(file, environ)
    assert only(loaded.settings).user == "one"
    assert any("CONFIG_FILE_PATH names a file" in notice.text for notice in loaded.warnings)
    assert "secret" not in repr(loaded.warnings)


def test_a_file_of_general_keys_gets_its_cluster_from_the_variables(file: Path) -> None:
    file.write_text('proxy_platform = "haproxy"')
    settings = load(file, {"DROVE_CONTROLLERS": "http://a"}).settings
    assert settings.proxy_platform == "haproxy"
    assert only(settings).user == "guest"


def test_variables_override_the_form_before_namespaces(file: Path) -> None:
    file.write_text('drove = ["http://a"]\nuser = "one"')
    namespace = only(load(file, {"DROVE_CONTROLLERS": "http://b"}).settings)
    assert (namespace.name, namespace.drove, namespace.user) == ("default", ("http://b",), "one")


def test_namespaces_that_cannot_be_read_stay_a_problem_of_the_file(file: Path) -> None:
    file.write_text('namespaces = "a"')
    (problem,) = problems(file, {"DROVE_CONTROLLERS": "http://a"})
    assert problem.startswith(f"{file}:1: namespaces: must be tables")


@pytest.mark.parametrize("platform", ["nginx", "haproxy"])
def test_the_template_of_the_driven_proxy_is_overridden(file: Path, platform: str) -> None:
    file.write_text(
        f'proxy_platform = "{platform}"\nnginx_template = "n"\nhaproxy_template = "h"\n'
    )
    loaded = load(file, {"DROVE_CONTROLLERS": "http://a", "TEMPLATE_FILE_PATH": "/t"})
    settings = loaded.settings
    expected = {"nginx": ("/t", "h"), "haproxy": ("n", "/t")}[platform]
    assert (settings.nginx_template, settings.haproxy_template) == expected
    line, written = {"nginx": (2, "n"), "haproxy": (3, "h")}[platform]
    assert [notice.text for notice in loaded.warnings] == [
        (
            f"environment: TEMPLATE_FILE_PATH: is used instead of {file}:{line}: "
            f'{platform}_template = "{written}"'
        )
    ]


def test_a_template_alone_is_not_a_cluster() -> None:
    (problem,) = problems(None, {"TEMPLATE_FILE_PATH": "/t"})
    assert problem.startswith("environment: namespaces: no Drove cluster is configured")
