"""Which workers NGINX has."""

import os
from pathlib import Path

import pytest
from tests.proxies.imitated_proc import PAGE, ImitatedProc

from drove_gateway.model.workers import Workers
from drove_gateway.proxies.nginx.workers import nginx_workers

pytestmark = pytest.mark.asyncio

MASTER = "nginx: master process /usr/sbin/nginx -g daemon on;"
WORKER, OLD = "nginx: worker process", "nginx: worker process is shutting down"


@pytest.fixture
def proc(tmp_path: Path) -> ImitatedProc:
    """An NGINX with a worker, an old worker and a cache manager, beside other programs."""
    imitated = ImitatedProc(tmp_path / "proc")
    imitated.add(1, 0, "/sbin/init")
    imitated.add(2, 0)
    imitated.add(100, 1, MASTER)
    imitated.add(101, 100, WORKER)
    imitated.add(102, 100, OLD)
    imitated.add(103, 100, "nginx: cache manager process")
    return imitated


def config(directory: Path, pid: str = "") -> Path:
    """Write a configuration, which names a file with this id."""
    (directory / "nginx.pid").write_text(pid)
    path = directory / "nginx.conf"
    path.write_text(f"user www;\n pid '{directory}/nginx.pid';\nevents {{}}\n" if pid else "")
    return path


async def counted(path: Path, proc: ImitatedProc) -> tuple[int, int] | None:
    workers = await nginx_workers(path, proc.path)
    return (workers.current, workers.old) if workers else None


async def test_workers_that_shut_down_are_old(proc: ImitatedProc, tmp_path: Path) -> None:
    assert await counted(config(tmp_path, "100\n"), proc) == (1, 1)


async def test_only_the_workers_of_the_configured_nginx_count(
    proc: ImitatedProc, tmp_path: Path
) -> None:
    proc.add(200, 1, MASTER)
    proc.add(201, 200, OLD)
    assert await counted(config(tmp_path, "100"), proc) == (1, 1)
    assert await counted(config(tmp_path, "200"), proc) == (0, 1)


@pytest.mark.parametrize("pid", ["", "none", "4711"])
async def test_without_a_usable_pid_file_the_only_nginx_is_taken(
    proc: ImitatedProc, tmp_path: Path, pid: str
) -> None:
    path = config(tmp_path, pid)
    assert await counted(path, proc) == (1, 1)
    proc.add(200, 1, MASTER)
    assert await counted(path, proc) is None, "two are possible"


async def test_without_nginx_nothing_is_known(tmp_path: Path) -> None:
    assert await counted(config(tmp_path, "100"), ImitatedProc(tmp_path / "none")) is None
    assert await counted(tmp_path / "missing.conf", ImitatedProc(tmp_path / "no")) is None


async def test_memory_that_workers_share_counts_in_part_where_that_can_be_read(
    proc: ImitatedProc, tmp_path: Path
) -> None:
    path = config(tmp_path, "100")
    proc.holds(102, resident=50, shared=20)
    assert (await _workers(path, proc)).old_memory == 30 * PAGE
    proc.holds_in_detail(102, kilobytes=7)
    assert (await _workers(path, proc)).old_memory == 7 * 1024


async def test_the_machines_memory_is_known(proc: ImitatedProc, tmp_path: Path) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * PAGE
    assert 0 < (await _workers(config(tmp_path, "100"), proc)).machine_memory <= machine


async def _workers(path: Path, proc: ImitatedProc) -> Workers:
    workers = await nginx_workers(path, proc.path)
    assert workers is not None
    return workers
