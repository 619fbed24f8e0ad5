"""The README's blocks as printed: a normal user, the package, and Debian's own proxies."""

import sys
from pathlib import Path

import pytest
from tests.docs.first_hour import SCALED_TO, instances_that_responded, proxy_blocks, typed
from tests.packaging.machine import Root, run

_SECONDS = 180
# A network of its own, where the ports of the README are free, and whose loopback is up.
_LOOPBACK_UP = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0x49))"
)


@pytest.fixture(scope="module")
def machine(root: Root, deb: Path) -> Root:
    """A root with the package, Debian's HAProxy and NGINX, and a normal user."""
    root.install(root.take(deb, "/tmp/"), "nginx", "curl", "passwd")
    root.done("useradd", "--create-home", "--shell", "/bin/bash", "reader")
    return root


def as_reader(root: Root, script: str) -> str:
    """Return what a login shell of the user prints, where each command must succeed."""
    root.inside("/home/reader/block.sh").write_text(f"set -e\n{script}")
    enter = f"/usr/sbin/chroot {root.path} su - reader -c 'bash -x block.sh'"
    ended = run(
        *("timeout", "--kill-after", "5", str(_SECONDS), "unshare", "--net", "--pid", "--fork"),
        *("--kill-child", "sh", "-c", f'"$0" -c "$1" && exec {enter}'),
        *(sys.executable, _LOOPBACK_UP),
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_the_block_works_as_printed_for_a_normal_user(machine: Root, proxy: str) -> None:
    output = as_reader(machine, typed(proxy_blocks()[proxy], {}))

    assert "ok  proxy's check" in output
    assert len(instances_that_responded(output)) == SCALED_TO
    assert "app1.local should be served by 5 servers" in output


def test_a_users_path_needs_no_sbin_for_the_gateways_own_commands(machine: Root) -> None:
    output = as_reader(machine, "drove-gateway init nginx other\ngrep nginx_cmd other/nixy.toml\n")

    assert 'nginx_cmd      = "/usr/sbin/nginx -p /home/reader/other' in output


def exec_stops(root: Root, unit: str) -> list[str]:
    """Return the `ExecStop` commands of a unit's file that are in force."""
    lines = root.inside(f"/lib/systemd/system/{unit}").read_text().splitlines()
    values = [line.removeprefix("ExecStop=") for line in lines if line.startswith("ExecStop=")]
    empty = max((number for number, value in enumerate(values) if not value), default=-1)
    return values[empty + 1 :]


def test_the_gateway_is_notified_before_debian_stops_nginx(machine: Root) -> None:
    first, *rest = exec_stops(machine, "nginx.service.d/drove-gateway.conf")

    assert "--signal=SIGUSR1" in first
    assert rest == exec_stops(machine, "nginx.service")
