"""The Drove side as a whole, over real HTTP, against a simulated cluster."""

import asyncio
import contextlib
import functools
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec
import pytest
import structlog
from tests.drove.fakes import Counted

from drove_gateway.drove.client import Controller
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace, ping_limit
from drove_gateway.drove.session import Credentials, credentials, open_session
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.simulator import Fault, Options, Simulator

PACE = PollPace(ping=0.2, events=0.05, full_refresh=300.0, burst=0.05)
DEADLINE = 60.0
OPTIONS = Options(apps=3, instances=2, real=False, control_port=None)


@dataclass
class Witness:
    """Takes what the watch gives, and lets a test wait for it."""

    snapshots: list[Snapshot] = field(default_factory=list)
    views: list[NamespaceView] = field(default_factory=list)
    metrics: Counted = field(default_factory=Counted)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, snapshot: Snapshot) -> bool:
        self.snapshots.append(snapshot)
        self.changed.set()
        return True

    def publish(self, view: NamespaceView) -> None:
        self.views.append(view)
        self.changed.set()

    @property
    def view(self) -> NamespaceView:
        return self.views[-1] if self.views else NamespaceView("stage", ())

    @property
    def hosts(self) -> dict[str, int]:
        """How many hosts each app has."""
        apps = self.snapshots[-1].apps if self.snapshots else ()
        return {app.app_name: len(app.hosts) for app in apps}

    def lists(self, app: str) -> bool:
        return app in self.hosts

    @property
    def leader(self) -> str:
        return self.view.leader.endpoint if self.view.leader else ""

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def watching(
    urls: list[str], *, who: Credentials | None = None, api_timeout: float = 1.0
) -> AsyncIterator[Witness]:
    who = who or Credentials()
    witness = Witness()
    async with open_session(who) as session:
        controllers = [
            Controller(
                url,
                namespace="stage",
                session=session,
                credentials=who,
                api_timeout=api_timeout,
                ping_timeout=ping_limit(PACE.ping, api_timeout),
            )
            for url in urls
        ]
        watch = NamespaceWatch(
            "stage",
            controllers,
            pace=PACE,
            accept=witness.accept,
            publish=witness.publish,
            metrics=witness.metrics,
            log=EventLog(structlog.get_logger()),
        )
        with structlog.testing.capture_logs():
            task = asyncio.create_task(watch.run())
            try:
                yield witness
            finally:
                task.cancel()
                await asyncio.wait((task,))
        assert task.cancelled()


@contextlib.asynccontextmanager
async def watched(options: Options = OPTIONS) -> AsyncIterator[tuple[Simulator, Witness]]:
    """A cluster of three apps of two instances, followed and in sync."""
    async with Simulator(options) as sim, watching(sim.urls) as witness:
        await witness.until(lambda: witness.hosts == {"app1": 2, "app2": 2, "app3": 2})
        await witness.until(lambda: not witness.view.syncing)
        yield sim, witness


async def test_what_runs_is_known_and_only_the_leader_is_healthy() -> None:
    async with watched() as (sim, witness):
        assert witness.leader == sim.urls[0]
        assert [endpoint.healthy for endpoint in witness.view.endpoints] == [True, False, False]
        standby = "400 Bad Request: This node is not the leader controller"
        await witness.until(lambda: witness.view.endpoints[1].message == standby)
        assert witness.view.last_error == ""


async def test_deployments_scaling_and_removals_arrive() -> None:
    async with watched() as (sim, witness):
        await sim.deploy("new", instances=3)
        await witness.until(lambda: witness.hosts.get("new") == 3)
        await sim.scale("new", 1)
        await witness.until(lambda: witness.hosts.get("new") == 1)
        await sim.remove_app("new")
        await witness.until(lambda: "new" not in witness.hosts)


async def test_an_app_that_did_not_change_stays_the_same_object() -> None:
    async with watched() as (sim, witness):
        before = {app.app_name: app for app in witness.snapshots[-1].apps}
        await sim.scale("app2", 5)
        await witness.until(lambda: witness.hosts["app2"] == 5)
        after = {app.app_name: app for app in witness.snapshots[-1].apps}
        assert after["app1"] is before["app1"]
        assert after["app3"] is before["app3"]


async def test_a_moved_leadership_is_followed() -> None:
    async with watched() as (sim, witness):
        await sim.move_leadership(2)
        await sim.deploy("new")
        await witness.until(lambda: "new" in witness.hosts)
        assert witness.leader == sim.urls[2]
        assert witness.snapshots[-1].settling


async def test_a_leader_whose_clock_is_behind_is_followed() -> None:
    skewed = Options(apps=3, instances=2, real=False, control_port=None, clock_skews=(0.0, -600.0))
    async with watched(skewed) as (sim, witness):
        await sim.deploy("before")
        await witness.until(lambda: "before" in witness.hosts)
        await sim.move_leadership(1)
        for name in ("one", "two", "three"):
            await sim.deploy(name)
            await witness.until(functools.partial(witness.lists, name))


async def test_a_killed_leader_is_replaced_and_a_recovering_one_is_marked() -> None:
    async with watched(
        Options(apps=3, instances=2, real=False, control_port=None, recovering=0.5)
    ) as (sim, witness):
        seen = len(witness.snapshots)
        await sim.stop_controller(0)
        await witness.until(lambda: witness.leader == sim.urls[1])
        await witness.until(lambda: witness.hosts == {"app1": 2, "app2": 2, "app3": 2})
        assert all(snapshot.settling for snapshot in witness.snapshots[seen:])
        assert not witness.view.endpoints[0].healthy


async def test_without_any_leader_the_last_apps_stay_until_one_comes_back() -> None:
    async with watched() as (sim, witness):
        sim.drop_leadership()
        await witness.until(lambda: witness.view.message == "All endpoints are down")
        assert witness.view.leader is None
        assert witness.hosts == {"app1": 2, "app2": 2, "app3": 2}
        await sim.move_leadership(1)
        await witness.until(lambda: witness.leader == sim.urls[1])


async def test_with_all_controllers_stopped_the_last_apps_stay() -> None:
    async with watched() as (sim, witness):
        for number in (2, 1, 0):
            await sim.stop_controller(number, elect=False)
        await witness.until(lambda: witness.view.message == "All endpoints are down")
        await witness.until(lambda: "cannot be reached" in witness.view.last_error)
        assert witness.hosts == {"app1": 2, "app2": 2, "app3": 2}
        await sim.start_controller(1)
        await sim.deploy("new")
        await witness.until(lambda: "new" in witness.hosts)


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (Fault(kind="status", status=500), "500 Internal Server Error"),
        (Fault(kind="html", status=502), "502 Bad Gateway"),
        (Fault(kind="html", status=200), "not from a Drove controller"),
        (Fault(kind="failed"), "'FAILED': simulated failure"),
        (Fault(kind="wrong-types"), "no app in the response can be read"),
        (Fault(kind="garbage"), "not from a Drove controller"),
        (Fault(kind="truncated"), "truncated"),
        (Fault(kind="huge", size=40_000_000), "longer than|no response within"),
        (Fault(kind="cut"), "cut off"),
        (Fault(kind="reset"), "failed|closed|reset"),
        (Fault(kind="drip"), "no response within 1 s"),
        (Fault(kind="endless"), "longer than|no response within"),
        (Fault(kind="slow", delay=3.0), "no response within 1 s"),
        (Fault(kind="follower"), "400 Bad Request"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_bad_response_is_named_and_changes_nothing_until_it_is_over(
    fault: Fault, complaint: str
) -> None:
    async with watched() as (sim, witness):
        sim.fault(msgspec.structs.replace(fault, route="endpoints"))
        await sim.deploy("new")
        await witness.until(lambda: bool(re.search(complaint, witness.view.last_error)))
        assert witness.hosts == {"app1": 2, "app2": 2, "app3": 2}
        assert witness.view.syncing
        assert f"controller {sim.urls[0]}: GET /apis/v1/endpoints" in witness.view.last_error
        sim.clear_faults()
        await witness.until(lambda: witness.hosts.get("new") == 2)
        await witness.until(lambda: witness.view.last_error == "")


async def test_two_controllers_that_say_they_lead_do_not_make_it_waver() -> None:
    async with watched() as (sim, witness):
        sim.fault(Fault(kind="leads", controller=1, route="ping"))
        await witness.until(lambda: witness.view.message == "2 out of 3 endpoints are healthy")
        await sim.deploy("new")
        await witness.until(lambda: "new" in witness.hosts)
        assert {snapshot.leader.endpoint for snapshot in witness.snapshots} == {sim.urls[0]}


async def test_a_leader_whose_calls_fail_gives_way_to_another_that_leads() -> None:
    async with watched() as (sim, witness):
        await sim.move_leadership(1)
        sim.fault(Fault(kind="leads", controller=0, route="ping"))
        await sim.deploy("new")
        await witness.until(lambda: "new" in witness.hosts)
        assert witness.snapshots[-1].leader.endpoint == sim.urls[1]


async def test_an_executor_that_goes_without_an_instance_event_is_noticed() -> None:
    async with watched() as (sim, witness):
        executor = next(iter(sim.cluster.executors))
        listed = len({host for app in witness.snapshots[-1].apps for host in app.hosts})
        change = await sim.report_executor_lost(
            executor, deletion_delay=0.5, app_event_after=None, replace=False
        )
        assert change.removed
        await witness.until(lambda: sum(witness.hosts.values()) == listed - len(change.removed))


async def test_events_that_are_recorded_late_are_made_up_for() -> None:
    async with watched() as (sim, witness):
        await sim.scale("app1", 3)
        await witness.until(lambda: witness.hosts["app1"] == 3)
        sim.stale_events(100)
        await sim.scale("app1", 1)
        await witness.until(lambda: witness.hosts["app1"] == 1)


@pytest.mark.parametrize(
    ("options", "who"),
    [
        (
            Options(apps=1, real=False, user="guest", password="s3cret"),
            credentials(user="guest", password="s3cret", access_token=""),
        ),
        (
            Options(apps=1, real=False, token="O-Bearer t0ken"),
            credentials(user="", password="", access_token="O-Bearer t0ken"),
        ),
    ],
    ids=["basic", "token"],
)
async def test_a_cluster_with_authentication(options: Options, who: Credentials) -> None:
    async with Simulator(options) as sim:
        async with watching(sim.urls, who=who) as witness:
            await witness.until(lambda: witness.hosts == {"app1": 2})
        async with watching(sim.urls) as stranger:
            await stranger.until(lambda: "401 Unauthorized" in stranger.view.last_error)
            assert "check the namespace's `user` and `pass`" in stranger.view.last_error
            assert stranger.hosts == {}


async def test_idle_connections_that_the_controller_closes_are_not_errors() -> None:
    options = Options(apps=3, instances=2, real=False, control_port=None, idle_timeout=0.05)
    async with watched(options) as (sim, witness):
        for name in ("one", "two", "three"):
            await sim.deploy(name)
            await witness.until(functools.partial(witness.lists, name))
        assert not any(view.last_error for view in witness.views)
