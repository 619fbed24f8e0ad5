"""A process whose memory is limited refuses the responses that do not fit into it, and lives."""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.drove.asks_with_little_memory import MORE_MEGABYTES
from tests.drove.client_bench import answering, serving

ROOT = Path(__file__).parents[2]
APPS = 190_000


def many_apps() -> bytes:
    """A response of about 25 MB, which is less than the gateway reads, with valid apps."""
    app = {
        "appName": "many",
        "vhost": "many.test",
        "tags": {},
        "hosts": [{"host": "10.0.0.1", "port": 80, "portType": "http"}],
    }
    text = json.dumps(app)[:-1]
    apps = ",".join(f'{text},"appId":"many-{number}"}}' for number in range(APPS))
    return f'{{"status":"SUCCESS","data":[{apps}]}}'.encode()


async def test_a_response_beyond_the_memory_is_refused_and_the_process_lives() -> None:
    async with serving(answering(many_apps())) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.drove.asks_with_little_memory", url),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), 120)
        finally:
            if process.returncode is None:
                process.kill()
    *refused, last = output.decode().splitlines()
    assert process.returncode == 0, output.decode()
    assert len(refused) == len(MORE_MEGABYTES), output.decode()
    assert all("not enough memory for the response" in line for line in refused), refused
    assert last == str(APPS)
