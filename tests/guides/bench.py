"""The bench of all guides: a simulated cluster, a real proxy and the gateway, as `init` sets up."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from tests.guides.page import Step, printed, with_difference, with_settings
from tests.waiting import until

from drove_gateway.demo.processes import free_ports, running
from drove_gateway.demo.proxy import find_program
from drove_gateway.simulator import Simulator
from drove_gateway.templates.starter import STARTERS

_SECONDS = 120
# Guides are written for a cluster that is asked every five seconds, and for somebody who waits a
# second between two looks. Nothing else is faster here.
_FAST_POLLS = "event_refresh_interval_sec = 0.25\n"
_LOOP_PAUSE = re.compile(r"(?<=; do )sleep 1(?=; done)")
_BIN = Path(sys.executable).parent
# What needs another machine: an authority for certbot, systemd. Each file says what is real.
_STAND_INS = Path(__file__).parent / "programs"


class Reader(msgspec.Struct, frozen=True):
    """Somebody who follows a guide in `directory`; `ports` are those of the pages here."""

    proxy: str
    directory: Path
    ports: Mapping[str, str]
    environ: Mapping[str, str]

    def here(self, text: str) -> str:
        """Return a text of a page with the ports of this bench."""
        pattern = "|".join(rf"(?<!\d){port}(?!\d)" for port in self.ports)
        return re.sub(pattern, lambda match: self.ports[match[0]], text)

    async def follow(self, steps: list[Step]) -> None:
        """Do everything that the guide says. Raises AssertionError where the page is wrong."""
        output = ""
        for step in steps:
            text = self.here(step.block.text)
            if step.language == "sh":
                output = await self.types(text, step.block.where)
            elif step.language == "text":
                lost = printed(output, text)
                where = f"{step.block.where}: not printed: {lost}"
                assert not lost, f"{where}\nbut:\n{output}\n{self.logs()}"
            else:
                self._edit(step, text)

    async def types(self, text: str, where: str = "") -> str:
        """Run commands, each of which must succeed; return what they print."""
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-e", "-o", "pipefail", "-c", _LOOP_PAUSE.sub("sleep 0.1", text)),
            cwd=self.directory,
            env=self.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        ending = loop.call_later(_SECONDS, os.killpg, shell.pid, signal.SIGKILL)
        try:
            output, _ = await shell.communicate()
        finally:
            ending.cancel()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        assert shell.returncode == 0, f"{where}: {text}\n{output.decode()}\n{self.logs()}"
        return output.decode()

    def logs(self) -> str:
        """Return the end of the logs."""
        files = [self.directory / name for name in ("gateway.log", "proxy.log")]
        return "\n".join(file.read_text()[-3000:] for file in files if file.exists())

    def _edit(self, step: Step, text: str) -> None:
        file = self.directory / step.title
        if step.title == "nixy.toml":
            file.write_text(with_settings(file.read_text(), text))
        elif step.language == "diff":
            file.write_text(with_difference(file.read_text(), text))
        elif step.title:
            file.write_text(text)


@asynccontextmanager
async def bench(proxy: str, directory: Path, cluster: Simulator) -> AsyncIterator[Reader]:
    """Run the proxy and the gateway in `directory`, in front of the cluster."""
    pages = ("8080", "8443", "6000", "6081", "8402", "9080", "7000", "7081")
    first = free_ports(len(pages))
    ports = {page: str(first + number) for number, page in enumerate(pages)}
    ports |= {str(4000 + n): url.rpartition(":")[2] for n, url in enumerate(cluster.urls)}
    ports["4100"] = cluster.control.url.rpartition(":")[2]
    reader = Reader(proxy, directory / proxy, ports, _environ(directory, proxy, ports["8080"]))
    place = str(reader.directory)
    # NGINX's workers read certificates, and do not run as root.
    directory.chmod(0o755)
    reader.directory.mkdir()
    await reader.types(f"drove-gateway init {proxy} .")
    for file in (reader.directory / "nixy.toml", reader.directory / f"{proxy}.tmpl"):
        file.write_text(reader.here(file.read_text()))
    nixy = reader.directory / "nixy.toml"
    nixy.write_text(with_settings(nixy.read_text(), _FAST_POLLS))
    config = "haproxy.cfg" if proxy == "haproxy" else "nginx.conf"
    await reader.types(f"drove-gateway render > {config}")
    program = str(find_program(proxy, None))
    commands = {
        "haproxy": (program, "-W", "-S", f"{place}/master.sock", "-f", f"{place}/{config}"),
        "nginx": (
            *(program, "-p", place, "-e", f"{place}/error.log"),
            *("-c", f"{place}/{config}", "-g", "daemon off;"),
        ),
    }
    async with AsyncExitStack() as stack:
        for name, command in {
            "proxy": commands[proxy],
            "gateway": (str(_BIN / "drove-gateway"), "-f", f"{place}/nixy.toml"),
        }.items():
            log = reader.directory / f"{name}.log"
            process = await stack.enter_async_context(running(command, log))
            (reader.directory / f"{name}.pid").write_text(str(process.pid))
        await until(lambda: "msg=applied" in reader.logs(), describe=reader.logs)
        yield reader


def _environ(directory: Path, proxy: str, port: str) -> dict[str, str]:
    """Return an environment whose PATH has the gateway, the proxies, and the stand-ins."""
    programs = directory / "programs"
    programs.mkdir()
    for name in ("drove-gateway", "nixy"):
        (programs / name).symlink_to(_BIN / name)
    for name in STARTERS:
        (programs / name).symlink_to(find_program(name, None))
    return {
        "PATH": f"{programs}:{_STAND_INS}:{os.environ['PATH']}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "BENCH": str(directory / proxy),
        "BENCH_PROXY": proxy,
        "BENCH_PORT": port,
    }
