"""Commands: their end, their output, their time limit, and never a shell."""

import sys
from pathlib import Path

import pytest
from tests.waiting import until

from drove_gateway.model.errors import CommandFailed, CommandTimeout
from drove_gateway.proxies.installation.subprocess_runner import last_lines, run, run_ok

LONG = 30.0


def python(source: str) -> tuple[str, ...]:
    return (sys.executable, "-c", source)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("code", [0, 1, 7])
async def test_the_exit_code_and_both_streams_are_returned(code: int) -> None:
    script = f"echo out; echo err >&2; exit {code}"
    finished = await run(("sh", "-c", script), timeout=LONG)
    assert finished.exit_code == code
    assert sorted(finished.output.split()) == ["err", "out"]


async def test_arguments_reach_the_program_as_they_are() -> None:
    words = ("$HOME", "a b", "; rm -rf x", "`id`", "*")
    finished = await run(("printf", "%s\n", *words), timeout=LONG)
    assert finished.output.splitlines() == list(words)


async def test_a_command_has_no_input_to_wait_for() -> None:
    assert (await run(("cat",), timeout=LONG)).exit_code == 0


async def test_a_success_returns_the_output() -> None:
    assert await run_ok(("echo", "well"), timeout=LONG) == "well\n"


async def test_a_failure_names_the_command_its_exit_code_and_its_output() -> None:
    with pytest.raises(CommandFailed) as caught:
        await run_ok(("sh", "-c", "echo first; echo second >&2; exit 3"), timeout=LONG)
    assert "exit code 3" in str(caught.value)
    assert "first | second" in str(caught.value)
    assert caught.value.output == "first\nsecond\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param(("no-such-program",), "no program 'no-such-program'", id="unknown"),
        pytest.param((__file__,), "may not be executed", id="not executable"),
        pytest.param(("a\0b",), "null byte", id="not a name"),
    ],
)
async def test_a_command_that_cannot_be_started_is_a_failure(
    command: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CommandFailed, match=reason):
        await run(command, timeout=LONG)


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    children = tmp_path / "child"
    with pytest.raises(CommandTimeout, match=r"did not end within 0\.5 s and was killed"):
        await run(("sh", "-c", f"sleep 600 & echo $! >{children}; wait"), timeout=0.5)
    pid = int(children.read_text())
    await until(lambda: not alive(pid))


async def test_a_daemon_left_behind_is_not_waited_for_and_may_print_at_any_time(
    tmp_path: Path,
) -> None:
    left, go, printed = tmp_path / "left", tmp_path / "go", tmp_path / "printed"
    daemon = (
        f"while [ ! -e {go} ]; do sleep 0.01; done; head -c 1000000 /dev/zero && touch {printed}"
    )
    script = f"({daemon}) & echo $! >{left}; echo done"
    finished = await run(("sh", "-c", script), timeout=LONG)
    assert (finished.exit_code, finished.output) == (0, "done\n")
    go.touch()
    await until(printed.exists)
    await until(lambda: not alive(int(left.read_text())))


async def test_of_endless_output_the_beginning_is_kept() -> None:
    finished = await run(python("print('x' * 10_000_000)"), timeout=LONG)
    assert finished.exit_code == 0
    assert len(finished.output) == 64 * 1024


async def test_output_that_is_not_text_is_made_readable() -> None:
    finished = await run(("printf", r"a\377b"), timeout=LONG)
    assert finished.output == "a\ufffdb"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("one\n\n  two  \n", "one | two", id="lines become one"),
        pytest.param("x" * 700, "… " + "x" * 600, id="the end of what is long"),
        pytest.param("/path" * 99 + " x" * 250, "…" + " x" * 250, id="no part of a word"),
        pytest.param(
            '2026/11/27 23:04:01 [emerg] 4199#4199: unknown directive "x" in /etc/nginx.conf:1\n'
            "nginx: configuration file /etc/nginx.conf test failed\n",
            '[emerg] unknown directive "x" in /etc/nginx.conf:1 | '
            "nginx: configuration file /etc/nginx.conf test failed",
            id="NGINX without time and process",
        ),
        pytest.param(
            "[NOTICE]   (4424) : haproxy version is 2.8.25-5cf5d06\n"
            "[NOTICE]   (4424) : path to executable is /usr/sbin/haproxy\n"
            "[ALERT]    (4424) : config : parsing [/etc/haproxy.cfg:1]: unknown keyword 'x'\n",
            "[ALERT] config : parsing [/etc/haproxy.cfg:1]: unknown keyword 'x'",
            id="HAProxy without process, version and path",
        ),
    ],
)
def test_the_end_of_the_output_is_put_on_a_line_for_messages(output: str, shown: str) -> None:
    assert last_lines(output) == shown


async def test_a_command_that_prints_without_end_is_killed_long_before_its_time() -> None:
    with pytest.raises(CommandFailed, match=r"printed more than 32 MB and was killed"):
        await run(("sh", "-c", "yes"), timeout=LONG)
