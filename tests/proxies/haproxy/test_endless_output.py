"""A program at HAProxy's socket that sends without end costs little memory, and no time."""

import contextlib
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import split

LIMIT_MB = 32
# The buffer grows by an eighth more than it needs.
SLACK_MB = 6
STATES = b"\n> 1\n# be_name srv_name srv_addr srv_port srv_op_state srv_admin_state "
COLUMNS = b"srv_uweight srv_iweight srv_check_result\n"


@contextmanager
def endless(path: Path, first: bytes, piece: bytes) -> Iterator[None]:
    """A program that accepts connections at `path` and sends `piece` again and again."""
    ending = threading.Event()

    def talk(listener: socket.socket) -> None:
        while not ending.is_set():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(1)
                connection.sendall(first)
                while not ending.is_set():
                    connection.sendall(piece)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=talk, args=[listener], daemon=True)
        thread.start()
        yield
        ending.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(path))
        thread.join(5)


@pytest.mark.parametrize(
    ("first", "piece", "why"),
    [
        pytest.param(b"", b"x" * 65536, "more than 32 MB", id="a line without an end"),
        pytest.param(b"", b"\n> " * 20000, "more replies than", id="replies to no command"),
        pytest.param(STATES + COLUMNS, b"b s ::1 80 2 0 1 1 2\n" * 3000, "32 MB", id="servers"),
        pytest.param(b"\n> ", "\U0001f600".encode() * 16384, "32 MB", id="wide characters"),
    ],
)
async def test_endless_output_is_refused_early_and_not_kept(
    short_path: Path, first: bytes, piece: bytes, why: str
) -> None:
    api = RuntimeApi(
        UnixSocket(str(short_path / "s")),
        timeout=5,
        clock=time.monotonic,
        metrics=CountingMetrics(),
        log=EventLog(structlog.get_logger(), "error"),
    )
    tracemalloc.start()
    try:
        with endless(short_path / "s", first, piece):
            for _ in range(3):
                with pytest.raises(RuntimeApiError, match=why):
                    await api.ask(commands.SHOW_ALL_SERVERS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (LIMIT_MB + SLACK_MB) << 20


def test_the_states_of_100_000_servers_with_long_names_are_within_the_limit() -> None:
    """Measured with the columns of HAProxy 3.0."""
    numbers = "2 0 1 1 86400 6 3 4 6 0 0 0 - 31234 - 0 0 - - 0"
    line = f"10000 {'v' * 60} 10 {'h' * 60}_31234 10.12.123.12 {numbers}\n"
    assert len(line) * 100_000 < LIMIT_MB << 20


def test_a_table_of_very_many_lines_is_refused() -> None:
    lines = "b s ::1 80 2 0 1 1 2\n" * 200_000
    text = (STATES + COLUMNS).decode().removeprefix("\n> ") + lines
    with pytest.raises(RuntimeApiError, match="more than 200,000 lines"):
        state.servers(text)


def test_a_long_reply_to_a_short_question_is_refused() -> None:
    output = b"\n> " + b"Name: HAProxy\n" * 400_000 + b"\n> "
    with pytest.raises(RuntimeApiError, match="to `show info`"):
        split(output, [commands.SHOW_INFO])


def test_a_long_reply_with_characters_beyond_ascii_is_not_text() -> None:
    with pytest.raises(UnicodeError, match="beyond ASCII"):
        split(b"\n> " + "ä".encode() * 3_000_000 + b"\n> ", [commands.SHOW_ALL_SERVERS])
