"""The proxy as a process, and the configuration that it starts with.

The first configuration opens no port: a client, or a load balancer in front, finds the port closed
until the gateway has applied what is true. Nothing of an earlier run is served, since Drove may
have given its instances' ports to other apps meanwhile.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import Signals

import msgspec

from drove_gateway.config import Settings
from drove_gateway.model.errors import ConfigError

_PID = re.compile(r"^\s*pid\s+([^\s;]+)\s*;", re.MULTILINE)
_FOREGROUND = re.compile(r"^\s*daemon\s+off\s*;", re.MULTILINE)


class SupervisedProxy(msgspec.Struct, frozen=True):
    """A proxy to be supervised.

    `first` is the text that `config` has at the start, None where the file is the operator's own.
    `drain` lets running requests finish and ends it; `reopen` makes it open its log files again.
    """

    name: str
    command: tuple[str, ...]
    config: Path
    first: str | None
    drain: Signals
    reopen: Signals | None


def supervised_proxy(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
    """The proxy that `settings` describe; `empty` is what its template makes of no apps.

    Raises ConfigError for HAProxy without a way to reload it.
    """
    return _PROXIES[settings.proxy_platform](settings, empty, directory)


def _nginx(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
    """NGINX with the pid file that the template names, as reloads look there for the master."""
    del directory
    pid, itself = _PID.search(empty), _FOREGROUND.search(empty) is not None
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


def _haproxy(settings: Settings, empty: str, directory: Path) -> SupervisedProxy:
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
    )


_PROXIES: Mapping[str, Callable[[Settings, str, Path], SupervisedProxy]] = {
    "haproxy": _haproxy,
    "nginx": _nginx,
}
