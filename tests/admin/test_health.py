"""`/v1/health`: its shape, its words, and what makes it 500."""

from pathlib import Path

import aiohttp
import msgspec
from tests.admin.conftest import Api
from tests.admin.statuses import HELD, STAGE, get, serving
from tests.proxies.haproxy.process import Haproxy
from tests.waiting import until

from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import Progress
from drove_gateway.model.vocabulary import (
    Rejection,
)
from drove_gateway.status.document_builder import MOST_REJECTED
from drove_gateway.status.status import (
    with_built,
    with_progress,
)


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
