"""`/v1/explain` and `/v1/vhosts`, requested over HTTP."""

from typing import Any

import aiohttp
import pytest
from tests.admin.conftest import Api
from tests.admin.statuses import get, serving

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord
from drove_gateway.state.history_entries import AppliedEntry, encoded

UP = ServerState("a.local", "s1", "10.0.0.1:8080", "UP", True, weight=1, sessions=3, changed=60.0)


async def explain(api: Api, client: aiohttp.ClientSession, question: str) -> Any:
    async with client.get(f"{api.url}/v1/explain", params={"q": question}) as response:
        assert response.status == 200
        return await response.json()


async def test_wanted_and_present_are_shown_side_by_side(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    api.present = {"a.local": (UP,)}

    document = await explain(api, client, "http://a.local/cart")

    [vhost] = document["vhosts"]
    assert vhost["answer"] == "It is served."
    [server] = vhost["servers"]
    assert (server["address"], server["wanted"], server["applied"]) == ("10.0.0.1:8080", True, True)
    assert server["present"] == [
        {
            "backend": "a.local",
            "name": "s1",
            "state": "UP",
            "up": True,
            "weight": 1,
            "sessions": 3,
            "requests": None,
            "errors": None,
            "changed_seconds": 60.0,
        }
    ]


async def test_a_proxy_that_cannot_be_asked_hides_nothing_else(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    api.silence = "the socket does not exist"

    document = await explain(api, client, "a.local")

    [vhost] = document["vhosts"]
    assert vhost["proxy_problem"] == "the socket does not exist"
    assert vhost["served"]


async def test_a_reload_of_an_earlier_run_is_found_in_the_journal(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    old = ApplyRecord(1.0, 0.5, (), ("vhost a.local added",), (), reloaded=True)
    entry = AppliedEntry(old)
    api.journal.add(entry, encoded(entry))

    document = await explain(api, client, "a.local")

    [vhost] = document["vhosts"]
    assert vhost["last_reload"]["reasons"] == ["vhost a.local added"]


async def test_an_unknown_vhost_gets_the_cause_and_a_similar_name(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    document = await explain(api, client, "a.locl")

    assert document["suggestion"] == "a.local"
    [vhost] = document["vhosts"]
    assert vhost["answer"].startswith("This is 404 because ")


@pytest.mark.parametrize("query", ["", "?q=", f"?q={'x' * 1001}"])
async def test_a_question_without_words_is_refused(
    api: Api, client: aiohttp.ClientSession, query: str
) -> None:
    status, response = await get(client, f"{api.url}/v1/explain{query}")

    assert status == 400
    assert "the query needs q" in response["error"]


async def test_the_names_of_vhosts_are_listed_by_prefix_with_a_limit(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)

    assert await get(client, f"{api.url}/v1/vhosts") == (
        200,
        {"vhosts": ["a.local", "b.local", "drove.local"]},
    )
    assert (await get(client, f"{api.url}/v1/vhosts?prefix=B."))[1] == {"vhosts": ["b.local"]}
    assert len((await get(client, f"{api.url}/v1/vhosts?limit=1"))[1]["vhosts"]) == 1


async def test_the_page_of_a_vhost_shows_the_state_in_the_proxy(
    api: Api, client: aiohttp.ClientSession
) -> None:
    api.status = serving(api.status)
    api.present = {"a.local": (UP,)}

    async with client.get(f"{api.url}/ui/vhosts/a.local") as response:
        html = await response.text()

    assert '<span class="green">UP</span>' in html
    assert "60 s" in html
