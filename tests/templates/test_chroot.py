"""Debian's HAProxy as its package sets it up: a user of its own, a chroot, and a log inside it."""

import os
import pwd
import socket
from pathlib import Path

import pytest
from tests.templates.edge import hosts, running, vhosts
from tests.templates.instances import Instance

from drove_gateway.config import Settings

HAPROXY = Path("/usr/sbin/haproxy")


def ask(path: Path, command: str) -> str:
    """Return what HAProxy's runtime API replies."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(f"{command}\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.skipif(
    os.geteuid() != 0 or not HAPROXY.exists(), reason="needs root and Debian's HAProxy"
)
@pytest.mark.parametrize("name", ["haproxy", "haproxy-header-routing"])
def test_workers_serve_from_the_chroot_as_their_user_and_log_there(
    name: str, short_path: Path
) -> None:
    jail, api = short_path / "jail", short_path / "api.sock"
    (jail / "dev").mkdir(parents=True)
    short_path.chmod(0o755)
    desired = vhosts(web=hosts(Instance("one")))
    settings = Settings(proxy_platform="haproxy", haproxysocketaddr=str(api))
    variables = {
        "HAPROXY_USER": "haproxy",
        "HAPROXY_CHROOT": str(jail),
        "HAPROXY_LOG": "/dev/log local0",
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.settimeout(10)
        log.bind(str(jail / "dev" / "log"))
        (jail / "dev" / "log").chmod(0o666)
        with running(name, HAPROXY, short_path, desired, variables, settings) as edge:
            assert edge.get("web.local").status == 200
            info = dict(
                line.split(": ", 1) for line in ask(api, "show info").splitlines() if ": " in line
            )
            process = Path("/proc", info["Pid"])
            assert (process / "root").readlink() == jail
            assert process.stat().st_uid == pwd.getpwnam("haproxy").pw_uid
            added = ask(api, "add server web.local/other 127.0.0.1:9")
            assert "New server registered" in added
            while b"web.local" not in log.recv(65536):
                pass
