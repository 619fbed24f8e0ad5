"""A shared bench, brought to the same known state before each test.

The known state: every controller runs and one leads, no fault is injected, exactly the apps of the
bench are deployed with their number of instances, all files are as configured, and the daemon is
healthy, idle and serves what is listed.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import msgspec
from tests.benches.processes import APPS, Bench
from tests.waiting import until

from drove_gateway.simulator.errors import SimulatorError

_SECONDS = 60.0
# What is on hold because of a bad response is over after the next good response. Accepted earlier,
# it would remove servers that are in use.
_HOLDS_END_SECONDS = 3.0


class Files(msgspec.Struct, frozen=True):
    """What a bench was configured with, by path. Each is restored when a test left it changed."""

    contents: Mapping[Path, str]

    @classmethod
    def of(cls, bench: Bench) -> "Files":
        """Read the files of a bench that was just started."""
        paths = (bench.daemon.config, bench.proxy.template, bench.wrapper)
        return cls({path: path.read_text() for path in paths})

    def changed(self) -> list[Path]:
        """Return the files that are missing or have other contents."""
        return [
            path
            for path, text in self.contents.items()
            if not path.exists() or path.read_text() != text
        ]

    def restore(self, path: Path) -> None:
        """Write the file as it was configured."""
        mode = 0o755 if path.name == "wrapper" else 0o644
        path.write_text(self.contents[path])
        path.chmod(mode)


async def restore(bench: Bench, files: Files) -> None:
    """Bring `bench` to the known state. Raise AssertionError that lists what is missing."""
    await _restore_cluster(bench)
    bench.interfere("")
    settings_changed = bench.daemon.config in files.changed()
    for path in files.changed():
        files.restore(path)
    await _restore_daemon(bench, restart=settings_changed)
    last: list[str] = []
    begin = time.monotonic()

    async def reached() -> bool:
        nonlocal last
        assert not proxy_has_ended(bench), "the proxy has ended"
        last = await _missing_in_gateway(bench)
        if time.monotonic() > begin + _HOLDS_END_SECONDS and (await bench.health()).get("Held"):
            # The cluster is as it should be, so whatever is still on hold was meant.
            await bench.accept()
        return not last

    await until(reached, _SECONDS, lambda: f"not in the known state: {'; '.join(last)}")
    await bench.serves(seconds=_SECONDS)


def proxy_has_ended(bench: Bench) -> bool:
    """Return whether the proxy's process is gone. Only a new bench has another."""
    try:
        stat = Path(f"/proc/{bench.proxy.pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def missing_in_cluster(bench: Bench) -> list[str]:
    """Return what separates the cluster from the known state, in words."""
    cluster = bench.cluster
    found = [
        f"controller {controller.number} is stopped"
        for controller in cluster.controllers
        if not controller.running
    ]
    if cluster.leader is None:
        found.append("no controller leads")
    if cluster.faults.active:
        found.append(f"faults are injected: {cluster.faults.active}")
    if cluster.cluster.maintenance:
        found.append("the cluster is in maintenance mode")
    if not cluster.cluster.recovery.done:
        found.append(f"the leader has not recovered: {cluster.cluster.recovery}")
    instances = {app.app_id: len(app.hosts()) for app in cluster.cluster.apps.values()}
    wanted = {bench.cluster.app(name).app_id: n for name, n in APPS.items() if _has(bench, name)}
    if instances != wanted or len(wanted) != len(APPS):
        found.append(f"the apps have these instances: {instances}")
    lifetimes = {app.wait_before_kill for app in cluster.cluster.apps.values()}
    if lifetimes != {cluster.options.wait_before_kill}:
        found.append(f"instances that leave live for {lifetimes} s")
    return found


async def _missing_in_gateway(bench: Bench) -> list[str]:
    """Return what separates the daemon from the known state."""
    found = missing_in_cluster(bench)
    if not bench.daemon.running:
        return [*found, f"the daemon has ended:\n{bench.daemon.tail()}"]
    health = await bench.health()
    if health.get("Held"):
        found.append(f"withdrawals are on hold: {health['Held']}")
    if health["status"] != 200:
        found.append(f"health is {health}")
    status = await bench.status()
    if status:
        errors = [
            namespace["last_error"] for namespace in status["namespaces"] if namespace["last_error"]
        ]
        found += [f"the last poll failed: {error}" for error in errors]
        if status["reconciler"]["state"] != "idle":
            found.append(f"the reconciler is {status['reconciler']['state']}")
    return found


async def _restore_cluster(bench: Bench) -> None:
    cluster = bench.cluster
    cluster.clear_faults()
    for controller in cluster.controllers:
        await cluster.start_controller(controller.number)
    if cluster.leader is None:
        await cluster.move_leadership(recovering=0.0)
    if cluster.cluster.maintenance:
        cluster.maintenance(False)
    await cluster.settled()
    if not cluster.cluster.recovery.done:
        cluster.recover("done")
    kept = {cluster.app(name).app_id for name in APPS if _has(bench, name)}
    for app_id in set(cluster.cluster.apps) - kept:
        await cluster.remove_app(app_id)
    for name, instances in APPS.items():
        if not _has(bench, name):
            # A version inherits from the last one, whatever a test made of that.
            lifetime = cluster.options.wait_before_kill
            await cluster.deploy(name, instances=instances, wait_before_kill=lifetime)
        elif len(cluster.app(name).hosts()) != instances:
            await cluster.scale(name, instances)
        cluster.app(name).wait_before_kill = cluster.options.wait_before_kill
    await cluster.settled()


async def _restore_daemon(bench: Bench, *, restart: bool) -> None:
    if bench.daemon.running and (restart or not bench.daemon.is_this_program):
        await bench.daemon.kill()
    if not bench.daemon.running:
        await bench.daemon.start()


def _has(bench: Bench, name: str) -> bool:
    return name in bench.app_names()


class SharedBench:
    """A bench for many tests. It is started at first use, and anew when it cannot be restored."""

    def __init__(self, start: Callable[[], AbstractAsyncContextManager[Bench]]) -> None:
        self.starts = 0
        self._start = start
        self._stack = AsyncExitStack()
        self._current: tuple[Bench, Files] | None = None

    async def in_known_state(self) -> Bench:
        """Return the bench in its known state."""
        if self._current is not None:
            try:
                await restore(*self._current)
            except (AssertionError, OSError, SimulatorError) as error:
                # The test before has failed or broken what only a new start repairs.
                print(f"The bench is started anew: {error}")
                await self.close()
        if self._current is None:
            bench = await self._stack.enter_async_context(self._start())
            self._current = bench, Files.of(bench)
            self.starts += 1
        return self._current[0]

    async def close(self) -> None:
        """Stop every process of the bench."""
        self._current = None
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()
