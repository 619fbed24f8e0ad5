"""A machine boots, and `enable --now` returns, while controllers and proxy are away."""

import shutil
from pathlib import Path

import pytest
from tests.packaging.machine import Root, need
from tests.packaging.test_debian import configure
from tests.packaging.test_systemd import booted

BOOT = Path(__file__).with_name("away.sh")
REFUSES, SILENT = "http://127.0.0.1:1", "http://127.0.0.1:4999"
# The kernel accepts its connections, and nothing ever responds.
SILENT_UNITS = {
    "silent.socket": "[Socket]\nListenStream=127.0.0.1:4999\n[Install]\nWantedBy=sockets.target\n",
    "silent.service": "[Service]\nExecStart=/bin/sleep infinity\n",
}
# Not ordered after the gateway, and not waited for by the target that it waits for.
PROBE = "[Service]\nExecStart=/bin/bash /root/away.sh\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture(scope="module")
def transcript(root: Root, deb: Path) -> list[str]:
    """What a root prints that boots with the service enabled, and no controller that responds."""
    need("systemd-nspawn:systemd-container")
    root.install(root.take(deb, "/tmp/"))
    configure(root, "HAProxy", f'{REFUSES}", "{SILENT}')
    for name, text in {**SILENT_UNITS, "probe.service": PROBE}.items():
        root.inside(f"/etc/systemd/system/{name}").write_text(text)
    root.take(BOOT, "/root/")
    shutil.copy(root.inside("/etc/haproxy/haproxy.cfg"), root.inside("/root/haproxy.cfg"))
    root.done("systemctl", "enable", "silent.socket", "probe.service", "drove-gateway.service")
    console = booted(root)
    if not root.inside("/root/transcript").exists():
        pytest.skip(f"this machine cannot boot systemd in a container:\n{console[-2000:]}")
    print(root.inside("/root/trouble").read_text())
    return root.inside("/root/transcript").read_text().splitlines()


def test_nothing_waits_for_controllers_or_a_proxy_that_are_away(transcript: list[str]) -> None:
    assert transcript == [
        "the boot is over",
        "after the boot: active, restarts: 0",
        "the status says what is missing",
        "haproxy.cfg is unchanged",
        "enable --now returns",
        "with the proxy away too: active, restarts: 0",
        "the status says what is missing",
        "haproxy.cfg is unchanged",
        "haproxy starts",
        "stopped: success",
    ]
