"""What becomes of the namespaces' answers: when they are applied, held, merged and remembered."""

from collections.abc import Collection
from typing import Any

import msgspec
import pytest
import structlog
from structlog.testing import CapturingLogger

from drove_gateway.acceptance.acceptance import (
    Acceptance,
    AcceptanceReport,
    Accepted,
    AcceptRequest,
)
from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.acceptance.missing import Address
from drove_gateway.daemon.acceptance_log import AcceptanceLog
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.noticed import Noticed
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Rejection,
    Snapshot,
    Topology,
)
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.namespace_build import NamespaceRules

LIMITS = GuardLimits(vhost=0.5, namespace=0.2, overall=0.2, exempt=2, hold=60.0)
LEADER = Leader("http://c1:4000", "c1", 4000)


def app(name: str, count: int, vhost: str = "") -> AppEndpoints:
    first = 31000 + 100 * len(name)
    hosts = tuple(Host(f"{name}.dc", first + number, "http") for number in range(count))
    return AppEndpoints(name, f"{name}-1", vhost or f"{name}.example.com", {}, hosts)


def answer(*apps: AppEndpoints, namespace: str = "one", **more: Any) -> Snapshot:
    return Snapshot(namespace, more.pop("leader", LEADER), apps, **more)


class Probes:
    """Results of probing: every wanted server lives, except those of `dead`."""

    def __init__(self) -> None:
        self.wanted: set[Address] = set()
        self.results: dict[Address, bool] = {}

    def want(self, addresses: Collection[Address]) -> None:
        self.wanted = set(addresses)

    def dead(self) -> dict[Address, bool]:
        return self.results


class Desk:
    """An acceptance for the named namespaces, with what it published and what was logged."""

    def __init__(self, *namespaces: str) -> None:
        self.now = 0.0
        self.probes = Probes()
        self.desired: list[tuple[Topology, str]] = []
        self.noticed: list[Noticed | None] = []
        self.published: list[tuple[TopologyBuild, tuple[HeldWithdrawal, ...]]] = []
        self.logged = CapturingLogger()
        self._log = AcceptanceLog(EventLog(structlog.wrap_logger(self.logged, processors=[])))
        self.acceptance = Acceptance(
            [NamespaceRules(name) for name in namespaces],
            LIMITS,
            self._desire,
            clock=lambda: self.now,
            publish=self._publish,
            probing=self.probes,
        )

    def _desire(self, topology: Topology, trigger: str, noticed: Noticed | None) -> None:
        self.desired.append((topology, trigger))
        self.noticed.append(noticed)

    def _publish(self, report: AcceptanceReport) -> None:
        self.published.append((report.build, report.held))
        self._log.published(report)

    @property
    def servers(self) -> list[dict[str, int]]:
        """Each desired topology, as servers by vhost."""
        return [
            {vhost: len(vhost_app.hosts) for vhost, vhost_app in topology.apps.items()}
            for topology, _ in self.desired
        ]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        return [call.kwargs for call in self.logged.calls if call.method_name == "warning"]


async def test_a_first_response_is_desired_at_once() -> None:
    desk = Desk("one")
    assert await desk.acceptance.take(answer(app("web", 2))) == Accepted(
        True, answer(app("web", 2))
    )
    assert desk.servers == [{"web.example.com": 2}]
    assert desk.desired[0][1] == "namespace one"


async def test_the_same_apps_again_are_not_desired_again() -> None:
    desk = Desk("one")
    apps = (app("web", 2),)
    await desk.acceptance.take(Snapshot("one", LEADER, apps))
    await desk.acceptance.take(Snapshot("one", LEADER, apps))
    assert len(desk.desired) == 1
    assert len(desk.published) == 2


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(answer(app("web", 3)), id="a server more"),
        pytest.param(answer(app("web", 2), leader=Leader("http://c2:1", "c2", 1)), id="leader"),
    ],
)
async def test_what_changed_is_desired(after: Snapshot) -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 2)))
    await desk.acceptance.take(after)
    assert len(desk.desired) == 2


async def test_a_change_is_desired_with_the_time_at_which_it_was_noticed() -> None:
    desk, noticed = Desk("one"), Noticed(at=10.0, after=0.4)
    change = msgspec.structs.replace(answer(app("web", 2)), noticed=noticed)
    await desk.acceptance.take(change)

    assert desk.noticed == [noticed]


async def test_nothing_is_desired_before_every_namespace_responded() -> None:
    desk = Desk("one", "two")
    await desk.acceptance.take(answer(app("web", 2)))
    assert desk.desired == []
    await desk.acceptance.take(answer(app("api", 1), namespace="two"))
    assert desk.servers == [{"web.example.com": 2, "api.example.com": 1}]


async def test_what_is_known_is_published_also_before_every_namespace_responded() -> None:
    desk = Desk("one", "two")
    await desk.acceptance.take(answer(app("web", 2)))
    [(built, _)] = desk.published
    assert list(built.topology.apps) == ["web.example.com"]


async def test_a_namespace_that_is_not_waited_for_is_served_when_it_responds() -> None:
    desk = Desk("one", "two")
    await desk.acceptance.take(answer(app("web", 2)))
    await desk.acceptance.stop_waiting("two", "waited long enough")
    assert desk.servers == [{"web.example.com": 2}]
    assert desk.desired[0][1] == "waited long enough"
    await desk.acceptance.take(answer(app("api", 1), namespace="two"))
    assert desk.servers[-1] == {"web.example.com": 2, "api.example.com": 1}


async def test_as_long_as_nothing_is_known_nothing_is_desired() -> None:
    desk = Desk("one")
    await desk.acceptance.stop_waiting("one", "waited long enough")
    assert desk.desired == []
    await desk.acceptance.take(answer(app("web", 1)))
    assert desk.servers == [{"web.example.com": 1}]


async def test_a_withdrawal_that_is_held_keeps_the_servers_and_is_asked_again() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    accepted = await desk.acceptance.take(answer())
    assert not accepted.complete
    assert accepted.snapshot.apps == (app("web", 10),)
    assert desk.servers[-1] == {"web.example.com": 10}
    _, [held] = desk.published[-1]
    assert (held.namespace, held.servers, held.remaining) == ("one", 10, 60)


async def test_additions_are_desired_while_a_withdrawal_is_held() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    await desk.acceptance.take(answer(app("api", 1)))
    assert desk.servers[-1] == {"web.example.com": 10, "api.example.com": 1}


async def test_a_held_withdrawal_is_logged_once_and_its_end_too() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    for desk.now in (1, 2, 3):
        await desk.acceptance.take(answer())
    assert [warning["servers"] for warning in desk.warnings] == [10]
    await desk.acceptance.take(answer(app("web", 10)))
    assert desk.logged.calls[-1].kwargs["event"] == LogEvent.HOLD_ENDED.label


async def test_a_withdrawal_that_lasts_is_believed() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    for desk.now in (10, 40):
        assert (await desk.acceptance.take(answer())).complete is False
    desk.now = 70
    assert (await desk.acceptance.take(answer())).complete is True
    assert desk.servers[-1] == {}


async def test_servers_on_hold_are_probed_and_leave_when_they_are_dead() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    await desk.acceptance.take(answer(app("web", 2)))
    assert len(desk.probes.wanted) == 8
    desk.probes.results = dict.fromkeys(desk.probes.wanted, True)
    await desk.acceptance.look_again()
    assert desk.servers[-1] == {"web.example.com": 2}
    assert desk.probes.wanted == set()


async def test_servers_behind_udp_are_not_probed() -> None:
    desk = Desk("one")
    hosts = (Host("10.0.0.1", 53, "udp"),)
    await desk.acceptance.take(answer(AppEndpoints("dns", "dns-1", "dns.example.com", {}, hosts)))
    await desk.acceptance.take(answer())
    assert desk.published[-1][1][0].servers == 1
    assert desk.probes.wanted == set()


async def test_what_is_held_can_be_accepted() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    await desk.acceptance.take(answer(app("api", 1)))
    [held] = await desk.acceptance.accept_held(AcceptRequest(caller="ops (10.0.0.9)"))
    assert held.servers == 10
    assert desk.servers[-1] == {"api.example.com": 1}
    assert desk.desired[-1][1] == "withdrawal accepted by ops (10.0.0.9): web.example.com"
    assert desk.published[-1][1] == ()
    assert await desk.acceptance.accept_held(AcceptRequest()) == ()


@pytest.mark.parametrize(
    ("names", "left"),
    [
        pytest.param(
            ("web.example.com",), {"api.example.com": 5, "mail.example.com": 5}, id="vhost"
        ),
        pytest.param(("one",), {"mail.example.com": 5}, id="namespace"),
        pytest.param(("nothing.example.com",), None, id="nothing of this name"),
    ],
)
async def test_accepting_names_leaves_the_rest_on_hold(
    names: tuple[str, ...], left: dict[str, int] | None
) -> None:
    desk = Desk("one", "two")
    whole = {"web.example.com": 5, "api.example.com": 5, "mail.example.com": 5}
    await desk.acceptance.take(answer(app("web", 5), app("api", 5)))
    await desk.acceptance.take(answer(app("mail", 5), namespace="two"))
    await desk.acceptance.take(answer())
    await desk.acceptance.take(answer(namespace="two"))
    await desk.acceptance.accept_held(AcceptRequest(names))
    assert desk.servers[-1] == (left or whole)


async def test_dry_run_changes_nothing() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 10)))
    await desk.acceptance.take(answer())
    [held] = await desk.acceptance.accept_held(AcceptRequest(dry_run=True))
    assert held.servers == 10
    assert desk.servers[-1] == {"web.example.com": 10}
    assert len(desk.published[-1][1]) == 1


async def test_adopted_servers_do_not_make_it_change_anything() -> None:
    desk = Desk("one")
    desk.acceptance.adopt(answer(app("web", 4)))
    await desk.acceptance.stop_waiting("one", "nobody responds")
    assert desk.desired == []


async def test_adopted_servers_stay_when_another_namespace_responds() -> None:
    desk = Desk("one", "two")
    desk.acceptance.adopt(answer(app("web", 4)))
    await desk.acceptance.stop_waiting("one", "nobody responds")
    await desk.acceptance.take(answer(app("api", 1), namespace="two"))
    assert desk.servers[-1] == {"web.example.com": 4, "api.example.com": 1}


async def test_rejected_entry_is_shown_while_its_last_good_form_is_served() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 5)))
    await desk.acceptance.take(answer(app("web", 5, vhost="*.example.com")))
    built, [held] = desk.published[-1]
    assert held.servers == 5
    assert [rejection.value for rejection in built.rejected] == ["*.example.com"]


async def test_a_restored_namespace_is_desired_when_it_is_not_waited_for() -> None:
    desk = Desk("one")
    desk.acceptance.restore(answer(app("web", 4)))
    assert desk.desired == []
    await desk.acceptance.stop_waiting("one", "nobody answers")
    assert desk.servers == [{"web.example.com": 4}]
    assert desk.desired[0][1] == "nobody answers"


async def test_a_response_that_equals_what_was_restored_is_desired_all_the_same() -> None:
    desk = Desk("one")
    restored = answer(app("web", 4))
    desk.acceptance.restore(restored)
    await desk.acceptance.take(restored)
    assert desk.servers == [{"web.example.com": 4}]


async def test_a_restored_state_is_guarded_like_any_other() -> None:
    desk = Desk("one")
    desk.acceptance.restore(answer(app("web", 4)))
    assert (await desk.acceptance.take(answer())).complete is False
    assert desk.servers[-1] == {"web.example.com": 4}


async def test_a_response_is_never_replaced_by_a_restored_one() -> None:
    desk = Desk("one")
    await desk.acceptance.take(answer(app("web", 1)))
    desk.acceptance.restore(answer(app("web", 4)))
    assert desk.servers == [{"web.example.com": 1}]


async def test_each_thing_left_out_is_logged_once_until_it_comes_back() -> None:
    desk = Desk("one")
    bad = app("web", 1, vhost="*.example.com")
    good = app("web", 1)
    for response in (bad, bad, good, bad):
        await desk.acceptance.take(answer(response))
    rejected = [warning for warning in desk.warnings if "value" in warning]
    assert [warning["value"] for warning in rejected] == ["*.example.com"] * 2
    assert rejected[0]["app"] == "web-1"


async def test_what_the_decoder_left_out_is_published_too() -> None:
    desk = Desk("one")
    left_out = Rejection("one", "web-1", "answer", "?", "not an app")
    await desk.acceptance.take(answer(app("api", 1), rejected=(left_out,)))
    assert desk.published[-1][0].rejected == (left_out,)
    assert desk.warnings[0]["reason"] == "not an app"
