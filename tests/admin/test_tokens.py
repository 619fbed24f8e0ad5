"""Who may read and who may act, asked over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.admin.conftest import Api, listening

from drove_gateway.admin.tokens import ApiTokens
from drove_gateway.config import Settings

ACT, READ = "act-hunter-2", "read-hunter-3"
OPEN = ["/", "/v1/health"]
READS = ["/v1/status", "/v1/config", "/v1/metrics"]
ACTIONS = [("GET", "/v1/reload"), ("POST", "/v1/reload"), ("POST", "/v1/accept")]


@pytest.fixture
def keys() -> dict[str, str]:
    """The tokens that are configured, where a test does not name others."""
    return {"admin_token": ACT, "admin_read_token": READ}


@pytest.fixture
async def guarded(keys: dict[str, str]) -> AsyncIterator[Api]:
    api = Api()
    async with listening(api, Settings.model_validate({"port": 0, **keys})):
        yield api


async def status(
    client: aiohttp.ClientSession, url: str, token: str = "", method: str = "GET"
) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with client.request(method, url, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("path", OPEN)
async def test_probes_need_no_token(guarded: Api, client: aiohttp.ClientSession, path: str) -> None:
    assert await status(client, guarded.url + path) in {200, 500}


@pytest.mark.parametrize("path", READS)
async def test_reading_accepts_either_token(
    guarded: Api, client: aiohttp.ClientSession, path: str
) -> None:
    url = guarded.url + path
    assert await status(client, url) == 401
    assert await status(client, url, method="HEAD") == 401
    assert await status(client, url, READ) == 200
    assert await status(client, url, ACT) == 200


@pytest.mark.parametrize(("method", "path"), ACTIONS)
async def test_acting_requires_the_admin_token(
    guarded: Api, client: aiohttp.ClientSession, method: str, path: str
) -> None:
    url = guarded.url + path
    assert await status(client, url, method=method) == 401
    assert await status(client, url, "wrong", method) == 401
    assert await status(client, url, READ, method) == 403
    assert guarded.asked == []

    assert await status(client, url, ACT, method) in {200, 202}
    assert len(guarded.asked) == 1


@pytest.mark.parametrize("keys", [{"admin_token": ACT}])
async def test_reading_is_open_if_only_the_admin_token_is_set(
    guarded: Api, client: aiohttp.ClientSession
) -> None:
    assert await status(client, f"{guarded.url}/v1/status") == 200
    assert await status(client, f"{guarded.url}/v1/accept", method="POST") == 401


@pytest.mark.parametrize("keys", [{}])
async def test_without_tokens_everything_is_open(
    guarded: Api, client: aiohttp.ClientSession
) -> None:
    assert await status(client, f"{guarded.url}/v1/config") == 200
    assert await status(client, f"{guarded.url}/v1/accept", method="POST") == 200


async def test_refusal_says_what_to_send_and_repeats_no_token(
    guarded: Api, client: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": "Bearer nearly-right"}
    async with client.post(f"{guarded.url}/v1/accept", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="drove-gateway"'
        body = await answer.text()

    assert "Authorization: Bearer TOKEN" in body
    assert "admin_token" in body
    assert "nearly-right" not in body
    assert ACT not in body


@pytest.mark.parametrize(
    "header",
    [ACT, f"Basic {ACT}", f"Bearer{ACT}", "Bearer", "Bearer ", f"Bearer {ACT}x", "Bearer \xff"],
)
async def test_malformed_authorization_header_is_refused(
    guarded: Api, client: aiohttp.ClientSession, header: str
) -> None:
    async with client.post(f"{guarded.url}/v1/accept", headers={"Authorization": header}) as answer:
        assert answer.status == 401

    assert guarded.asked == []


async def test_the_scheme_is_known_in_any_case(guarded: Api, client: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"bearer  {ACT} "}
    async with client.post(f"{guarded.url}/v1/accept", headers=headers) as answer:
        assert answer.status == 200


def test_tokens_are_not_shown() -> None:
    assert ACT not in repr(ApiTokens(ACT, READ))
