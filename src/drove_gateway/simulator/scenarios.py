"""What happens to whole clusters: building blocks of end-to-end tests.

Each method returns when `/endpoints` shows the change, as every operation does.
"""

import asyncio
import time
from collections.abc import Sequence

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.mishaps import Mishaps
from drove_gateway.simulator.operations import Change


class Scenarios:
    """Changes of many instances or apps at once."""

    def __init__(self, cluster: Mishaps) -> None:
        self._cluster = cluster

    async def kill_instances(
        self,
        app: str,
        instances: int,
        *,
        noticed_after: float | None = 0.0,
        replace: bool = True,
    ) -> Change:
        """Kill several instances of an app at the same moment; see `kill_instance`."""
        healthy = self._cluster.app(app).healthy()
        if instances > len(healthy):
            raise SimulatorError(f"{app!r} has only {len(healthy)} healthy instances")
        names = [each.instance_id for each in healthy[:instances]]
        await asyncio.gather(
            *(
                self._cluster.kill_instance(name, noticed_after=noticed_after, replace=replace)
                for name in names
            )
        )
        gone = () if noticed_after is None else tuple(names)
        return Change(time.monotonic(), self._cluster.app(app).app_id, removed=gone)

    async def scale_steps(
        self, app: str, steps: Sequence[int], *, pause: float = 1.0
    ) -> list[Change]:
        """Scale an app to each of the sizes, `pause` seconds after the one before."""
        changes = []
        for step, instances in enumerate(steps):
            if step:
                await asyncio.sleep(pause)
            changes.append(await self._cluster.scale(app, instances))
        return changes

    async def upgrade_all(self) -> list[Change]:
        """Blue/green of every app that runs, all at the same time."""
        apps = self._cluster.cluster.apps.values()
        names = dict.fromkeys(app.name for app in apps if app.required)
        return list(await asyncio.gather(*(self._cluster.upgrade(name) for name in names)))
