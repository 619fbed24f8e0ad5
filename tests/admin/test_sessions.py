"""Browsers log in with a token, and act only by forms of their own session."""

import re
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.admin.conftest import Api, listening
from tests.admin.statuses import HELD, serving

from drove_gateway.admin.attempts import FailedAttempts
from drove_gateway.admin.sessions import COOKIE, Sessions
from drove_gateway.admin.tokens import ApiTokens, Right
from drove_gateway.config import Settings

ACT, READ = "act-hunter-2", "read-hunter-3"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def keys() -> dict[str, str]:
    return {"admin_token": ACT, "admin_read_token": READ}


@pytest.fixture
async def guarded(keys: dict[str, str]) -> AsyncIterator[Api]:
    api = Api()
    api.status = msgspec.structs.replace(serving(api.status), held=(HELD,))
    async with listening(api, Settings.model_validate({"port": 0, **keys})):
        yield api


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers=BROWSER) as session:
        yield session


async def log_in(browser: aiohttp.ClientSession, api: Api, token: str) -> str:
    async with browser.post(f"{api.url}/ui/session", data={"token": token}) as response:
        return await response.text()


def secret_of(html: str) -> str:
    found = re.search(r'name="form_secret" value="(\w+)"', html)
    assert found is not None
    return found[1]


async def test_a_browser_without_a_session_is_sent_to_log_in(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{guarded.url}/ui/") as response:
        html = await response.text()

    assert response.url.path == "/ui/login"
    assert "vhost" not in html
    assert 'type="password"' in html


async def test_the_token_for_reading_shows_the_page_without_buttons(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    html = await log_in(browser, guarded, READ)

    assert "12 servers on hold" in html
    assert "form_secret" not in html
    assert "Log in to act" in html
    async with browser.get(f"{guarded.url}/v1/status") as response:
        assert response.status == 200


async def test_the_token_for_acting_shows_buttons_that_act(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    form = {"form_secret": secret_of(await log_in(browser, guarded, ACT)), "name": "a.local"}

    async with browser.post(f"{guarded.url}/ui/actions/accept", data=form) as response:
        assert response.url.path == "/ui/"
    async with browser.post(f"{guarded.url}/ui/actions/reload", data=form) as response:
        assert response.status == 200

    assert guarded.asked == ["accept", "reload"]
    [request] = guarded.accepting
    assert (request.names, request.dry_run) == (("a.local",), False)
    assert "the page" in request.caller


@pytest.mark.parametrize("action", ["/ui/actions/accept", "/ui/actions/reload"])
async def test_nothing_acts_by_get_or_without_the_forms_secret(
    guarded: Api, browser: aiohttp.ClientSession, action: str
) -> None:
    secret = secret_of(await log_in(browser, guarded, ACT))
    other = {"Origin": "https://evil.example"}

    async with browser.get(f"{guarded.url}{action}?form_secret={secret}&name=a.local") as response:
        assert response.status == 405
    for data in ({}, {"form_secret": ""}, {"form_secret": "0" * 64, "name": "a.local"}):
        async with browser.post(guarded.url + action, data=data) as response:
            assert response.status == 403
    async with browser.post(
        guarded.url + action, data={"form_secret": secret, "name": "a.local"}, headers=other
    ) as response:
        assert response.status == 403
    assert guarded.asked == []


@pytest.mark.parametrize("token", [READ, "wrong", ""])
async def test_other_tokens_do_not_act(
    guarded: Api, browser: aiohttp.ClientSession, token: str
) -> None:
    await log_in(browser, guarded, token)

    async with browser.post(f"{guarded.url}/ui/actions/reload", data={}) as response:
        assert response.status == 403
    assert guarded.asked == []


async def test_a_session_does_not_act_through_the_api(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    await log_in(browser, guarded, ACT)

    for path in ("/v1/reload", "/v1/accept"):
        async with browser.post(guarded.url + path) as response:
            assert response.status == 401
    assert guarded.asked == []


async def test_a_wrong_token_is_reported_and_begins_nothing(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    assert "This is not a token" in await log_in(browser, guarded, "wrong")
    assert not list(browser.cookie_jar)


async def test_logging_out_ends_the_session(guarded: Api, browser: aiohttp.ClientSession) -> None:
    await log_in(browser, guarded, ACT)
    async with browser.post(f"{guarded.url}/ui/session/end") as response:
        assert response.url.path == "/ui/login"


async def test_a_copy_of_the_cookie_is_worth_nothing_after_logging_out(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    await log_in(browser, guarded, ACT)
    [cookie] = browser.cookie_jar
    other = aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={cookie.value}"})
    async with other:
        async with other.get(f"{guarded.url}/v1/status") as response:
            assert response.status == 200
        async with browser.post(f"{guarded.url}/ui/session/end"):
            pass
        async with other.get(f"{guarded.url}/v1/status") as response:
            assert response.status == 401
    assert "form_secret" in await log_in(browser, guarded, ACT)


async def test_an_address_that_guesses_tokens_at_the_login_has_to_wait(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    for number in range(10):
        assert "This is not a token" in await log_in(browser, guarded, f"guess-{number}")

    async with browser.post(f"{guarded.url}/ui/session", data={"token": ACT}) as response:
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60
    async with browser.get(
        f"{guarded.url}/v1/status", headers={"Authorization": f"Bearer {ACT}"}
    ) as response:
        assert response.status == 200


async def test_an_address_that_guesses_bearer_tokens_has_to_wait(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
        async with browser.get(f"{guarded.url}/v1/status", headers=headers) as response:
            return response.status

    assert {await status(f"guess-{number}") for number in range(100)} == {401}
    assert await status(ACT) == 429
    async with browser.get(f"{guarded.url}/v1/health") as response:
        assert response.status == 200


def test_failed_attempts_expire_and_are_counted_for_each_address() -> None:
    now = [0.0]
    failed = FailedAttempts(2, 60.0, lambda: now[0])
    failed.fail("10.0.0.1")
    failed.fail("10.0.0.2")
    assert failed.wait("10.0.0.1") == 0
    now[0] = 20.0
    failed.fail("10.0.0.1")
    assert failed.wait("10.0.0.1") == 40.0
    assert failed.wait("10.0.0.2") == 0
    now[0] = 60.0
    assert failed.wait("10.0.0.1") == 0
    failed.fail("10.0.0.1")
    assert failed.wait("10.0.0.1") == 0


def test_failed_attempts_of_many_addresses_are_bounded() -> None:
    failed = FailedAttempts(1, 60.0, lambda: 0.0)
    for number in range(1001):
        failed.fail(str(number))

    assert failed.wait("0") == 0
    assert failed.wait("1000") > 0


@pytest.mark.parametrize("keys", [{}])
async def test_without_admin_token_the_page_has_no_buttons_and_no_login(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{guarded.url}/ui/") as response:
        html = await response.text()

    assert "form_secret" not in html
    assert "Log in" not in html
    async with browser.post(f"{guarded.url}/ui/actions/reload", data={}) as response:
        assert response.status == 403


async def test_two_sessions_have_secrets_of_their_own(
    guarded: Api, browser: aiohttp.ClientSession
) -> None:
    first = secret_of(await log_in(browser, guarded, ACT))
    browser.cookie_jar.clear()
    second = secret_of(await log_in(browser, guarded, ACT))

    assert first != second
    async with browser.post(
        f"{guarded.url}/ui/actions/reload", data={"form_secret": first}
    ) as response:
        assert response.status == 403


def request_with(cookie: str) -> web.Request:
    return make_mocked_request("GET", "/ui/", headers={"Cookie": f"{COOKIE}={cookie}"})


def test_a_session_ends_after_twelve_hours_and_no_cookie_can_be_forged() -> None:
    now = [1000.0]
    sessions = Sessions(ApiTokens(act=ACT), secure=True, wall=lambda: now[0])
    response = web.Response()
    assert sessions.begin(ACT, response)
    morsel = response.cookies[COOKIE]
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Lax")
    cookie = morsel.value

    assert sessions.right(request_with(cookie)) is Right.ACT
    for forged in (
        cookie.replace("act.", "read.", 1),
        cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        "act.99999999999.0.",
        "...",
        "x" * 1000,
        "",
    ):
        assert sessions.right(request_with(forged)) is Right.NONE
    assert Sessions(ApiTokens(act=ACT)).right(request_with(cookie)) is Right.NONE
    now[0] += 12 * 3600 + 1
    assert sessions.right(request_with(cookie)) is Right.NONE


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("application/x-www-form-urlencoded; charset=nope", b"token=a"),
        ("application/x-www-form-urlencoded", b"token=\xff"),
        ("application/json", b"{}"),
    ],
)
async def test_a_form_that_cannot_be_decoded_is_refused(
    guarded: Api, browser: aiohttp.ClientSession, content_type: str, body: bytes
) -> None:
    headers = {"Content-Type": content_type}
    async with browser.post(f"{guarded.url}/ui/session", data=body, headers=headers) as answer:
        assert answer.status == 400
