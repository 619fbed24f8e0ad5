"""A vhost on hold keeps its backend's name, although another vhost that needs it is listed."""

from drove_gateway.acceptance.acceptance import Acceptance, AcceptanceReport
from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot, Topology
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.topology.namespace_build import parse_rules

LIMITS = GuardLimits(vhost=0.5, namespace=0.2, overall=0.2, exempt=2, hold=60.0)
RULES = [parse_rules("one", "", "", "env", "", Naming())]


def listed(vhost: str, group: str, first: int) -> AppEndpoints:
    hosts = tuple(Host("ex1.dc", first + number, "http") for number in range(10))
    return AppEndpoints(vhost, f"{vhost}-1", vhost, {"env": group}, hosts)


FIRST, LATER = listed("shop_eu", "api", 31000), listed("shop", "eu_api", 32000)


async def test_what_is_on_hold_keeps_its_name_and_is_served_when_it_is_listed_again() -> None:
    desired: list[Topology] = []
    reports: list[AcceptanceReport] = []
    acceptance = Acceptance(
        RULES,
        LIMITS,
        lambda topology, *_: desired.append(topology),
        clock=lambda: 0.0,
        publish=reports.append,
    )
    for apps, holds in (((FIRST,), 0), ((LATER,), 1), ((LATER,), 1), ((LATER, FIRST), 0)):
        accepted = await acceptance.take(Snapshot("one", Leader(), apps))
        assert list(desired[-1].apps) == ["shop_eu"]
        assert [app.app_id for app in accepted.snapshot.apps] == ["shop_eu-1"]
        assert len(reports[-1].held) == holds
    assert "as that of shop_eu, group api" in reports[-1].build.rejected[0].reason
