"""Servers for traffic through NGINX with the Lua balancer."""

import contextlib
from collections.abc import AsyncIterator

from tests.proxies.nginx.lua.rig import LuaNginx
from tests.traffic import Instance, get


@contextlib.asynccontextmanager
async def instances(*names: str) -> AsyncIterator[list[Instance]]:
    running = [await Instance(name).start() for name in names]
    try:
        yield running
    finally:
        for instance in running:
            await instance.stop()


def address(instance: Instance) -> str:
    return f"127.0.0.1:{instance.port}"


async def bodies(nginx: LuaNginx, vhost: str, requests: int) -> list[str]:
    """Bodies of so many requests; each must be answered."""
    responses = [await get(nginx.port, vhost) for _ in range(requests)]
    assert {status for status, _ in responses} == {200}
    return [body for _, body in responses]
