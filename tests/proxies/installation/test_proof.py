"""The proof that a generation serves, over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.traffic import free_port

from drove_gateway.model.errors import GenerationUnproven
from drove_gateway.proxies.installation.proof import ask, prove

NEW, OLD = "0123456789abcdef", "fedcba9876543210"


class Proxy:
    """Answers with `generations`, one after the other; the last one stays."""

    def __init__(self) -> None:
        self.generations = [NEW]
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        assert request.path == "/generation"
        self.asked += 1
        serving = self.generations.pop(0) if len(self.generations) > 1 else self.generations[0]
        return web.Response(text=serving, status=self.status)


@pytest.fixture
def proxy() -> Proxy:
    return Proxy()


@pytest.fixture(params=["http", "unix"])
async def url(request: pytest.FixtureRequest, proxy: Proxy, short_path: Path) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/generation", proxy.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port, path = free_port(), short_path / "proof.sock"
    over_http = request.param == "http"
    site = web.TCPSite(runner, "127.0.0.1", port) if over_http else web.UnixSite(runner, path)
    await site.start()
    yield f"http://127.0.0.1:{port}/generation" if over_http else f"unix:{path}:/generation"
    await runner.cleanup()


async def test_a_generation_that_serves_is_proved(url: str) -> None:
    await prove(url, NEW, timeout=20)
    assert await ask(url) == NEW


async def test_old_workers_may_respond_for_a_while(proxy: Proxy, url: str) -> None:
    proxy.generations = [OLD, OLD, OLD, NEW]
    await prove(url, NEW, timeout=20)
    assert proxy.asked == 4


async def test_a_generation_that_never_serves_is_unproven_and_named(proxy: Proxy, url: str) -> None:
    proxy.generations = [OLD]
    with pytest.raises(GenerationUnproven, match=f"generation {NEW} is not served") as caught:
        await prove(url, NEW, timeout=0.2)
    assert f"last response: {OLD}" in str(caught.value)
    assert "port is in use" in str(caught.value)


async def test_blanks_around_the_generation_do_not_matter(proxy: Proxy, url: str) -> None:
    proxy.generations = [f"{NEW}\n"]
    await prove(url, NEW, timeout=20)


async def test_a_status_other_than_200_is_not_a_generation(proxy: Proxy, url: str) -> None:
    proxy.status = 503
    assert await ask(url) == "(status 503)"
    with pytest.raises(GenerationUnproven, match=r"\(last response: \(status 503\)"):
        await prove(url, NEW, timeout=0.2)


@pytest.mark.parametrize("where", ["http://127.0.0.1:{port}/", "unix:/no/such.sock:/"])
async def test_a_proxy_that_does_not_respond_proves_nothing(where: str) -> None:
    url = where.format(port=free_port())
    assert await ask(url) is None
    with pytest.raises(GenerationUnproven, match="no response"):
        await prove(url, NEW, timeout=0.2)
