"""The daemon as it is installed: a simulated cluster, nixy.toml, and NGINX Plus's stand-in."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.traffic import Traffic, free_port, get
from tests.waiting import until

from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped


def nixy_toml(nginx: NginxPlus, cluster: Simulator, directory: Path, port: int, more: str) -> str:
    return f"""
port = {port}
event_refresh_interval_sec = 0.1
ping_interval_sec = 0.2
state_persistence_dir = "{directory}/drove-state"
nginx_config = "{directory}/nginx.conf"
nginx_template = "{directory}/nginx-plus.tmpl"
nginx_cmd = "{" ".join(nginx.command)}"
nginxplusapiaddr = "http://{nginx.api_address}"
nginxplusapi_user = "gateway"
nginxplusapi_pass = "hush-hush"
nginx_max_fails = 2
{more}
[[namespaces]]
name = "main"
drove = {json.dumps(cluster.urls)}
realm = "web.local"
"""


class Daemon:
    """What the running daemon says over HTTP."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> tuple[int, str]:
        try:
            async with aiohttp.ClientSession() as session, session.get(self._url + path) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def healthy(self) -> bool:
        return (await self.get("/v1/health"))[0] == 200


@contextlib.asynccontextmanager
async def daemon(
    nginx: NginxPlus, cluster: Simulator, directory: Path, more: str = ""
) -> AsyncIterator[Daemon]:
    """The daemon with the shipped template. The API requires a password."""
    nginx.api.user, nginx.api.password = "gateway", "hush-hush"
    nginx.conf_path = directory / "nginx.conf"
    (directory / "nginx-plus.tmpl").write_text(shipped("nginx-plus"))
    port = free_port()
    (directory / "nixy.toml").write_text(nixy_toml(nginx, cluster, directory, port, more))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "drove_gateway", "-f", str(directory / "nixy.toml")),
        env={**os.environ, "GENERATION_PORT": str(nginx.traffic_port)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Daemon(port)
    finally:
        process.terminate()
        await process.wait()


async def test_a_cluster_reaches_traffic_through_nginx_plus(tmp_path: Path) -> None:
    options = Options(apps=0, wait_before_kill=1.0)
    async with running(NginxPlus()) as nginx, Simulator(options) as cluster:
        await cluster.deploy("web", instances=2)
        async with daemon(nginx, cluster, tmp_path) as gateway:
            await until(lambda: "web.local" in nginx.upstreams)
            await until(lambda: len(nginx.servers("web.local")) == 2)
            await until(gateway.healthy)
            traffic = Traffic(nginx.traffic_port, ["web.local"], clients=2)
            async with traffic.running() as tally:
                await traffic.answered(10)
                await cluster.scale("web", 4)
                await until(lambda: len(nginx.servers("web.local")) == 4)
                await cluster.scale("web", 1)
                await until(lambda: len(nginx.servers("web.local")) == 1)
                await traffic.answered(10)
            assert tally.failures == []
            assert nginx.reloads == 1
            assert nginx.upstreams["web.local"].servers[0].max_fails == 2
            _, metrics = await gateway.get("/v1/metrics")
            assert (
                'drove_gateway_nginx_api_calls_successful_total{operation="add_http_server"} 4'
                in metrics
            )
            assert 'nginx_plus_runtime_api_duration_seconds_count{result="success"}' in metrics
            _, config = await gateway.get("/v1/config")
            assert "hush-hush" not in config


async def test_with_reloads_disabled_the_api_alone_is_used(tmp_path: Path) -> None:
    conf = "upstream web.local { zone web.local 64k; }"
    async with running(NginxPlus(conf)) as nginx, Simulator(Options(apps=0)) as cluster:
        await cluster.deploy("web", instances=2)
        async with daemon(nginx, cluster, tmp_path, "nginx_reload_disabled = true") as gateway:
            await until(lambda: len(nginx.servers("web.local")) == 2)
            await until(gateway.healthy)
            health = json.loads((await gateway.get("/v1/health"))[1])
            assert health["Config"]["Message"] == "Config Reload disabled"
            assert health["Template"]["Message"] == "Templating disabled"
            assert health["UpstreamUpdatesViaAPI"] == {"Healthy": True, "Message": "OK"}
            assert (await get(nginx.traffic_port, "web.local"))[0] == 200
            assert nginx.reloads == 0
            assert not (tmp_path / "nginx.conf").exists()
            nginx.api.password = "changed"
            await nginx.restart()
            await until(lambda: _says(gateway, "nginxplusapi_user"))


async def _says(gateway: Daemon, words: str) -> bool:
    return words in (await gateway.get("/v1/health"))[1]
