"""Processes that are started, signalled and waited for."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.container.stage import children
from tests.waiting import until

from drove_gateway.container.processes import Child, ProcessError, Processes


@pytest.fixture
async def processes() -> Processes:
    made = Processes()
    made.open(asyncio.get_running_loop())
    return made


def shell(processes: Processes, script: str) -> Child:
    return processes.start(("/bin/sh", "-c", script), os.environ)


async def test_stopping_is_reported_as_an_exit_code_or_a_signal(processes: Processes) -> None:
    assert await shell(processes, "exit 7").ended() == 7
    assert await shell(processes, "kill -KILL $$").ended() == -signal.SIGKILL


async def test_output_goes_where_it_should(processes: Processes) -> None:
    pipes = os.pipe(), os.pipe()
    command = ("/bin/sh", "-c", "echo out; echo err >&2")
    child = processes.start(command, os.environ, [write for _, write in pipes])
    assert await child.ended() == 0
    assert [os.read(read, 100) for read, _ in pipes] == [b"out\n", b"err\n"]
    for each in (*pipes[0], *pipes[1]):
        os.close(each)


async def test_many_that_end_at_once_are_reported_apart(processes: Processes) -> None:
    started = [shell(processes, f"exit {code}") for code in range(20)]
    assert await asyncio.gather(*(child.ended() for child in started)) == list(range(20))


async def test_who_gives_up_waiting_disturbs_nobody(processes: Processes) -> None:
    child = shell(processes, "exec sleep 600")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(child.ended(), 0.01)
    assert child.running
    child.send(signal.SIGTERM)
    assert await child.ended() == -signal.SIGTERM
    assert not child.running


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
async def test_a_signal_that_comes_before_it_is_taken_does_no_harm(
    processes: Processes, number: signal.Signals
) -> None:
    child = shell(processes, "exec sleep 600")
    child.send(number)
    child.send(signal.SIGTERM)
    assert await child.ended() == -signal.SIGTERM


async def test_this_process_takes_its_signals_as_before(processes: Processes) -> None:
    came = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, came.set)
    await shell(processes, "exit 0").ended()
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(came.wait(), 20)


async def test_a_group_is_reached_when_its_leader_has_ended(
    processes: Processes, tmp_path: Path
) -> None:
    child = shell(processes, f"sleep 600 & echo $! > {tmp_path}/pid")
    await child.ended()
    left = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}")
    assert "sleep" in (left / "cmdline").read_text()
    child.send_group(signal.SIGKILL)
    child.send_group(signal.SIGKILL)

    def gone() -> bool:
        return not left.exists() or "(sleep) Z" in (left / "stat").read_text()

    await until(gone)


async def test_it_is_seen_when_a_process_has_started_its_own(processes: Processes) -> None:
    child = shell(processes, "sleep 600 & wait")
    await child.has_children()
    assert len(children(child.pid)) == 1
    child.send_group(signal.SIGKILL)
    await child.ended()


async def test_a_process_that_ends_is_not_waited_for(processes: Processes) -> None:
    await asyncio.wait_for(shell(processes, "exit 1").has_children(), 20)


async def test_a_program_that_is_missing_is_named(processes: Processes) -> None:
    with pytest.raises(ProcessError, match="cannot start no-such-program: No such file"):
        processes.start(("no-such-program",), os.environ)


async def test_it_reads_nothing_and_is_in_a_group_of_its_own(processes: Processes) -> None:
    assert await shell(processes, "read line || exit 9").ended() == 9
    child = shell(processes, "exec sleep 600")
    assert os.getpgid(child.pid) == child.pid
    child.send(signal.SIGKILL)
    await child.ended()
