"""Two gateways for one proxy: the second is refused, and says which process is the first."""

import asyncio
import os
import resource
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from drove_gateway.config import Settings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import ConfigError
from drove_gateway.proxies.file_kind import FileKind
from drove_gateway.proxies.ownership import own, own_api
from drove_gateway.proxies.registry import kind_of

LOG = EventLog(structlog.get_logger())


async def test_a_second_gateway_for_the_same_file_is_refused_naming_the_first(
    tmp_path: Path,
) -> None:
    target = tmp_path / "nginx.conf"
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await own(target, "edge-1", first, LOG)
        await own(tmp_path / "other.conf", "edge-1", second, LOG)
        with pytest.raises(ConfigError, match=rf"process {os.getpid()} on edge-1.*{target}"):
            await own(target, "edge-2", second, LOG, patience=0.2)


async def test_the_next_gateway_waits_while_the_one_before_ends(tmp_path: Path) -> None:
    target = tmp_path / "nginx.conf"
    first, second = AsyncExitStack(), AsyncExitStack()
    await own(target, "edge-1", first, LOG)
    waiting = asyncio.create_task(own(target, "edge-1", second, LOG))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await first.aclose()
    await waiting
    await second.aclose()


async def test_a_directory_that_cannot_be_written_does_not_prevent_a_start(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        await own(tmp_path / "missing" / "nginx.conf", "edge-1", stack, LOG)


async def test_a_full_disk_does_not_prevent_a_start_and_the_lock_is_held(tmp_path: Path) -> None:
    target = tmp_path / "nginx.conf"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            await own(target, "edge-1", first, LOG)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        with pytest.raises(ConfigError, match="unknown process"):
            await own(target, "edge-2", second, LOG, patience=0.2)


async def test_a_second_gateway_for_the_same_api_is_refused(tmp_path: Path) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await own_api(f"haproxy {tmp_path}/one.sock", first)
        await own_api(f"haproxy {tmp_path}/other.sock", second)
        with pytest.raises(ConfigError, match="another drove-gateway drives the proxy with"):
            await own_api(f"haproxy {tmp_path}/one.sock", second, patience=0.2)
    async with AsyncExitStack() as next_process:
        await own_api(f"haproxy {tmp_path}/one.sock", next_process, patience=0.2)


def apis(**settings: object) -> tuple[str, ...]:
    """The addresses that no other gateway may use."""
    kind = kind_of(Settings.model_validate(settings))
    assert isinstance(kind, FileKind)
    return kind.apis


def test_gateways_with_other_files_and_the_same_sockets_use_the_same_proxy(tmp_path: Path) -> None:
    link, socket = tmp_path / "link", tmp_path / "runtime.sock"
    link.symlink_to(socket)
    first = apis(
        proxy_platform="haproxy",
        haproxy_config="/etc/haproxy/a.cfg",
        haproxysocketaddr=str(socket),
        haproxy_master_socket="/run/master.sock",
    )
    second = apis(
        proxy_platform="haproxy",
        haproxy_config="/etc/haproxy/b.cfg",
        haproxysocketaddr=f"unix@{link}",
    )
    assert first == (str(socket), "/run/master.sock")
    assert second == (str(socket),)


def test_gateways_with_other_files_and_the_same_nginx_plus_api_use_the_same_proxy() -> None:
    first = apis(nginx_config="/etc/nginx/a.conf", nginxplusapiaddr="127.0.0.1:8080")
    second = apis(nginx_config="/etc/nginx/b.conf", nginxplusapiaddr="127.0.0.1:8080")
    assert first == second != ()


async def test_a_second_gateway_with_another_file_and_the_same_socket_is_refused(
    tmp_path: Path,
) -> None:
    both = {"proxy_platform": "haproxy", "haproxysocketaddr": f"{tmp_path}/runtime.sock"}
    metrics = Metrics()
    outside = this_machine({}, metrics, LOG)
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        for name, stack in (("a", first), ("b", second)):
            config = str(tmp_path / f"{name}.cfg")
            settings = Settings.model_validate({**both, "haproxy_config": config})
            if name == "a":
                await kind_of(settings).driver(outside, stack)
                continue
            with pytest.raises(ConfigError, match="another drove-gateway drives the proxy with"):
                await kind_of(settings).driver(outside, stack)
