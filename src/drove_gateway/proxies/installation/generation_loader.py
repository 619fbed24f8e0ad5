"""Loads a generation: reload the proxy, and prove that it serves the new configuration."""

from drove_gateway.model.errors import CommandTimeout, GenerationUnproven, ReloadTimeout
from drove_gateway.model.plan import ApplyStage
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import Ask, Prove
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.timings import Timings

# A reload of NGINX takes about five times its check (measured at 1,000 and 5,000 upstreams), so
# the duration of the check limits how long a proof may take before something is wrong.
_PROOF_BASE_SECONDS = 3.0
_PROOF_PER_CHECK_SECOND = 15.0
# A generation that was proven before responds at once.
_ALREADY_SERVED_SECONDS = 0.2


class GenerationLoader:
    """Makes the proxy of a platform load its file, and asks it which generation it serves."""

    def __init__(self, platform: Platform, *, timeout: float, prove: Prove, ask: Ask) -> None:
        self._platform = platform
        self._timeout = timeout
        self._prove = prove
        self._ask = ask

    async def load(self, rendered: Rendered, timings: Timings) -> None:
        """Reload, and wait until the proxy serves `rendered` where it can prove that.

        Does nothing where reloads are disabled. Raises CommandFailed, ReloadTimeout,
        GenerationUnproven or another ProxyError.
        """
        if self._platform.reload is None:
            return
        with timings.stage(ApplyStage.RELOAD):
            await self._reload()
        if rendered.proof_url is not None:
            limit = _PROOF_BASE_SECONDS + _PROOF_PER_CHECK_SECOND * timings.of(ApplyStage.CHECK)
            with timings.stage(ApplyStage.PROVE):
                await self._prove(
                    rendered.proof_url, rendered.generation, timeout=min(self._timeout, limit)
                )

    async def _reload(self) -> None:
        if self._platform.reload is None:
            return
        try:
            await self._platform.reload()
        except CommandTimeout as error:
            raise ReloadTimeout(str(error)) from error

    async def serves(self, url: str, generation: str) -> bool:
        """Return whether the proxy already serves `generation`."""
        try:
            await self._prove(url, generation, timeout=_ALREADY_SERVED_SECONDS)
        except GenerationUnproven:
            return False
        return True

    async def serves_except_for_runtime(self, rendered: Rendered) -> bool:
        """Return whether the proxy serves `rendered`, perhaps with other servers and backends."""
        serving = await self._ask(rendered.proof_url) if rendered.proof_url else None
        return serving is not None and rendered.is_except_for_runtime(serving)

    async def drift(self, current: Rendered) -> str:
        """Return how the generation that the proxy serves differs from `current`, or an empty
        string; a proxy that does not respond has not drifted.

        Old workers may still respond for a moment after a reload on a busy machine.
        """
        if current.proof_url is None or self._platform.reload is None:
            return ""
        serving = await self._ask(current.proof_url)
        if serving is None or serving == current.generation:
            return ""
        if await self.serves(current.proof_url, current.generation):
            return ""
        return f"{self._platform.name} serves generation {serving}, not {current.generation}"
