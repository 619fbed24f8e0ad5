"""Whether the proxy serves the installed generation."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from drove_gateway.model.errors import GenerationUnproven
from drove_gateway.proxies.installation.generation_loader import GenerationLoader
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.render import Rendered

pytestmark = pytest.mark.asyncio

CURRENT = Rendered("text", "new", "http://127.0.0.1/generation")


def loader(responses: Sequence[str | None]) -> GenerationLoader:
    """A loader whose proxy responds so to one query after the other; the last response stays."""
    coming: Iterator[str | None] = iter(responses)

    async def reload() -> None:
        """Nothing is reloaded here."""

    async def ask(url: str) -> str | None:
        assert url == CURRENT.proof_url
        return next(coming, responses[-1])

    async def prove(url: str, generation: str, *, timeout: float) -> None:
        if generation not in {await ask(url) for _ in responses}:
            raise GenerationUnproven(f"not within {timeout} s")

    platform = Platform("NGINX", Path("nginx.conf"), None, reload)
    return GenerationLoader(platform, timeout=1, prove=prove, ask=ask)


@pytest.mark.parametrize(
    ("responses", "drift"),
    [
        pytest.param(["new"], "", id="as installed"),
        pytest.param([None], "", id="the proxy is down"),
        pytest.param(["old", "new"], "", id="an old worker responded once"),
        pytest.param(["old"], "NGINX serves generation old, not new", id="another generation"),
    ],
)
async def test_only_a_generation_that_stays_another_has_drifted(
    responses: Sequence[str | None], drift: str
) -> None:
    assert await loader(responses).drift(CURRENT) == drift
