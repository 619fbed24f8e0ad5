"""What the page, `status` and `explain` say about a running gateway."""

import asyncio
import html
import re

import aiohttp
import msgspec
from tests.benches.processes import Bench

from drove_gateway.demo.daemon import this_program


class Views(msgspec.Struct, frozen=True):
    """The three views as plain text: the page's first sentence, and what the commands print."""

    page: str
    status: str
    explain: str


async def views(bench: Bench, vhost: str) -> Views:
    """Return what an engineer on call sees now; `vhost` is that of the complaint."""
    page, status, explain = await asyncio.gather(
        _first_sentence(bench), _printed(bench, "status"), _printed(bench, "explain", vhost)
    )
    return Views(page, status, explain)


async def _first_sentence(bench: Bench) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bench.daemon.api}/ui/") as response,
    ):
        text = await response.text()
    found = re.search(r'<p class="verdict[^>]*>(.*?)</p>', text, re.DOTALL)
    assert found, text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split())


async def _printed(bench: Bench, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *this_program(),
        *command,
        "-f",
        str(bench.daemon.config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"COLUMNS": "10000", "PATH": "/usr/bin:/bin"},
    )
    output, _ = await process.communicate()
    return re.sub(r"\x1b\[[\d;]*m", "", output.decode())
