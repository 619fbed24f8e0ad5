"""The Debian package under a real systemd: a root that boots in namespaces of its own."""

import subprocess
from pathlib import Path

import pytest
from tests.packaging.machine import Root, need
from tests.packaging.test_debian import configure

BOOT = Path(__file__).with_name("boot.sh")
CLUSTER = "[Service]\nDynamicUser=yes\nExecStart=/usr/bin/drove-gateway simulate --port 4000\n"
PROBE = """\
[Unit]
After=haproxy.service cluster.service dbus.service
Wants=cluster.service
[Service]
ExecStart=/bin/bash /root/boot.sh
[Install]
WantedBy=multi-user.target
"""
SECONDS = 120


@pytest.fixture(scope="module")
def transcript(root: Root, deb: Path) -> list[str]:
    """What the booted root tells of itself."""
    need("systemd-nspawn:systemd-container")
    root.install(root.take(deb, "/tmp/"), "curl")
    configure(root, "HAProxy", "http://127.0.0.1:4000")
    root.take(BOOT, "/root/")
    root.inside("/etc/systemd/system/cluster.service").write_text(CLUSTER)
    root.inside("/etc/systemd/system/probe.service").write_text(PROBE)
    root.done("systemctl", "enable", "probe.service")
    console = booted(root)
    if not root.inside("/root/transcript").exists():
        pytest.skip(f"this machine cannot boot systemd in a container:\n{console[-2000:]}")
    print(root.inside("/root/trouble").read_text())
    return root.inside("/root/transcript").read_text().splitlines()


def booted(root: Root) -> str:
    """Boot it until it powers itself off; gives what its console showed.

    nspawn wants to remove its mounts from a /run of its own, and no network but loopback.
    """
    nspawn = f"systemd-nspawn -D {root.path} --register=no --keep-unit --private-network"
    command = f"mount -t tmpfs none /run && exec {nspawn} --link-journal=no --console=pipe -b"
    try:
        ended = subprocess.run(
            (
                "unshare",
                "-m",
                "--kill-child",
                "timeout",
                "-s",
                "KILL",
                str(SECONDS),
                "sh",
                "-c",
                command,
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS + 10,
        )
    except subprocess.TimeoutExpired as late:
        return str(late.output)
    return ended.stdout


def test_the_whole_life_of_the_service(transcript: list[str]) -> None:
    # CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL and CAP_NET_BIND_SERVICE
    assert transcript == [
        "started",
        "state: active",
        "user: drove-gateway",
        "serves",
        "capabilities: 000000000000042b",
        "serves what is new, after a reload by polkit",
        "may not restart the proxy",
        "may not reload what is not a proxy",
        "reloaded",
        "hears of the proxy's restart",
        "killed, it is started again",
        "stopped",
        "result: success",
    ]
