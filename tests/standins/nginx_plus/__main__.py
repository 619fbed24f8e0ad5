"""The stand-in as a process of its own: prints its ports, then serves until it is ended.

python -m tests.standins.nginx_plus CONFIGURATION
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.standins.nginx_plus.server import NginxPlus


async def serve(conf: Path) -> None:
    nginx = NginxPlus(conf_path=conf)
    await nginx.start()
    ports = {"api": nginx.api_port, "traffic": nginx.traffic_port, "control": nginx.control_port}
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
