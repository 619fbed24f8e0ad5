"""Asks the controller at URL for its apps, with each of several limits on this process's memory.

Prints a line for each: how many apps were read, or the error.
"""

import asyncio
import resource
import sys
from pathlib import Path

from tests.drove.client_bench import asking

from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.model.errors import DroveError

MORE_MEGABYTES = (10, 25, 40, 80, 120, 160)


def virtual_memory() -> int:
    """Return this process's address space in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmSize:")[2].split()[0]) * 1024


async def main(url: str) -> None:
    async with asking(url) as controller:
        # The thread that decodes needs memory of its own.
        await asyncio.to_thread(virtual_memory)
        used = virtual_memory()
        for more in (*MORE_MEGABYTES, None):
            limit = resource.RLIM_INFINITY if more is None else used + (more << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
            try:
                listing = await asyncio.wait_for(controller.endpoints(EndpointsDecoder("s")), 20)
            except DroveError as error:
                print(error)
            else:
                print(len(listing.apps))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
