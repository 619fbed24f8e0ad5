"""The routes that act: reload and accept, and who may not use them."""

import aiohttp
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import HELD


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
