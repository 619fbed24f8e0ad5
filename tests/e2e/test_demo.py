"""`drove-gateway demo` as a process: however it ends, nothing of it stays."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ENDS_WITHIN_SECONDS = 30
STARTED = "What happens"

# The first terminal that a session leader opens becomes its controlling terminal.
ON_A_TERMINAL = """
import os
os.open(os.ttyname(0), os.O_RDWR)
from drove_gateway.cli.demo import demo
demo()
"""


class Demo:
    """A demo on a terminal of its own."""

    def __init__(self) -> None:
        self._terminal, inside = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self.printed = ""
        self.read_until(STARTED)
        [name] = re.findall(r"files +(\S+)", self.printed)
        self.directory = Path(name)

    def read_until(self, text: str) -> None:
        """Read what is printed until `text` is in it, or the terminal is closed."""
        while text not in self.printed:
            try:
                read = os.read(self._terminal, 65_536)
            except OSError:  # the other side is closed
                read = b""
            assert read, self.printed
            self.printed += read.decode()

    def close_terminal(self) -> None:
        os.close(self._terminal)
        self._terminal = -1

    def children(self) -> list[str]:
        """The command lines of the processes that use the demo's directory."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended meanwhile
                continue
            if str(self.directory) in command:
                found.append(command)
        return found

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(ENDS_WITHIN_SECONDS)
        finally:
            self.process.kill()
        if self._terminal >= 0:
            self.close_terminal()


@pytest.fixture
def demo() -> Iterator[Demo]:
    running = Demo()
    yield running
    running.end()


def send(number: signal.Signals) -> Callable[[Demo], None]:
    return lambda demo: demo.process.send_signal(number)


ENDINGS: dict[str, Callable[[Demo], None]] = {
    "SIGINT": send(signal.SIGINT),
    "SIGTERM": send(signal.SIGTERM),
    "SIGHUP": send(signal.SIGHUP),
    "a closed terminal": Demo.close_terminal,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_demo_ends_completely(demo: Demo, ending: str) -> None:
    assert len(demo.children()) >= 2, "the gateway and the proxy run"
    ENDINGS[ending](demo)
    assert demo.process.wait(ENDS_WITHIN_SECONDS) == 0
    assert demo.children() == []
    assert not demo.directory.exists()


def test_the_demo_ends_when_nobody_reads_what_it_prints() -> None:
    command = [sys.executable, "-m", "drove_gateway", "demo"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert "Starting" in process.stdout.readline()
            process.stdout.close()
            assert process.wait(ENDS_WITHIN_SECONDS) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_demo_prints_commands_that_work(demo: Demo) -> None:
    [status] = re.findall(r"status -f \S+", demo.printed)
    program = [sys.executable, "-m", "drove_gateway"]
    shown = subprocess.run([*program, *status.split()], capture_output=True, text=True, check=True)
    assert "demo" in shown.stdout
    [scale] = re.findall(r"curl \S+/scale .*", demo.printed)
    scaled = subprocess.run([*["sh", "-c"], scale], capture_output=True, text=True, check=True)
    assert scaled.stdout.count("AI-") == 3


def test_the_demo_counts_requests_while_it_runs(demo: Demo) -> None:
    begin = time.monotonic()
    demo.read_until("requests so far")
    assert time.monotonic() - begin < ENDS_WITHIN_SECONDS
    [(count, failed)] = re.findall(r"([\d,]+) requests so far, (\d+) failed", demo.printed)
    assert int(count.replace(",", "")) > 0
    assert failed == "0"
