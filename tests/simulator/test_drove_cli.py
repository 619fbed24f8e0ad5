"""A client that nobody here wrote: Drove's own command line, `drove-cli`.

It exits 0 even on errors, so what it prints is checked.
"""

import asyncio
import sys
from pathlib import Path

from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator

DROVE = Path(sys.executable).with_name("drove")


class Cli:
    """Runs `drove` with a home directory of its own."""

    def __init__(self, home: Path, sim: Simulator, *, controller: int = 0) -> None:
        self._home = home
        self._endpoint = sim.urls[controller]

    async def __call__(self, command: str) -> str:
        """What the command prints."""
        return await self.bare(f"--endpoint {self._endpoint} {command}")

    async def bare(self, arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            DROVE,
            *arguments.split(),
            env={"HOME": str(self._home), "COLUMNS": "200", "NO_PROXY": "*"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
        text = printed.decode()
        assert "Drove CLI error" not in text, text
        assert "Traceback" not in text, text
        return text


async def test_it_reads_the_cluster(tmp_path: Path) -> None:
    async with Simulator(Options(apps=2, instances=2)) as sim:
        drove = Cli(tmp_path, sim)
        assert "Cluster ping successful" in await drove("cluster ping")
        summary = await drove("cluster summary")
        assert "NORMAL" in summary
        assert "Active: 2 Total: 2" in summary
        assert sim.urls[0].removeprefix("http://") in await drove("cluster leader")
        executors = await drove("executor list")
        assert [host in executors for host in sim.options.executor_hosts] == [True] * 3
        executor = next(iter(sim.cluster.executors))
        assert executor in await drove(f"executor info {executor}")
        assert "Source App" in await drove("tasks list")
        assert "Activation State" in await drove("localservices list")


async def test_it_reads_apps_instances_endpoints_and_events(tmp_path: Path, client: Client) -> None:
    async with Simulator() as sim:
        drove = Cli(tmp_path, sim)
        change = await sim.deploy("web", vhost="www.example.org", instances=2, tags={"k": "v"})
        [row] = [line for line in (await drove("apps list")).splitlines() if "web-1" in line]
        assert row.split()[:7] == ["web-1", "web", "RUNNING", "2", "256", "2", "2"]
        assert "requiredInstances             2" in await drove("apps summary web-1")
        assert '"vhost": "www.example.org"' in await drove("apps spec web-1")
        instances = await drove("appinstances list web-1")
        assert [name in instances for name in change.added] == [True, True]
        info = await drove(f"appinstances info web-1 {change.added[0]}")
        assert "HEALTHY" in info
        endpoints = await drove("cluster endpoints --vhost www.example.org")
        for _, port in await client.hosts(sim, "web-1"):
            assert str(port) in endpoints
        events = await drove("cluster events")
        assert events.count("INSTANCE_STATE_CHANGE") == 12
        assert events.count("LEADERSHIP_ACQUIRED") == 1
        assert "App nope not found" in await drove("apps summary nope")


async def test_it_changes_the_cluster(tmp_path: Path, client: Client) -> None:
    async with Simulator() as sim:
        drove = Cli(tmp_path, sim)
        await sim.deploy("web", instances=2)
        assert "accepted" in await drove("apps scale web-1 4")
        await sim.settled()
        assert await client.listed(sim) == {"web-1": 4}
        assert "accepted" in await drove("apps suspend web-1")
        await sim.settled()
        assert await client.listed(sim) == {}
        assert "destroyed" in await drove("apps destroy web-1")
        await sim.settled()
        assert (await client.ask(sim, "applications")).data == {}
        assert "MAINTENANCE" in await drove("cluster maintenance-on")
        assert sim.cluster.maintenance
        assert "accepted" in await drove("cluster maintenance-off")
        assert not sim.cluster.maintenance


async def test_it_needs_the_leader_and_credentials(tmp_path: Path) -> None:
    async with Simulator(Options(user="guest", password="secret")) as sim:
        drove = Cli(tmp_path, sim)
        assert "Credentials are required" in await drove("cluster ping")
        assert "successful" in await drove("--username guest --password secret cluster ping")
        config = f"[DEFAULT]\nendpoint={sim.urls[0]}\nusername=guest\npassword=secret\n"
        (tmp_path / ".drove").write_text(config)
        assert "successful" in await drove.bare("cluster ping")
        follower = Cli(tmp_path, sim, controller=1)
        output = await follower("--username guest --password secret cluster ping")
        assert "This node is not the leader controller" in output
