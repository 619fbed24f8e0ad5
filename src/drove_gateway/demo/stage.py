"""The whole demo: cluster, proxy, gateway and clients, with their files in a new directory."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from drove_gateway.demo.clients import Clients
from drove_gateway.demo.daemon import Daemon, nixy_toml, running_daemon
from drove_gateway.demo.processes import claimed_port
from drove_gateway.demo.proxy import running_proxy
from drove_gateway.proxies.local import LocalProxy
from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped

LEADER_VHOST = "drove.demo.local"
APPS = {"web": 3, "api": 3, "reports": 2}


class Stage(msgspec.Struct, frozen=True):
    """The parts of the demo. `api` is the URL of the gateway's own API."""

    cluster: Simulator
    proxy: LocalProxy
    api: str
    clients: Clients
    directory: Path

    def vhost(self, app: str) -> str:
        """Return the name under which an app is served."""
        return f"{app}.demo.local"


@asynccontextmanager
async def stage(kind: str, program: Path) -> AsyncIterator[Stage]:
    """Run every part until the block ends. Raises DemoError when a part does not start."""
    options = Options(vhost="{name}.demo.local", wait_before_kill=0.5, election=0.2)
    async with AsyncExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="drove-demo-")))
        port, proof, api = (
            parts.enter_context(claimed_port(preferred)) for preferred in (8080, 6081, 6000)
        )
        cluster = await parts.enter_async_context(Simulator(options))
        proxy = await parts.enter_async_context(
            running_proxy(kind, program, directory, port=port, proof=proof)
        )
        session = await parts.enter_async_context(aiohttp.ClientSession())
        for app, instances in APPS.items():
            await cluster.deploy(app, instances=instances)
        daemon = _configured(cluster, proxy, directory, api)
        await parts.enter_async_context(running_daemon(daemon))
        yield Stage(cluster, proxy, daemon.api, Clients(session, port), directory)


def _configured(cluster: Simulator, proxy: LocalProxy, directory: Path, port: int) -> Daemon:
    """Write nixy.toml and the template. Return the daemon, which is not started yet."""
    daemon = Daemon(directory, f"http://127.0.0.1:{port}", proxy.environ)
    proxy.template.write_text(shipped(proxy.kind))
    settings = {
        "port": port,
        "xproxy": "demo",
        "ping_interval_sec": 0.5,
        "reload_min_interval_sec": 0.2,
        "event_refresh_interval_sec": 0.25,
        "state_persistence_dir": f"{directory}/state",
        **proxy.settings,
    }
    daemon.config.write_text(
        nixy_toml(settings, namespace="demo", urls=cluster.urls, leader_vhost=LEADER_VHOST)
    )
    return daemon
