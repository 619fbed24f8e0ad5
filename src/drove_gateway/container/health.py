"""Whether the container is alive: its gateway responds, whatever the response says.

Controllers that are down, a refused vhost or a held withdrawal are no reason to restart what still
serves traffic: `/v1/health` tells of them. A gateway that does not answer is.
"""

import aiohttp

_SECONDS = 4.0
_MOST_BYTES = 400


async def answer(url: str) -> str:
    """What the gateway with its API at `url` says of itself, on one line; "" without an answer.

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
