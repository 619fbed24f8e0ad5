"""The daemon with a task that no cancellation ends: `python stuck.py REPLACE STOP -f nixy.toml`.

REPLACE and STOP are the seconds that another configuration and SIGTERM wait for its end.
"""

import asyncio
import sys

from drove_gateway.cli import main
from drove_gateway.daemon import app, gateway


async def stuck(*_: object) -> None:
    """Lose every cancellation, as a library could."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


if __name__ == "__main__":
    replace, stop = float(sys.argv.pop(1)), float(sys.argv.pop(1))
    app.REPLACE_SECONDS, app.STOP_SECONDS = replace, stop
    vars(gateway)["watch_workers"] = stuck
    main()
