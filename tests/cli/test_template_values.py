"""`check` warns of values of the `[template]` table that cannot have an effect."""

from pathlib import Path

import pytest

from drove_gateway.cli.template_values import doubtful_values
from drove_gateway.templates import shipped

TEMPLATES = ("haproxy", "haproxy-header-routing", "nginx", "nginx-header-routing", "nginx-lua")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_misspelt_name_is_reported_with_the_name_that_the_template_reads(name: str) -> None:
    table = {"TLS_CERTIFICATE": "/certificates", "TEAM": "edge"}
    (warning,) = doubtful_values(table, table, shipped(name))
    assert warning.startswith("[template] TLS_CERTIFICATE: the template does not read it")
    assert warning.endswith("did you mean TLS_CERTIFICATES?")


@pytest.mark.parametrize("name", TEMPLATES)
def test_names_of_a_shipped_template_and_names_like_no_other_are_not_reported(name: str) -> None:
    table = {"HTTPS_REDIRECT": "on", "PROXY_HTTP_PORT": "80", "SERVER_TIMEOUT": "60s", "X": "1"}
    assert list(doubtful_values(table, table, shipped(name))) == []


def test_names_for_a_larger_template_are_not_reported_for_a_small_one() -> None:
    table = {"NGINX_ACCESS_LOG": "off", "NGINX_ERROR_LOG": "error.log"}
    assert list(doubtful_values(table, table, "error_log {{.Vars.NGINX_ERROR_LOG}};")) == []


def test_a_missing_default_certificate_is_reported_until_it_exists(tmp_path: Path) -> None:
    table = {"TLS_CERTIFICATES": str(tmp_path)}
    (warning,) = doubtful_values(table, table, shipped("nginx"))
    assert f"{tmp_path}/default.pem does not exist" in warning

    (tmp_path / "default.pem").touch()
    assert list(doubtful_values(table, table, shipped("nginx"))) == []
