"""Which workers HAProxy has."""

import asyncio
from pathlib import Path

import pytest
from tests.proxies.imitated_proc import ImitatedProc

from drove_gateway.proxies.haproxy.workers import haproxy_workers, listed_workers

LISTING = """\
#<PID>          <type>          <reloads>       <uptime>        <version>
7312            master          3 [failed: 0]   0d00h00m05s     2.8.25-5cf5d0683
# workers
7608            worker          0               0d00h00m01s     2.8.25-5cf5d0683
# old workers
7538            worker          1               0d00h00m02s     2.8.25-5cf5d0683
7481            worker          2               0d00h00m04s     2.8.25-5cf5d0683
# programs
7999            prog            1               0d00h00m04s     -

"""


def test_the_masters_list_tells_old_workers_from_current_workers() -> None:
    assert listed_workers(LISTING) == (1, (7538, 7481))


@pytest.mark.parametrize("reply", ["", "Unknown command\n", "# workers\n\n", "\x00\xff\n# old"])
def test_from_another_reply_nothing_is_known(reply: str) -> None:
    assert listed_workers(reply) is None


@pytest.fixture
def proc(tmp_path: Path) -> ImitatedProc:
    """A master with a new worker and an old worker of `haproxy.cfg`, and a check of it."""
    config = str(tmp_path / "haproxy.cfg")
    imitated = ImitatedProc(tmp_path / "proc")
    imitated.add(10, 1, "/usr/sbin/haproxy", "-Ws", "-f", config)
    imitated.add(11, 10, "/usr/sbin/haproxy", "-Ws", "-f", config, started=50)
    imitated.add(12, 10, "/usr/sbin/haproxy", "-sf", "11", "-Ws", "-f", config, started=90)
    imitated.add(13, 1, "haproxy", "-f", f"{tmp_path}/.haproxy.cfg.new", "-c", started=95)
    imitated.add(14, 1, "vim", config, started=99)
    return imitated


@pytest.mark.asyncio
async def test_without_a_master_socket_the_youngest_process_with_the_file_is_current(
    proc: ImitatedProc, tmp_path: Path
) -> None:
    workers = await haproxy_workers(tmp_path / "haproxy.cfg", "", timeout=1, proc=proc.path)
    assert workers is not None
    assert (workers.current, workers.old) == (1, 1)


@pytest.mark.asyncio
async def test_a_relative_file_is_looked_for_where_the_process_runs(tmp_path: Path) -> None:
    proc = ImitatedProc(tmp_path / "proc")
    proc.add(10, 1, "haproxy", "-f", "haproxy.cfg")
    assert await haproxy_workers(tmp_path / "haproxy.cfg", "", timeout=1, proc=proc.path) is None
    (proc.path / "10" / "cwd").symlink_to(tmp_path)
    workers = await haproxy_workers(tmp_path / "haproxy.cfg", "", timeout=1, proc=proc.path)
    assert workers is not None
    assert (workers.current, workers.old) == (1, 0)


@pytest.mark.asyncio
async def test_a_process_that_names_a_circle_of_links_is_passed_over(
    proc: ImitatedProc, tmp_path: Path
) -> None:
    """Any user of the machine may run such a process."""
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    proc.add(15, 1, "haproxy", "-f", str(circle), started=99)
    workers = await haproxy_workers(tmp_path / "haproxy.cfg", "", timeout=1, proc=proc.path)
    assert workers is not None
    assert (workers.current, workers.old) == (1, 1)


@pytest.mark.asyncio
async def test_a_master_that_is_silent_or_gone_is_given_up(tmp_path: Path) -> None:
    socket = tmp_path / "master.sock"

    asked_for = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_for.append(await reader.read())
        await over.wait()
        writer.close()

    over = asyncio.Event()
    gone = haproxy_workers(tmp_path / "haproxy.cfg", str(socket), timeout=0.1)
    assert await gone is None
    async with await asyncio.start_unix_server(silent, socket):
        waiting = haproxy_workers(tmp_path / "haproxy.cfg", str(socket), timeout=0.1)
        assert await asyncio.wait_for(waiting, 2) is None
        over.set()
    assert asked_for == [b"show proc\n"]
