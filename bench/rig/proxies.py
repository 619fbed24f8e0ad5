"""Proxies to be driven: real HAProxy and NGINX, and the stand-in for NGINX Plus."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.benches.processes import without_runtime_api

from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.processes import free_ports, running
from drove_gateway.demo.proxy import find_program, running_proxy
from drove_gateway.proxies.local import LocalProxy

MODES = ("haproxy-runtime", "haproxy-reload", "nginx-reload", "nginx-plus", "nginx-lua")
_START_SECONDS = 20.0
_STAND_IN_COMMAND = Path(__file__).parents[2] / "tests" / "standins" / "nginx_plus" / "nginx_cmd.py"


@asynccontextmanager
async def proxy(
    mode: str, directory: Path, program: Path | None = None
) -> AsyncIterator[LocalProxy]:
    """Run a proxy of one of `MODES` until the block ends. The path of `directory` must be short.

    `program` replaces the one of the development environment.
    `kind` of the proxy is the name of the shipped template that fits.
    """
    if mode == "nginx-plus":
        async with nginx_plus(directory, directory / "nginx.conf") as (pid, ports):
            yield _nginx_plus(directory, pid, ports)
        return
    kind = mode if mode == "nginx-lua" else mode.partition("-")[0]
    ports = {"port": free_ports(), "proof": free_ports()}
    async with running_proxy(kind, find_program(kind, program), directory, **ports) as started:
        ready = directory / ("runtime.sock" if kind == "haproxy" else "nginx.pid")
        await _until(ready.exists, str(ready))
        driven = _with_reload_command(started, directory) if kind == "haproxy" else started
        yield without_runtime_api(driven) if mode == "haproxy-reload" else driven


@asynccontextmanager
async def nginx_plus(directory: Path, config: Path) -> AsyncIterator[tuple[int, Mapping[str, int]]]:
    """Run the stand-in for NGINX Plus with `config`. Return its pid, and its ports by purpose."""
    log = directory / "nginx-plus.log"
    command = (sys.executable, "-m", "tests.standins.nginx_plus", str(config))
    async with running(command, log) as process:
        await _until(lambda: "\n" in log.read_text(), f"ports in {log}")
        yield process.pid, json.loads(log.read_text().splitlines()[0])


def _nginx_plus(directory: Path, pid: int, ports: Mapping[str, int]) -> LocalProxy:
    config, template = directory / "nginx.conf", directory / "nginx.tmpl"
    return LocalProxy(
        kind="nginx-plus",
        program=_STAND_IN_COMMAND,
        port=ports["traffic"],
        config=config,
        template=template,
        settings={
            "proxy_platform": "nginx",
            "nginx_config": str(config),
            "nginx_template": str(template),
            "nginx_cmd": f"{sys.executable} -IS {_STAND_IN_COMMAND} {ports['control']}",
            "nginxplusapiaddr": f"127.0.0.1:{ports['api']}",
        },
        environ={
            "PROXY_HTTP_PORT": str(ports["traffic"]),
            "GENERATION_PORT": str(ports["traffic"]),
            "NGINX_USER": "none",
            "NGINX_STATE_DIR": "/state",
        },
        pid=pid,
    )


def _with_reload_command(proxy: LocalProxy, directory: Path) -> LocalProxy:
    """Return HAProxy with the command by which a gateway without master socket reloads it."""
    script = directory / "reload.sh"
    script.write_text(f"#!/bin/sh\nkill -USR2 {proxy.pid}\n")
    script.chmod(0o700)
    settings = {**proxy.settings, "haproxy_reload_cmd": str(script)}
    return msgspec.structs.replace(proxy, settings=settings)


async def _until(condition: Callable[[], object], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise DemoError(f"the proxy does not start: there is no {what}")
        await asyncio.sleep(0.02)
