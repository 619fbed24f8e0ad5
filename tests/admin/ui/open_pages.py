"""Many browsers with the page open, in a process of their own: their cost is not the gateway's.

`python open_pages.py URL COUNT` prints "open" once all streams are open, and at its end, at the end
of its input, how many pages it loaded.
"""

import asyncio
import sys

import aiohttp

_HEADERS = {"Accept": "text/html"}


async def follow(session: aiohttp.ClientSession, url: str, opened: asyncio.Semaphore) -> int:
    """Load the page, and again after each event of the stream, until cancelled."""
    loaded = 0
    try:
        async with session.get(f"{url}/ui/events") as stream:
            opened.release()
            async for line in stream.content:
                if line.startswith(b"data:"):
                    async with session.get(f"{url}/ui/", headers=_HEADERS) as response:
                        await response.read()
                        loaded += response.status == 200
    except asyncio.CancelledError:
        pass
    return loaded


async def main(url: str, count: int) -> None:
    opened = asyncio.Semaphore(0)
    limit = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=limit, connector=connector) as session:
        pages = [asyncio.create_task(follow(session, url, opened)) for _ in range(count)]
        for _ in pages:
            await opened.acquire()
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for page in pages:
            page.cancel()
        print(sum(await asyncio.gather(*pages)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
