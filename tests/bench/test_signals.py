"""Benchmarks that are ended from outside."""

import asyncio
import signal
import sys
from pathlib import Path

from bench.rig.usage import children
from tests.waiting import until, within


async def test_sigterm_ends_a_benchmark_and_what_it_started() -> None:
    command = (sys.executable, "-m", "bench", "fleet", "--gateways", "1", "--apps", "1")
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    await until(lambda: len(children(process.pid)) == 3, 30)
    started = children(process.pid)
    process.send_signal(signal.SIGTERM)
    code = await within(process.wait(), 30, lambda: "the benchmark does not end")
    assert code == 128 + signal.SIGTERM
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
