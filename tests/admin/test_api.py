"""Responses of the HTTP API, requested over HTTP."""

from pathlib import Path

import aiohttp
import msgspec
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import HELD, get, serving

from drove_gateway.admin.routes import ANY, routes
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.tokens import ApiTokens
from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.config.redact import public
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.proxies.registry import kind_of
from drove_gateway.status.config_document import config_document
from drove_gateway.status.status import (
    with_progress,
    with_proxy,
    with_record,
)

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"


async def test_the_root_names_the_build_in_three_lines(
    api: Api, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{api.url}/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        assert await answer.text() == "version: 1.2.3\ncommit: abc1234\ndate: 2026-11-22\n"


async def test_config_has_the_keys_of_the_original(api: Api, client: aiohttp.ClientSession) -> None:
    seconds = ((ApplyStage.RELOAD, 0.4), (ApplyStage.SERVERS, 0.1))
    record = ApplyRecord(1700000000.0, 0.5, (), ("new vhost",), (), seconds=seconds, reloaded=True)
    api.status = with_record(serving(api.status), record)

    status, config = await get(client, f"{api.url}/v1/config")

    assert status == 200
    assert config["LastKnownVhosts"] == {"Vhosts": {"a.local": True, "b.local": True}}
    assert config["LastKnownBackends"] == {"a.local": True, "b.local": True}
    assert config["LastReloadTimestamp"] == "2023-11-14T22:13:20.500000Z"
    assert config["LastUpstreamAPIUpdateTimestamp"] == "2023-11-14T22:13:20.500000Z"
    assert config["StaticData"] == {"Xproxy": "lb1"}


async def test_config_before_the_first_reload_has_gos_zero_time(
    api: Api, client: aiohttp.ClientSession
) -> None:
    _, config = await get(client, f"{api.url}/v1/config")

    assert config["LastReloadTimestamp"] == "0001-01-01T00:00:00Z"
    assert config["LastKnownVhosts"] == {"Vhosts": {}}


def test_config_names_haproxys_backends_by_group(api: Api) -> None:
    settings = Settings(
        proxy_platform="haproxy",
        haproxy_backend_name_separator="__",
        haproxy_backend_include_routing_tag_suffix=True,
    )

    config = config_document(serving(api.status), kind_of(settings).backends)

    assert config.last_known_backends == {"a.local__canary": True, "b.local__b.local": True}


async def test_config_shows_apps_and_namespaces_with_their_leaders(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    _, config = await get(client, f"{api.url}/v1/config")

    host = {"Host": "10.0.0.1", "Port": 8080, "PortType": "http"}
    app = {
        "ID": "a.local",
        "Vhost": "a.local",
        "Hosts": [host],
        "Tags": {"env": "canary"},
        "Groups": {"canary": {"Hosts": [host], "Tags": {"env": "canary"}}},
        "RoutingTagKey": "env",
    }
    assert config["Apps"]["a.local"] == app
    namespace = config["Namespaces"]["stage"]
    assert namespace["Leader"] == {"Endpoint": "http://c1:10000", "Host": "c1", "Port": 10000}
    assert (namespace["LeaderVHost"], namespace["RoutingTag"]) == ("drove.local", "env")
    assert namespace["Apps"]["a.local"] == app
    assert namespace["LastSyncTimestamp"] == "2023-11-14T22:13:20.250000Z"


async def test_no_response_contains_a_secret(api: Api, client: aiohttp.ClientSession) -> None:
    namespace = NamespaceSettings.model_validate(
        {"name": "stage", "drove": ["http://c1:10000"], "user": "u", "pass": "hunter-2-secret"}
    )
    token = NamespaceSettings.model_validate(
        {"name": "prod", "drove": ["http://p1:10000"], "access_token": "O-Bearer 3-secret"}
    )
    shown = public(Settings(namespaces=(namespace, token)))
    api.status = msgspec.structs.replace(serving(api.status), config=shown)

    for path in ("/", "/v1/config", "/v1/health", "/v1/status", "/v1/metrics"):
        async with client.get(f"{api.url}{path}") as answer:
            assert "secret" not in await answer.text()


async def test_metrics_are_text_and_agree_with_health(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    api.metrics.reload_failed()

    async with client.get(f"{api.url}/v1/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await answer.text()

    assert "\ndrove_gateway_reloads_failed 1\n" in text
    assert "\ndrove_gateway_config_generation_healthy 1\n" in text
    assert '\ndrove_gateway_last_sync_timestamp_seconds{namespace="stage"} 1700000000.25' in text


async def test_status_explains_each_change_by_trigger_reason_and_step(
    api: Api, client: aiohttp.ClientSession
) -> None:
    first = ApplyRecord(
        at=1700000000.0,
        took=0.25,
        triggers=("namespace stage",),
        reasons=("vhost a.local is new",),
        steps=(Step("reload", "haproxy", "vhost a.local is new"),),
        seconds=((ApplyStage.RENDER, 0.05), (ApplyStage.CHECK, 0.1)),
    )
    second = ApplyRecord(
        at=1700000010.0, took=0.5, triggers=("retry",), reasons=(), steps=(),
        failed=(("a.local", "no server left"),), error="refused",
    )  # fmt: skip
    api.status = with_record(with_record(serving(api.status), first), second)

    _, status = await get(client, f"{api.url}/v1/status")

    assert status["history"] == [
        {
            "at": "2023-11-14T22:13:30Z",
            "seconds": 0.5,
            "triggers": ["retry"],
            "reload_reasons": [],
            "reload_waits": False,
            "steps": [],
            "failed": [{"vhost": "a.local", "reason": "no server left"}],
            "left_out": 0,
            "stages": {},
            "error": "refused",
        },
        {
            "at": "2023-11-14T22:13:20Z",
            "seconds": 0.25,
            "triggers": ["namespace stage"],
            "reload_reasons": ["vhost a.local is new"],
            "reload_waits": False,
            "steps": [{"action": "reload", "subject": "haproxy", "reason": "vhost a.local is new"}],
            "failed": [],
            "left_out": 0,
            "stages": {"render": 0.05, "check": 0.1},
            "error": "",
        },
    ]


async def test_status_shows_what_the_gateway_is_doing(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status = msgspec.structs.replace(serving(api.status), held=(HELD,))
    status = with_proxy(status, msgspec.structs.replace(status.proxy, draining=3))
    api.status = with_progress(status, Progress("pacing", 1700000000.0))

    _, shown = await get(client, f"{api.url}/v1/status")

    assert (shown["version"], shown["healthy"], shown["vhosts"]) == ("1.2.3", True, 2)
    assert (shown["servers"], shown["draining"]) == (2, 3)
    assert shown["started"] == "1970-01-01T00:00:00Z"
    assert shown["reconciler"]["state"] == "pacing"
    assert shown["reconciler"]["next_try"] == "2023-11-14T22:13:20Z"
    assert shown["rejected"]["count"] == 1
    assert shown["rejected"]["first"][0]["value"] == "c;local"
    assert shown["held"][0]["servers"] == 12
    (namespace,) = shown["namespaces"]
    assert (namespace["name"], namespace["leader"]) == ("stage", "http://c1:10000")
    assert namespace["apps"] == {
        "with_routing_tag": 1, "without_routing_tag": 1, "ignored_by_realm": 0,
    }  # fmt: skip
    assert [each["healthy"] for each in namespace["endpoints"]] == [True, False]


async def test_response_to_an_unknown_path_lists_the_routes(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status, answer = await get(client, f"{api.url}/v1/helth")

    assert status == 404
    assert answer["error"] == "there is no route /v1/helth"
    assert "GET /v1/health" in answer["routes"]


async def test_response_to_a_wrong_method_names_the_right_one(
    api: Api, client: aiohttp.ClientSession
) -> None:
    async with client.delete(f"{api.url}/v1/accept") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
        assert "does not support DELETE" in (await answer.json())["error"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/v1/health", "/v1/config", "/v1/status", "/v1/metrics"])
async def test_every_method_reads_as_in_the_original(
    api: Api, client: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with (
        client.get(api.url + path) as expected,
        client.request(method, api.url + path) as answer,
    ):
        assert answer.status == expected.status
        assert answer.headers["Content-Type"] == expected.headers["Content-Type"]
        assert bool(await answer.read()) is (method != "HEAD")
    assert api.asked == []


@pytest.mark.parametrize("path", ["/", "/v1/health", "/v1/metrics", "/nowhere"])
async def test_responses_forbid_caching_and_type_guessing_and_name_no_version(
    api: Api, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(api.url + path) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "drove-gateway"


async def test_responses_are_indented_unless_they_are_large(
    api: Api, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{api.url}/v1/health") as answer:
        assert (await answer.text()).startswith('{\n  "Config": {\n    "Healthy": false')

    api.status = msgspec.structs.replace(api.status, config={"key": "x" * 2_000_000})
    async with client.get(f"{api.url}/v1/config") as answer:
        assert "\n" not in await answer.text()


def test_every_route_is_documented_and_every_documented_one_exists() -> None:
    api = Api()
    table = routes(api.sources(), api.actions(), Sessions(ApiTokens()))
    documented = {
        line.removeprefix("## `").removesuffix("`")
        for line in REFERENCE.read_text().splitlines()
        if line.startswith("## `")
    }

    assert documented == {each.path if each.method == ANY else each.title for each in table}
