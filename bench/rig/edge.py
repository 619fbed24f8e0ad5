"""Proxies to be driven: real HAProxy and NGINX, and the stand-in for NGINX Plus.

Each serves nothing yet. What a gateway must know of it is lines of `nixy.toml`, and what the
templates ask the environment for.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from bench.rig.process import free_ports, running

from drove_gateway.demo.proxy import find_program

MODES = ("haproxy-runtime", "haproxy-reload", "nginx-reload", "nginx-plus")
_START_SECONDS = 20.0
_STAND_IN = Path(__file__).parents[2] / "tests" / "standins" / "nginx_plus" / "nginx_cmd.py"


class Edge(msgspec.Struct, frozen=True):
    """A proxy at work: where clients connect, its process, and what a gateway must know.

    `template` is the name of the shipped template that fits, `template_file` where the settings
    say that the template is.
    """

    mode: str
    port: int
    pid: int
    template: str
    template_file: Path
    settings: str
    environ: dict[str, str]


@asynccontextmanager
async def edge(mode: str, directory: Path) -> AsyncIterator[Edge]:
    """A proxy of one of `MODES`, with its files in `directory`, whose path must be short."""
    made = {"nginx-reload": _nginx, "nginx-plus": _nginx_plus}.get(mode, _haproxy)
    async with made(mode, directory) as one:
        yield one


@asynccontextmanager
async def _haproxy(mode: str, directory: Path) -> AsyncIterator[Edge]:
    program = find_program("haproxy", None)
    config, template = directory / "haproxy.cfg", directory / "haproxy.tmpl"
    runtime, master = directory / "runtime.sock", directory / "master.sock"
    reload = directory / "reload.sh"
    port, proof = free_ports(), free_ports()
    config.write_text(
        f"global\n  stats socket {runtime} mode 600 level admin\n"
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 9s\n  timeout server 9s\n"
        f"frontend nothing-yet\n  bind 127.0.0.1:{proof}\n  http-request return status 503\n"
    )
    command = (str(program), "-W", "-db", "-S", str(master), "-f", str(config))
    async with running(command, directory / "haproxy.log") as process:
        await _until(runtime.exists, process, str(runtime))
        reload.write_text(f"#!/bin/sh\nkill -USR2 {process.pid}\n")
        reload.chmod(0o700)
        lines = [
            'proxy_platform = "haproxy"',
            f'haproxy_config = "{config}"',
            f'haproxy_template = "{template}"',
            f'haproxy_cmd = "{program}"',
            f'haproxy_reload_cmd = "{reload}"',
            f'haproxy_master_socket = "{master}"',
        ]
        if mode == "haproxy-runtime":
            lines.append(f'haproxysocketaddr = "{runtime}"')
        environ = {
            "PROXY_HTTP_PORT": str(port),
            "GENERATION_PORT": str(proof),
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
        }
        yield Edge(mode, port, process.pid, "haproxy", template, "\n".join(lines), environ)


@asynccontextmanager
async def _nginx(mode: str, directory: Path) -> AsyncIterator[Edge]:
    program = find_program("nginx", None)
    config, template = directory / "nginx.conf", directory / "nginx.tmpl"
    errors, pid = directory / "nginx-error.log", directory / "nginx.pid"
    port, proof = free_ports(), free_ports()
    config.write_text(
        f"pid {pid};\nerror_log {errors};\nevents {{}}\n"
        f"http {{ server {{ listen 127.0.0.1:{proof}; return 503; }} }}\n"
    )
    command = (str(program), "-p", str(directory), "-c", str(config), "-g", "daemon off;")
    async with running(command, directory / "nginx.log") as process:
        await _until(pid.exists, process, str(pid))
        settings = (
            'proxy_platform = "nginx"\n'
            f'nginx_config = "{config}"\nnginx_template = "{template}"\n'
            f'nginx_cmd = "{program} -p {directory}"'
        )
        environ = {
            "PROXY_HTTP_PORT": str(port),
            "GENERATION_PORT": str(proof),
            "NGINX_USER": "none",
            "NGINX_PID": str(pid),
            "NGINX_ERROR_LOG": f"{errors} warn",
            "NGINX_ACCESS_LOG": "off",
        }
        yield Edge(mode, port, process.pid, "nginx", template, settings, environ)


@asynccontextmanager
async def _nginx_plus(mode: str, directory: Path) -> AsyncIterator[Edge]:
    config, template, log = (directory / f"nginx.{end}" for end in ("conf", "tmpl", "log"))
    command = (sys.executable, "-m", "tests.standins.nginx_plus", str(config))
    async with running(command, log) as process:
        await _until(lambda: "\n" in log.read_text(), process, f"ports in {log}")
        ports = json.loads(log.read_text().splitlines()[0])
        settings = (
            'proxy_platform = "nginx"\n'
            f'nginx_config = "{config}"\nnginx_template = "{template}"\n'
            f'nginx_cmd = "{sys.executable} -IS {_STAND_IN} {ports["control"]}"\n'
            f'nginxplusapiaddr = "127.0.0.1:{ports["api"]}"'
        )
        environ = {
            "PROXY_HTTP_PORT": str(ports["traffic"]),
            "GENERATION_PORT": str(ports["traffic"]),
            "NGINX_USER": "none",
            "NGINX_STATE_DIR": "/state",
        }
        yield Edge(mode, ports["traffic"], process.pid, "nginx-plus", template, settings, environ)


async def _until(
    condition: Callable[[], object], process: asyncio.subprocess.Process, what: str
) -> None:
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while not condition():
        if asyncio.get_running_loop().time() > deadline or process.returncode is not None:
            raise SystemExit(f"the proxy does not start: no {what}")
        await asyncio.sleep(0.02)
