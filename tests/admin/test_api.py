"""Responses of the HTTP API, requested over HTTP."""

from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.admin.conftest import Api
from tests.proxies.haproxy.process import Haproxy
from tests.waiting import until

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin.routes import ANY, routes
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.tokens import ApiTokens
from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.config.redact import public
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import ApplyStage, Step
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Rejection,
    Snapshot,
)
from drove_gateway.proxies.registry import kind_of
from drove_gateway.status.config_document import config_document
from drove_gateway.status.document_builder import MOST_REJECTED
from drove_gateway.status.status import (
    Status,
    with_built,
    with_progress,
    with_proxy,
    with_record,
)
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import parse_rules

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"

LEADER = Leader("http://c1:10000", "c1", 10000)
C1 = EndpointView("http://c1:10000", True, "OK")
C2 = EndpointView("http://c2:10000", False, "This node is not the leader controller")
STAGE = NamespaceView("stage", (C1, C2), leader=LEADER, last_sync=1700000000.25, syncing=False)
WELL = ProxyHealth(config=HealthSection(), template=HealthSection())
HELD = HeldWithdrawal(
    "stage",
    "the response is suddenly empty",
    12,
    ("a.local",),
    41.25,
    alive=12,
    missing=18.75,
    addresses=("10.0.0.1:8000",),
)


def serving(status: Status) -> Status:
    """A gateway at work: two apps of one namespace applied, and one entry rejected."""
    hosts = (Host("10.0.0.1", 8080, "http"),)
    apps = (
        AppEndpoints("a", "a-1", "a.local", {"env": "canary"}, hosts),
        AppEndpoints("b", "b-1", "b.local", {}, hosts),
        AppEndpoints("c", "c-1", "c;local", {}, hosts),
    )
    built = build(
        {"stage": Snapshot("stage", LEADER, apps)},
        [parse_rules("stage", "", "", "env", "drove.local")],
    )
    status = msgspec.structs.replace(status, namespaces=(STAGE,), proxy=WELL)
    status = with_built(status, built)
    return with_progress(with_progress(status, Progress("applying")), Progress("idle"))


async def get(client: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with client.get(url) as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


async def test_the_root_names_the_build_in_three_lines(
    api: Api, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{api.url}/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        assert await answer.text() == "version: 1.2.3\ncommit: abc1234\ndate: 2026-11-22\n"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_any_method_triggers_a_reload(
    api: Api, client: aiohttp.ClientSession, method: str
) -> None:
    async with client.request(method, f"{api.url}/v1/reload") as answer:
        assert (answer.status, await answer.text()) == (202, "queued\n")

    assert api.asked == ["reload"]


async def test_reload_that_is_already_queued_is_reported(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.queue_has_room = False

    async with client.post(f"{api.url}/v1/reload") as answer:
        assert (answer.status, await answer.text()) == (202, "queue is full\n")


async def test_held_withdrawals_are_accepted_by_post_only(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.held = (HELD,)

    async with client.get(f"{api.url}/v1/accept") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
    assert api.asked == []

    async with client.post(f"{api.url}/v1/accept") as answer:
        assert await answer.json() == {
            "accepted": [
                {
                    "namespace": "stage",
                    "reason": "the response is suddenly empty",
                    "servers": 12,
                    "vhosts": ["a.local"],
                    "believed_in_seconds": 41.2,
                    "alive": 12,
                    "missing_seconds": 18.8,
                    "addresses": ["10.0.0.1:8000"],
                    "known": HELD.known,
                    "ends": HELD.ends,
                }
            ]
        }
    assert api.asked == ["accept"]


async def test_acceptance_names_what_is_accepted_and_by_whom(
    api: Api, client: aiohttp.ClientSession
) -> None:
    url = f"{api.url}/v1/accept?name=Web.Example.com.&name=stage&dry_run=true"
    async with client.post(url, headers={"X-Caller": "ops"}) as answer:
        assert answer.status == 200

    [request] = api.accepting
    assert {"web.example.com", "stage"} <= set(request.names)
    assert request.dry_run
    assert request.caller == "ops (127.0.0.1)"


@pytest.mark.parametrize(
    ("query", "body"), [("?vhost=web.example.com", b""), ("", b'{"name": "web.example.com"}')]
)
async def test_a_name_in_the_wrong_place_accepts_nothing(
    api: Api, client: aiohttp.ClientSession, query: str, body: bytes
) -> None:
    async with client.post(f"{api.url}/v1/accept{query}", data=body or None) as answer:
        assert answer.status == 400
        assert "?name=VHOST" in await answer.text()

    assert api.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/accept", "/v1/reload"])
async def test_a_page_of_another_site_cannot_act(
    api: Api, client: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with client.post(f"{api.url}{path}", headers=headers) as answer:
        assert answer.status == 403

    assert api.asked == []


async def test_a_page_of_the_gateways_own_may_act(api: Api, client: aiohttp.ClientSession) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": api.url}

    async with client.post(f"{api.url}/v1/accept", headers=headers) as answer:
        assert answer.status == 200

    assert api.asked == ["accept"]


async def test_health_has_the_shape_and_the_words_of_the_original(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    status, health = await get(client, f"{api.url}/v1/health")

    ok = {"Healthy": True, "Message": "OK"}
    unused = {"Healthy": True, "Message": "OK: Not in use, full reloads are enabled"}
    assert status == 200
    assert health["Config"] == ok
    assert health["Template"] == ok
    assert health["UpstreamUpdatesViaAPI"] == unused
    assert health["ResolverHealth"] == ok
    assert health["NamespaceHealth"] == {
        "stage": {
            "Namespace": "stage",
            "Healthy": True,
            "Message": "1 out of 2 endpoints are healthy",
        }
    }
    assert health["NamespaceEndpoints"] == {
        "stage": [
            {
                "Namespace": "stage",
                "Endpoint": "http://c1:10000",
                "Healthy": True,
                "Message": "OK",
            },
            {
                "Namespace": "stage",
                "Endpoint": "http://c2:10000",
                "Healthy": False,
                "Message": "This node is not the leader controller",
            },
        ]
    }


async def test_before_the_first_check_health_is_500(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status, health = await get(client, f"{api.url}/v1/health")

    assert status == 500
    assert health["Config"] == {"Healthy": False, "Message": "pending first check"}


async def test_one_namespace_without_a_leader_makes_health_500(
    api: Api, client: aiohttp.ClientSession
) -> None:
    down = NamespaceView("prod", (EndpointView("http://p1:10000", False, "refused"),))
    api.status = serving(api.status)
    api.status = msgspec.structs.replace(api.status, namespaces=(STAGE, down))

    status, health = await get(client, f"{api.url}/v1/health")

    assert status == 500
    assert health["NamespaceHealth"]["prod"]["Message"] == "All endpoints are down"
    assert health["NamespaceHealth"]["stage"]["Healthy"]


async def test_rejected_entries_are_listed_in_health_and_do_not_make_it_500(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    status, health = await get(client, f"{api.url}/v1/health")

    assert status == 200
    assert health["Rejected"] == {
        "Count": 1,
        "First": [
            {
                "Namespace": "stage",
                "App": "c-1",
                "Subject": "vhost",
                "Value": "c;local",
                "Reason": "not a DNS name; the app is left out",
            }
        ],
    }


async def test_health_names_what_the_guard_holds_and_when_it_tries_again(
    api: Api, client: aiohttp.ClientSession
) -> None:
    status = msgspec.structs.replace(serving(api.status), held=(HELD,))
    api.status = with_progress(status, Progress("retrying", 1700000000.0, 3, "line 4: no"))

    _, health = await get(client, f"{api.url}/v1/health")

    assert health["Held"][0]["Reason"] == "the response is suddenly empty"
    assert health["Reconciler"] == {
        "State": "retrying",
        "Error": "line 4: no",
        "NextTry": "2023-11-14T22:13:20Z",
    }


async def test_a_flood_of_rejections_is_counted_and_shown_in_part(
    api: Api, client: aiohttp.ClientSession
) -> None:
    rejections = tuple(
        Rejection("stage", "a-1", "host", f"bad {number}", "no host") for number in range(5000)
    )
    built = msgspec.structs.replace(api.status.built, rejected=rejections)
    api.status = with_built(api.status, built)

    _, health = await get(client, f"{api.url}/v1/health")

    assert health["Rejected"]["Count"] == 5000
    assert len(health["Rejected"]["First"]) == MOST_REJECTED


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


async def test_haproxys_http_check_of_health_sees_the_gateway_up(
    api: Api, haproxy: Path, short_path: Path
) -> None:
    """`option httpchk /v1/health` sends OPTIONS, and the original answers it."""
    api.status = serving(api.status)
    proxy = Haproxy(haproxy, short_path)
    proxy.config.write_text(
        f"global\n stats socket {proxy.socket} level admin\n"
        "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
        "backend gateway\n option httpchk /v1/health\n"
        f" server g {api.url.removeprefix('http://')} check inter 100ms\n"
    )

    async def checked() -> str:
        head, *rows = (await proxy.say("show stat")).splitlines()
        names = head.removeprefix("# ").split(",")
        found = [dict(zip(names, row.split(","), strict=True)) for row in rows]
        return next(row["check_status"] for row in found if row["svname"] == "g")

    async def has_checked() -> bool:
        return (await checked()) not in {"", "INI"} and not (await checked()).startswith("*")

    await proxy.start()
    try:
        await until(has_checked)
        assert await checked() == "L7OK"
    finally:
        await proxy.kill()
