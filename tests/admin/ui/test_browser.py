"""The page in a real browser: live, without scripts, and by keyboard."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import structlog
from playwright.async_api import Browser, Page, async_playwright
from tests.admin.conftest import Api, listening
from tests.admin.statuses import HELD, serving
from tests.admin.ui.test_pages import APPLIED, HOSTILE, noted

from drove_gateway.admin import serve
from drove_gateway.config import Settings
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.records import Progress
from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.state.history_entries import AppliedEntry, FileEntry
from drove_gateway.status.status import with_progress, with_record

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("browser")]

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser for all tests; each opens a page in a context of its own."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: make debian-proxies")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS], timeout=60_000
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def api() -> AsyncIterator[Api]:
    """An API on the loop of the browser."""
    api = Api()
    async with listening(api, Settings(port=0)):
        yield api


async def opened(browser: Browser, url: str, **context: Any) -> tuple[Page, list[str]]:
    """A page, and the addresses that it requested or the errors that its console showed."""
    page = await (await browser.new_context(**context)).new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    await page.goto(url)
    return page, seen


async def test_the_page_follows_a_change_without_a_reload(api: Api, browser: Browser) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, seen = await opened(browser, f"{api.url}/ui/")
    assert "All 2 vhosts served" in await page.inner_text(".verdict")

    api.status = with_progress(
        with_record(api.status, msgspec.structs.replace(APPLIED, error="line 12 is refused")),
        Progress("retrying", error="line 12 is refused"),
    )

    await page.wait_for_selector("#problems >> text=line 12 is refused", timeout=20_000)
    assert all(address.startswith(api.url) for address in seen), seen


async def test_a_gateway_that_is_gone_is_not_shown_as_if_it_were_there(browser: Browser) -> None:
    api = Api()
    api.status = with_record(serving(api.status), APPLIED)
    async with listening(api, Settings(port=0)):
        page, _ = await opened(browser, f"{api.url}/ui/")
        assert not await page.is_visible("#stale")

    await page.wait_for_selector("#stale", state="visible", timeout=20_000)
    assert "The gateway does not respond." in await page.inner_text("#stale")
    assert " UTC; the proxy keeps serving" in await page.inner_text("#stale")


async def test_an_update_takes_neither_the_focus_nor_the_selection(
    api: Api, browser: Browser
) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, _ = await opened(browser, f"{api.url}/ui/")
    await page.focus("#timeline summary")
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#hash'))")

    api.status = with_progress(api.status, Progress("retrying", error="line 12 is refused"))
    await page.wait_for_timeout(1_500)
    assert not await page.is_visible("text=line 12 is refused")
    await page.evaluate("getSelection().empty()")

    await page.wait_for_selector("#problems >> text=line 12 is refused", timeout=20_000)
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"


async def test_the_page_works_without_scripts(api: Api, browser: Browser) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, _ = await opened(browser, f"{api.url}/", java_script_enabled=False)

    await page.fill("#search", "b.loc")
    await page.press("#search", "Enter")
    await page.click("text=b.local")

    assert page.url == f"{api.url}/ui/vhosts/b.local"
    assert "It is served." in await page.inner_text("main")


async def test_a_vhost_is_found_by_keyboard_alone(api: Api, browser: Browser) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, _ = await opened(browser, f"{api.url}/ui/")

    await page.keyboard.press("/")
    await page.keyboard.type("a.local")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/ui/vhosts?q=a.local")

    assert "a.local" in await page.inner_text("tbody")


async def test_text_from_outside_runs_nothing(api: Api, browser: Browser) -> None:
    hostile = f"{HOSTILE}<img src=x onerror=alert(2)>"
    api.status = with_record(
        serving(api.status), msgspec.structs.replace(APPLIED, error=hostile, triggers=(hostile,))
    )
    page, seen = await opened(browser, f"{api.url}/ui/")

    assert await page.locator("main img, main script").count() == 0
    assert all(address.startswith(api.url) for address in seen), seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits_a_phone(api: Api, browser: Browser, scheme: str) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, _ = await opened(
        browser,
        f"{api.url}/ui/",
        viewport={"width": 360, "height": 640},
        color_scheme=scheme,
    )

    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_diff_of_the_configuration_opens_from_the_time_line(
    api: Api, browser: Browser
) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    noted(api, AppliedEntry(APPLIED))
    noted(api, FileEntry(APPLIED.at + 0.01, "@@ line 3 @@ backend a.local\n+    server s1"))
    page, seen = await opened(browser, f"{api.url}/ui/")

    await page.click("#timeline summary")
    await page.click("text=plan and configuration diff")

    assert "+    server s1" in await page.inner_text("#diff")
    assert "reload HAProxy: vhost a.local added" in await page.inner_text("#plan")
    assert all(address.startswith(api.url) for address in seen), seen


async def test_the_chart_is_drawn_without_scripts(api: Api, browser: Browser) -> None:
    api.status = with_record(serving(api.status), APPLIED)
    page, _ = await opened(browser, f"{api.url}/ui/", java_script_enabled=False)

    box = await page.locator("#time svg .p99").last.bounding_box()

    assert box is not None
    assert box["width"] > 50
    assert "applied" in str(await page.text_content("#time svg"))


async def test_an_operator_logs_in_and_accepts_a_withdrawal_without_scripts(
    browser: Browser,
) -> None:
    api = Api()
    api.status = msgspec.structs.replace(with_record(serving(api.status), APPLIED), held=(HELD,))
    settings = Settings.model_validate(
        {"port": 0, "admin_token": "let-me", "admin_read_token": "look"}
    )
    log = EventLog(structlog.get_logger())
    async with serve(settings, sources=api.sources(), actions=api.actions(), log=log) as port:
        url = f"http://127.0.0.1:{port}"
        page, seen = await opened(browser, f"{url}/ui/", java_script_enabled=False)
        assert page.url == f"{url}/ui/login"
        await page.fill("#token", "let-me")
        await page.press("#token", "Enter")
        await page.click("#problems button")

    assert [request.names for request in api.accepting] == [("a.local",)]
    assert not [text for text in seen if text.startswith(("console", "error"))]


async def test_a_hundred_thousand_servers_are_searched_by_keyboard(
    api: Api, browser: Browser
) -> None:
    hosts = tuple(Host(f"10.0.0.{n}", 8000, "http") for n in range(10))
    apps = VersionedMap(
        {name: App(name, name, hosts, {}, {}, "") for name in (f"app{n}.io" for n in range(10_000))}
    )
    built = msgspec.structs.replace(api.status.built, topology=Topology(apps, {}))
    api.status = with_record(
        msgspec.structs.replace(serving(api.status), built=built, applied=built.topology), APPLIED
    )
    page, _ = await opened(browser, f"{api.url}/ui/")

    await page.keyboard.press("/")
    await page.keyboard.type("app9998.io")
    await page.keyboard.press("Enter")
    await page.click("tbody a")
    await page.wait_for_url("**/ui/vhosts/app9998.io")

    assert await page.locator("tbody tr").count() == 10
