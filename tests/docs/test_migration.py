"""The migration page lists everything that users of the original have, and its state here."""

import re

import pytest
from tests.docs.pages import ROOT
from tools.reference.configuration import ORIGINAL as SECTIONS
from tools.reference.schema import properties_of

from drove_gateway.config.legacy import DEPRECATED, SINGLE_NAMESPACE
from drove_gateway.config.tolerance import STATE_FILE, TIME_LIMITS
from drove_gateway.metrics.catalog import ORIGINAL
from drove_gateway.model.health import NO_RUNTIME_API, PENDING, HealthSection
from drove_gateway.model.namespace_view import EndpointView, NamespaceView

PAGE = (ROOT / "docs" / "migration.md").read_text()
KEYS = [key for _, section in SECTIONS for key in properties_of(section)]

# The keys in the original's documentation, so that removing a declaration here fails a test.
_DOCUMENTED = """
address port port_use_tls port_tls_certfile port_tls_keyfile loglevel xproxy api_timeout
dns_resolution_timeout_sec event_refresh_interval_sec proxy_platform left_delimiter right_delimiter
nginx_config nginx_template nginx_cmd nginx_ignore_check nginx_reload_disabled nginxplusapiaddr
nginx_max_fails nginx_fail_timeout nginx_slow_start
haproxy_config haproxy_template haproxy_cmd haproxy_reload_cmd haproxy_ignore_check
haproxy_reload_disabled haproxysocketaddr haproxy_disable_large_backend_count_optimisation
haproxy_server_name_prefix haproxy_server_name_host_port_delimiter haproxy_backend_name_separator
haproxy_backend_include_routing_tag_suffix haproxy_add_server_attributes_string
haproxy_add_server_ssl_attributes_string
name drove user pass access_token realm realm_suffix routing_tag leader_vhost
"""
DOCUMENTED = frozenset(_DOCUMENTED.split())


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `([^`]+)`[^|]*\| (.*) \|$", text, re.MULTILINE))


def test_every_key_of_the_original_has_its_state() -> None:
    assert set(KEYS) == DOCUMENTED
    stated = rows(section("Every key"))
    assert stated.keys() == {*DOCUMENTED, *DEPRECATED, *SINGLE_NAMESPACE}
    assert all(stated[key].startswith("the same") for key in set(KEYS) - set(SINGLE_NAMESPACE))


@pytest.mark.parametrize(("old", "new"), DEPRECATED.items())
def test_old_name_refers_to_the_new_name(old: str, new: str) -> None:
    assert rows(section("Every key"))[old].startswith(f"taken as `{new}`")


@pytest.mark.parametrize("key", [*STATE_FILE, *TIME_LIMITS])
def test_keys_of_newer_versions_without_an_effect_are_named(key: str) -> None:
    assert f"`{key}`" in section("What differs")


def test_every_metric_of_the_original_is_listed_with_its_labels() -> None:
    listed = re.search(r"^```text\n(.*?)^```$", section("Metrics"), re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert listed[1].split() == [
        metric.shown + (f"{{{','.join(metric.labels)}}}" if metric.labels else "")
        for metric in ORIGINAL
    ]


def test_listed_health_messages_are_those_in_use() -> None:
    listed = {
        name: set(re.findall(r"`([^`]+)`", texts))
        for name, texts in rows(section("Health")).items()
    }
    up, down = EndpointView("a", True, "OK"), EndpointView("b", False, "no")

    assert {HealthSection().message, PENDING.message} <= listed["Config"] & listed["Template"]
    assert listed["UpstreamUpdatesViaAPI"] == {HealthSection().message, NO_RUNTIME_API.message}
    assert listed["NamespaceHealth"] == {
        NamespaceView("stage", endpoints).message
        for endpoints in ((EndpointView("a"),), (up,), (up, down), (down, down))
    }


def _rows_with_tests() -> list[str]:
    lines = [*section("What is better").splitlines(), *section("What differs").splitlines()]
    return [line for line in lines if line.startswith("| ") and not line.endswith("| Test |")]


@pytest.mark.parametrize("row", _rows_with_tests(), ids=lambda row: row[2:40])
def test_every_improvement_and_difference_and_everything_the_same_names_a_test(row: str) -> None:
    named = re.search(r"\| `(tests/\S+\.py)::(test_\w+)` \|$", row)
    assert named is not None, row
    assert f"def {named[2]}(" in (ROOT / named[1]).read_text()
