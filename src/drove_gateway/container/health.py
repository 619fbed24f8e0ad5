"""Whether the container is alive: its gateway responds, whatever the response says.

Do not restart a container that still serves traffic because of controllers that are down, a refused
vhost or a held withdrawal: `/v1/health` reports them. Restart it if the gateway does not respond.
"""

import aiohttp

_SECONDS = 4.0
_MOST_BYTES = 400


async def answer(url: str) -> str:
    """Return the health of the gateway at `url` on one line; "" without a response.

    Nothing secret is asked or sent, so the certificate is not looked at.
    """
    limit = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"{url}/v1/health", ssl=False) as response,
        ):
            body = (await response.content.read(_MOST_BYTES)).decode(errors="replace")
            return f"{response.status} {' '.join(body.split())}"
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
