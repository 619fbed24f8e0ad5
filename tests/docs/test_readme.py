"""The commands of the README and the migration page work as written, in an empty directory."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from tests.docs.first_hour import SCALED_TO, instances_that_responded, proxy_blocks, typed
from tests.docs.pages import README, ROOT, Block, blocks
from tests.traffic import free_port

from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped
from drove_gateway.templates.starter import STARTERS

MIGRATION = ROOT / "docs" / "migration.md"

# First lines of the blocks marked `console`, which are not run, and why.
NOT_RUN: Mapping[str, str] = {
    "$ git clone URL-OF-THIS-REPOSITORY drove-gateway && cd drove-gateway": "has no fixed address",
    "# cp nixy.toml /etc/drove-gateway/nixy.toml": "needs systemd as PID 1 and the old program",
    "# systemctl disable --now drove-gateway": "needs systemd as PID 1 and the old program",
}

SESSION_SECONDS = 180

_OF_THE_SYSTEM = ("bash:bash", "curl:curl", "make:make", "diff:diffutils")

# One after the other: each test starts enough processes for a small machine.
pytestmark = pytest.mark.xdist_group("readme")


class Reader:
    """A reader with a cluster, the installed programs and an empty directory."""

    def __init__(self, directory: Path, cluster: Simulator, programs: Path) -> None:
        self.directory = directory
        # Other tests run at the same time, so the ports differ, also in the files of `init`.
        self.substitutions = {
            "http://controller1:10000": cluster.urls[0],
            "http://controller2:10000": cluster.urls[1],
            "http://controller3:10000": cluster.urls[2],
            "/etc/haproxy/haproxy.cfg": f"{directory}/written-by-the-original.cfg",
            "8080": str(free_port()),
            "6000": str(free_port()),
            "6081": str(free_port()),
        }
        self._environ = {
            "HOME": str(directory),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
        }

    async def types(self, *typed: Block) -> str:
        """Type these blocks into one shell, where each line must succeed; return the output."""
        text = "set -e\n" + "".join(f": {block.where}\n{block.text}\n" for block in typed)
        for written, replacement in self.substitutions.items():
            text = text.replace(written, replacement)
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-x", "-c", text),
            cwd=self.directory,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert shell.stdout is not None
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                output = (await shell.stdout.read()).decode()
                code = await shell.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        assert code == 0, output
        return output


@pytest.fixture
def programs(tmp_path: Path, haproxy: Path, nginx: Path) -> Path:
    """Return a directory with the installed gateway and two proxies."""
    install = [str(ROOT / "packaging" / "install-tools"), *_OF_THE_SYSTEM]
    if subprocess.run(install, check=False).returncode != 0:
        pytest.skip("bash, curl, make or diff is missing and cannot be installed")
    installed = tmp_path / "programs"
    installed.mkdir()
    for name, program in {
        "haproxy": haproxy,
        "nginx": nginx,
        "drove-gateway": Path(sys.executable).parent / "drove-gateway",
    }.items():
        (installed / name).symlink_to(program)
    return installed


@pytest_asyncio.fixture
async def reader(short_path: Path, programs: Path) -> AsyncIterator[Reader]:
    options = Options(
        apps=2, vhost="{name}.local", user="guest", password="guest", control_port=None
    )
    async with Simulator(options) as cluster:
        yield Reader(short_path, cluster, programs)


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.info == "sh"]


def in_a_clone(block: Block) -> bool:
    return block.text.startswith("make ")


def test_each_block_is_run_or_has_a_reason_not_to_be() -> None:
    all_blocks = [block for page in (README, MIGRATION) for block in blocks(page)]
    assert {block.info for block in all_blocks} <= {"sh", "console", "text", "toml"}
    consoles = [block for block in all_blocks if block.info == "console"]
    assert {block.text.splitlines()[0] for block in consoles} == NOT_RUN.keys()
    assert [block.text for block in shell_blocks(README) if in_a_clone(block)] == [
        "make demo ARGS=--once\n"
    ]


def alike(text: str) -> str:
    """Replace what differs each time: numbers, times, hosts, hashes and widths."""
    timeless = re.sub(r"up [^:]+:|[\w ]+ ago", "some time", text)
    timeless = re.sub(r"\b[0-9a-f]{16}\b", "0", timeless)
    return re.sub(r" +", " ", re.sub(r"http://[\w.]+|\d+", "0", timeless))


def status_shown() -> list[str]:
    """Return the lines of `status` that the README shows."""
    (block,) = (block for block in blocks(README) if block.text.startswith("drove-gateway 3"))
    return alike(block.text).splitlines()


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
async def test_each_block_of_the_readme_works_by_itself_and_ends(
    reader: Reader, proxy: str
) -> None:
    ports = {port: str(free_port()) for port in ("4000", "4100", "8080", "6000", "6081")}
    block = proxy_blocks()[proxy]
    reader.substitutions = {}
    output = await reader.types(Block(block.page, block.line, "sh", typed(block, ports)))

    assert output.count("ok  proxy's check") == 1
    assert len(instances_that_responded(output)) == SCALED_TO
    assert "app1.local should be served by 5 servers" in output
    for line in status_shown() if proxy == "haproxy" else ():
        assert line in alike(output)
    log = (reader.directory / f"edge-{proxy}" / "gateway.log").read_text()
    assert "level=error" not in log


def test_every_proxy_has_a_block() -> None:
    assert proxy_blocks().keys() == STARTERS.keys()


async def test_readme_demo_runs_in_a_clone(reader: Reader, tmp_path: Path) -> None:
    """The clone uses the tests' virtual environment, which `make` would set up otherwise."""
    clone = tmp_path / "clone"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "__pycache__")
    shutil.copytree(ROOT, clone, ignore=ignored)
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (clone / ".venv" / ".demo").touch()
    reader.directory = clone

    output = await reader.types(*(block for block in shell_blocks(README) if in_a_clone(block)))

    assert "Setting up" not in output


def nixy_toml(reader: Reader, more: str = "") -> str:
    """Return the configuration of a user of the original."""
    urls = [url for name, url in reader.substitutions.items() if "controller" in name]
    return (
        f'xproxy = "edge"\nproxy_platform = "haproxy"\nhaproxy_template = "haproxy.tmpl"\n{more}\n'
        f'[[namespaces]]\nname = "stage1"\ndrove = {urls}\nuser = "guest"\npass = "guest"\n'
    )


async def test_outputs_of_both_programs_can_be_compared_before_the_switch(reader: Reader) -> None:
    config = reader.directory / "written-by-the-original.cfg"
    (reader.directory / "haproxy.tmpl").write_text(shipped("haproxy"))
    (reader.directory / "nixy.toml").write_text(nixy_toml(reader, f'haproxy_config = "{config}"'))
    original = Block(MIGRATION, 0, "sh", f"drove-gateway render -f nixy.toml > {config}")

    output = await reader.types(original, *shell_blocks(MIGRATION))

    assert output.rstrip().endswith("the same")


async def test_both_programs_can_run_side_by_side(reader: Reader) -> None:
    (block,) = (block for block in blocks(MIGRATION) if block.info == "toml")
    compare = reader.directory / "compare"
    compare.mkdir()
    settings = block.text.replace("/tmp/compare", str(compare)).replace("6001", "6000")
    port = reader.substitutions["6000"]
    (reader.directory / "nixy.toml").write_text(nixy_toml(reader, settings.replace("6000", port)))
    unmarked = re.sub(
        r"^# drove-gateway: generation.*\n", "", shipped("haproxy"), flags=re.MULTILINE
    )
    (reader.directory / "haproxy.tmpl").write_text(unmarked)

    await reader.types(
        Block(
            *(MIGRATION, 0, "sh"),
            "export HAPROXY_USER=none HAPROXY_LOG=none\n"
            "drove-gateway -f nixy.toml 2> gateway.log & gateway=$!\n"
            "until drove-gateway status -f nixy.toml; do sleep 1; done\n"
            "kill $gateway",
        )
    )

    assert "backend app1.local" in (compare / "haproxy.cfg").read_text()
