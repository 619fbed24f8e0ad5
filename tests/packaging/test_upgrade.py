"""Installing over the original is an upgrade, in a booted root: same files, same unit names."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.machine import Root, copied, need
from tests.packaging.original import CONFIG, original
from tests.packaging.test_systemd import CLUSTER, PROBE, booted

from drove_gateway.templates import shipped

BOOT = Path(__file__).with_name("upgrade.sh")
NIXY_TOML = """\
address = "127.0.0.1"
port = "6000"
proxy_platform = "haproxy"
haproxy_config = "/etc/haproxy/haproxy.cfg"
haproxy_template = "haproxy.tmpl"
haproxysocketaddr = "/run/haproxy/admin.sock"
haproxy_reload_cmd = "systemctl reload haproxy"

[[namespaces]]
name = "stage1"
drove = ["http://127.0.0.1:4000"]
user = "guest"
pass = "guest"
"""


@pytest.fixture(params=[True, False], ids=["conffiles", "plain files"])
def transcript(
    request: pytest.FixtureRequest, served: Root, deb: Path, tmp_path: Path
) -> Iterator[list[str]]:
    """What a root prints that boots with the original and upgrades."""
    need("systemd-nspawn:systemd-container")
    with tempfile.TemporaryDirectory(prefix="dg-root-", dir="/tmp") as name:
        root = copied(served, Path(name, "root"))
        package = original(tmp_path, NIXY_TOML, shipped("haproxy"), conffile=request.param)
        root.install(root.take(package, "/root/"), "curl")
        root.done("systemctl", "enable", "drove.gateway.service")
        root.done("dpkg-deb", "-x", root.take(deb, "/root/new.deb"), "/opt/cluster")
        root.take(BOOT, "/root/boot.sh")
        cluster = CLUSTER.replace("/usr/bin/drove-gateway", "/opt/cluster/usr/bin/drove-gateway")
        root.inside("/etc/systemd/system/cluster.service").write_text(cluster)
        root.inside("/etc/systemd/system/probe.service").write_text(PROBE)
        root.done("systemctl", "enable", "probe.service")
        root.inside("/usr/sbin/policy-rc.d").unlink()
        console = booted(root)
        if not root.inside("/root/transcript").exists():
            pytest.skip(f"this machine cannot boot systemd in a container:\n{console[-2000:]}")
        print(root.inside("/root/trouble").read_text())
        yield root.inside("/root/transcript").read_text().splitlines()


def test_an_installation_of_the_original_is_upgraded_removed_and_purged(
    transcript: list[str],
) -> None:
    assert transcript == [
        "the original runs",
        "upgraded",
        "version: 3.0.0",
        f"configuration kept: {CONFIG}",
        "no second configuration",
        "drove.gateway.service is active as root",
        "nixy.service is the same service",
        "serves app1.local",
        "status finds the configuration",
        "after removal: inactive",
        "configuration kept after removal",
        "installed again",
        "after purge: inactive",
    ]
