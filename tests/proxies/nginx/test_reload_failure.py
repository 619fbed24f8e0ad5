"""Why NGINX was not told to reload, in words that say what still works and what to do."""

from pathlib import Path

import pytest
from tests.proxies.imitated_proc import ImitatedProc

from drove_gateway.proxies.nginx.reload_failure import reload_failure

CONFIG = Path("/etc/nginx/nginx.conf")
STARTED = "2026/11/27 23:33:31 [notice] 7#7: signal process started\n"
MISSING = (
    f'{STARTED}2026/11/27 23:33:31 [error] 7#7: open() "/run/nginx.pid" failed (2: No such file)'
)
EMPTY = f'{STARTED}2026/11/27 23:33:31 [error] 7#7: invalid PID number "" in "/run/nginx.pid"'
STALE = f"{STARTED}2026/11/27 23:33:31 [alert] 7#7: kill(4711, 1) failed (3: No such process)"

PRINTED = pytest.mark.parametrize(
    ("printed", "reason"),
    [
        pytest.param(MISSING, "pid file /run/nginx.pid cannot be read", id="missing"),
        pytest.param(EMPTY, "pid file /run/nginx.pid has no process id", id="empty"),
        pytest.param(STALE, "pid file names process 4711, which does not run", id="stale"),
    ],
)


@PRINTED
async def test_an_nginx_that_runs_without_its_pid_file_is_named(
    tmp_path: Path, printed: str, reason: str
) -> None:
    proc = ImitatedProc(tmp_path / "proc")
    proc.add(100, 1, f"nginx: master process /usr/sbin/nginx -c {CONFIG}")
    proc.add(200, 1, "nginx: master process /usr/sbin/nginx -c /etc/other.conf")
    why = await reload_failure(printed, CONFIG, proc.path)
    for part in (reason, "runs as process 100 and serves what it loaded last", "Write 100 to"):
        assert part in why


@PRINTED
async def test_where_no_nginx_is_seen_the_message_says_that_nobody_may_be_served(
    tmp_path: Path, printed: str, reason: str
) -> None:
    why = await reload_failure(printed, CONFIG, ImitatedProc(tmp_path / "proc").path)
    for part in (reason, "nobody is served: start it"):
        assert part in why


@pytest.mark.parametrize(
    "printed",
    [
        "",
        '[emerg] 7#7: open() "/etc/nginx/x.conf" failed (2: No such file) in nginx.conf:3',
        "[alert] 7#7: kill(1, 1) failed (1: Operation not permitted)",
    ],
)
async def test_any_other_reason_stays_in_nginxs_own_words(tmp_path: Path, printed: str) -> None:
    assert await reload_failure(printed, CONFIG, tmp_path) == ""
