"""Make the screenshots of the documentation: `make screenshots`.

A simulated cluster, a real HAProxy and the gateway run for a few seconds, and chromium shows the
page: everything served, a vhost, controllers that refuse the credentials, and a phone in the dark.
"""

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
from playwright.async_api import Browser, async_playwright

from drove_gateway.demo.clients import until
from drove_gateway.demo.daemon import Daemon, nixy_toml
from drove_gateway.demo.proxy import find_program, running_proxy
from drove_gateway.simulator import Options, Simulator
from drove_gateway.simulator.faults import Fault
from drove_gateway.templates import shipped

APPS = {"shop": 6, "search": 4, "accounts": 3, "payments": 3}
_PACE = {
    "ping_interval_sec": 0.5,
    "event_refresh_interval_sec": 0.2,
    "full_refresh_interval_sec": 1.0,
    "xproxy": "lb1",
}
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars")
_SECONDS = 60.0


class Shot(msgspec.Struct, frozen=True):
    """A picture: its file, the path of the page, the words and the element to wait for, and the
    window."""

    name: str
    path: str
    words: str
    width: int = 1100
    height: int = 760
    scheme: Literal["light", "dark"] = "light"
    element: str = "#main"


HEALTHY = (
    Shot("page", "/ui/", "served as Drove lists them"),
    Shot("vhost", "/ui/vhosts/shop.example.com", "It is served."),
    Shot("phone", "/ui/", "served as Drove lists them", 390, 760, "dark"),
)
# The time since when the problem lasts comes within a second.
REFUSED = (Shot("incident", "/ui/", "401 Unauthorized", element="#problems time"),)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path("docs/images"))
def main(directory: Path) -> None:
    """Write the screenshots to DIRECTORY."""
    chromium = shutil.which("chromium")
    if chromium is None:
        click.echo("chromium is missing: apt-get install chromium", err=True)
        sys.exit(1)
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(chromium, directory))


async def _take(chromium: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="drove-gateway-", dir="/tmp") as place:
        async with (
            _cluster() as cluster,
            _gateway(cluster, Path(place)) as url,
            _browser(chromium) as browser,
        ):
            await cluster.scale("shop", 8)
            await cluster.scale("search", 3)
            for shot in HEALTHY:
                await _shoot(browser, url, shot, directory)
            cluster.fault(Fault(kind="status", status=401))
            for shot in REFUSED:
                await _shoot(browser, url, shot, directory)


@asynccontextmanager
async def _cluster() -> AsyncIterator[Simulator]:
    options = Options(vhost="{name}.example.com", wait_before_kill=1.0, control_port=None)
    async with Simulator(options) as cluster:
        for app, instances in APPS.items():
            await cluster.deploy(app, instances=instances, tags={"team": app})
        yield cluster


@asynccontextmanager
async def _gateway(cluster: Simulator, place: Path) -> AsyncIterator[str]:
    program = find_program("haproxy", None)
    async with running_proxy(
        "haproxy", program, place, port=_free_port(), proof=_free_port()
    ) as proxy:
        url = f"http://127.0.0.1:{_free_port()}"
        daemon = Daemon(place, url, proxy.environ)
        proxy.template.write_text(shipped("haproxy"))
        settings: dict[str, Any] = {
            "port": int(url.rpartition(":")[2]),
            **_PACE,
            **proxy.settings,
            "state_persistence_dir": f"{place}/state",
        }
        daemon.config.write_text(nixy_toml(settings, namespace="stage", urls=cluster.urls))
        await daemon.start()
        try:
            if not await until(daemon.healthy, _SECONDS):
                raise SystemExit(f"the gateway does not become healthy:\n{daemon.tail()}")
            yield url
        finally:
            await daemon.kill()


@asynccontextmanager
async def _browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*_FLAGS])
        try:
            yield browser
        finally:
            await browser.close()


async def _shoot(browser: Browser, url: str, shot: Shot, directory: Path) -> None:
    page = await browser.new_page(
        viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme
    )
    await page.goto(url + shot.path)
    await page.wait_for_selector(f"text={shot.words}", timeout=_SECONDS * 1000)
    await page.wait_for_selector(shot.element, timeout=_SECONDS * 1000)
    await page.screenshot(path=directory / f"{shot.name}.png")
    await page.close()
    click.echo(f"{directory / shot.name}.png")


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
