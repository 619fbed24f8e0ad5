"""The address of the guide to two gateways moves: Debian's keepalived, on two machines.

Each machine is a network namespace; a cable connects them. A server that answers as a proxy does
is there in the place of each proxy.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.docs.pages import ROOT
from tests.guides.page import steps
from tests.waiting import until

from drove_gateway.demo.processes import running, stop

GUIDE = ROOT / "docs" / "guides" / "two-gateways.md"
KEEPALIVED = Path("/usr/sbin/keepalived")
ADDRESS = "192.0.2.10"
_PROOF = "http://127.0.0.1:6081/generation"


def able() -> bool:
    """Whether this machine has keepalived and lets this user make network namespaces."""
    if os.geteuid() != 0 or not KEEPALIVED.exists():
        return False
    return (
        subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


class Machine(msgspec.Struct, frozen=True):
    """A machine of the guide: its network namespace, and the files that the guide makes."""

    namespace: str
    directory: Path

    def inside(self, *command: str) -> Sequence[str]:
        """Return a command that runs on this machine."""
        return ("ip", "netns", "exec", self.namespace, *command)

    def responds(self) -> bool:
        return self.succeeds("curl", "-fs", _PROOF)

    def succeeds(self, *command: str) -> bool:
        ended = subprocess.run(self.inside(*command), capture_output=True, check=False)
        return ended.returncode == 0

    def has_address(self) -> bool:
        shown = subprocess.run(
            self.inside("ip", "-o", "address"), capture_output=True, check=True, text=True
        )
        return f"{ADDRESS}/" in shown.stdout

    def log(self) -> str:
        return (self.directory / "keepalived.log").read_text()


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True, capture_output=True)


@asynccontextmanager
async def two_machines(directory: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    """Two machines that a cable connects, with what the guide says in files; 100 before 90."""
    files = {step.title: step.block.text for step in steps(GUIDE, "haproxy") if step.title}
    directory.chmod(0o755)
    machines = []
    async with AsyncExitStack() as stack:
        for priority in ("100", "90"):
            machine = Machine(f"dg-{os.getpid()}-{priority}", directory / priority)
            _ip(f"netns add {machine.namespace}")
            stack.callback(_ip, f"netns delete {machine.namespace}")
            machine.directory.mkdir()
            (machine.directory / "generation").write_text("1")
            check = machine.directory / "check-proxy"
            check.write_text(files["check-proxy"])
            check.chmod(0o755)
            text = files["keepalived.conf"].replace("/etc/drove-gateway/check-proxy", str(check))
            assert str(check) in text
            assert "priority 100 " in text
            text = text.replace("priority 100 ", f"priority {priority} ")
            (machine.directory / "keepalived.conf").write_text(text)
            machines.append(machine)
        first, second = machines
        _ip(f"link add eth0 netns {first.namespace} type veth peer eth0 netns {second.namespace}")
        for number, machine in enumerate(machines, 1):
            _ip(f"-n {machine.namespace} address add 192.0.2.{number}/24 dev eth0")
            _ip(f"-n {machine.namespace} link set lo up")
            _ip(f"-n {machine.namespace} link set eth0 up")
        yield first, second


@pytest.mark.skipif(not able(), reason="needs root, network namespaces and keepalived")
async def test_the_address_follows_the_proxy_that_responds(short_path: Path) -> None:
    async with two_machines(short_path) as machines, AsyncExitStack() as stack:
        proxies = []
        for machine in machines:
            place = str(machine.directory)
            server = (sys.executable, "-m", "http.server", "6081", "-d", place)
            log = machine.directory / "proxy.log"
            proxies.append(await stack.enter_async_context(running(machine.inside(*server), log)))
        first, second = machines
        for machine in machines:
            await until(machine.responds)
            daemon = (
                str(KEEPALIVED),
                "-n",
                "-l",
                "-P",
                "-f",
                f"{machine.directory}/keepalived.conf",
            )
            pids = ("-p", f"{machine.directory}/pid", "-r", f"{machine.directory}/vrrp.pid")
            log = machine.directory / "keepalived.log"
            await stack.enter_async_context(running(machine.inside(*daemon, *pids), log))
        await until(first.has_address, describe=first.log)
        assert not second.has_address()

        await stop(proxies[0])

        await until(second.has_address, describe=second.log)
        await until(lambda: not first.has_address(), describe=first.log)
        assert first.succeeds("curl", "-fs", f"http://{ADDRESS}:6081/generation")
