"""Which withdrawals are believed, which are held, and why."""

from dataclasses import dataclass

import msgspec
import pytest
from tests.acceptance.cluster import (
    LIMITS,
    Judge,
    addresses,
    app,
    response,
    without_hosts,
)

from drove_gateway.acceptance.verdict import NEW_LEADER_SECONDS
from drove_gateway.model.vocabulary import Announced, AppEndpoints, Host, Rejection

WEB, API = app("web", 10), app("api", 10)
WHOLE = response(WEB, API)


def test_complete_response_is_served_as_it_is() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(WEB, API, app("new", 1)))
    assert judge.served == {"api.local": 10, "new.local": 1, "web.local": 10}
    assert judge.held == {}


@pytest.mark.parametrize(
    "apps",
    [
        pytest.param((), id="an empty response"),
        pytest.param((without_hosts(WEB), without_hosts(API)), id="no hosts at all"),
        pytest.param((WEB,), id="an app is missing"),
        pytest.param((WEB, app("api", 4)), id="most servers of an app are missing"),
    ],
)
def test_living_servers_that_leave_without_a_reason_are_held(
    apps: tuple[AppEndpoints, ...],
) -> None:
    judge = Judge(WHOLE)
    judge.respond(response(*apps))
    assert judge.served == {"api.local": 10, "web.local": 10}


@dataclass
class Damage:
    """A way in which an entry becomes unusable."""

    name: str
    host: dict[str, object]
    entry: dict[str, object]


DAMAGES = [
    Damage("port 0", {"port": 0}, {}),
    Damage("a port that is too large", {"port": 70000}, {}),
    Damage("an unreadable host", {"host": "not a host!"}, {}),
    Damage("an unknown port type", {"port_type": "quic"}, {}),
    Damage("UDP", {"port_type": "udp"}, {}),
    Damage("TCP", {"port_type": "tcp"}, {}),
    Damage("an invalid vhost", {}, {"vhost": "bad vhost"}),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_entries_that_become_unusable_withdraw_nothing(damage: Damage) -> None:
    def spoiled(each: AppEndpoints) -> AppEndpoints:
        hosts = tuple(msgspec.structs.replace(host, **damage.host) for host in each.hosts)
        return msgspec.structs.replace(each, hosts=hosts, **damage.entry)

    judge = Judge(WHOLE)
    judge.respond(response(spoiled(WEB), spoiled(API)))
    assert judge.memory.served.topology == Judge(WHOLE).memory.served.topology


def test_invalid_routing_tag_withdraws_nothing() -> None:
    blue = app("web", 4, tags={"colour": "blue"})
    judge = Judge(response(blue), routing_tag="colour")
    judge.respond(response(app("web", 4, tags={"colour": "not a name"})))
    [served] = judge.memory.served.topology.apps.values()
    assert served.hosts == blue.hosts


def test_unreadable_entry_keeps_its_servers_however_few_they_are() -> None:
    judge = Judge(response(WEB, app("tiny", 1), API))
    rejected = (Rejection("stage", "web-1", "app", "web-1", "hosts is not a list"),)
    judge.respond(msgspec.structs.replace(response(app("tiny", 1), API), rejected=rejected))
    assert judge.served["web.local"] == 10


def test_doubled_entry_without_hosts_withdraws_nothing() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(WEB, API, without_hosts(WEB), without_hosts(API)))
    assert judge.served == {"api.local": 10, "web.local": 10}


def test_a_tenth_less_with_every_response_adds_up() -> None:
    whole = app("web", 200)
    judge = Judge(response(whole))
    for left in range(180, 0, -20):
        judge.respond(response(msgspec.structs.replace(whole, hosts=whole.hosts[:left])), after=1)
    assert judge.served["web.local"] >= 160


def test_small_loss_is_believed_at_once() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(WEB, app("api", 9)))
    assert judge.served == {"api.local": 9, "web.local": 10}
    assert judge.believed == {"it is a small loss"}


def test_last_server_of_a_vhost_is_never_a_small_loss() -> None:
    judge = Judge(response(WEB, API, app("tiny", 1)))
    judge.respond(WHOLE)
    assert judge.held == {"tiny.local": 1}


def test_announced_servers_leave_at_once() -> None:
    gone = WEB.hosts[2:]
    judge = Judge(WHOLE)
    announced = Announced(frozenset((host.host, host.port) for host in gone))
    judge.respond(response(app("web", 2), API, announced=announced))
    assert judge.served == {"api.local": 10, "web.local": 2}
    assert judge.believed == {"Drove announced it"}


def test_announced_servers_stay_while_the_response_hides_those_that_replace_them() -> None:
    judge = Judge(WHOLE)
    announced = Announced(frozenset(addresses(WEB)), arrivals=frozenset({"web"}))
    judge.respond(response(API, announced=announced))
    assert judge.served == {"api.local": 10, "web.local": 10}

    replaced = msgspec.structs.replace(WEB, hosts=(Host("10.9.9.9", 8000, "http"),))
    judge.respond(response(replaced, API, announced=announced))
    assert judge.served == {"api.local": 10, "web.local": 1}


def test_ending_app_stays_while_the_response_hides_its_next_version() -> None:
    judge = Judge(WHOLE)
    announced = Announced(apps={"web-1": "MONITORING"}, arrivals=frozenset({"web"}))
    judge.respond(response(API, announced=announced))
    assert judge.served == {"api.local": 10, "web.local": 10}


def test_announced_app_explains_all_its_servers() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(API, announced=Announced(apps={"web-1": "DESTROYED"})))
    assert judge.served == {"api.local": 10}


def test_app_that_is_being_scaled_explains_only_the_instances_that_are_announced() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(API, announced=Announced(apps={"web-1": "SCALING_REQUESTED"})))
    assert judge.held == {"web.local": 10}


def test_event_that_comes_after_the_response_ends_the_hold() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(API))
    assert judge.held == {"web.local": 10}
    judge.respond(response(API, announced=Announced(apps={"web-1": "DESTROYED"})))
    assert judge.served == {"api.local": 10}


def test_new_leader_explains_nothing() -> None:
    judge = Judge(WHOLE)
    everything = Announced(frozenset(addresses(WEB, API)), {"web-1": "X", "api-1": "X"})
    judge.respond(response(settling=True, announced=everything))
    assert judge.served == {"api.local": 10, "web.local": 10}


def test_dead_servers_leave_at_once() -> None:
    judge = Judge(WHOLE)
    judge.dead = addresses(WEB) - addresses(app("web", 2))
    judge.respond(response(app("web", 2), API))
    assert judge.served == {"api.local": 10, "web.local": 2}
    assert judge.believed == {"it accepts no connections"}


def test_dead_servers_leave_also_under_a_new_leader() -> None:
    judge = Judge(WHOLE)
    judge.dead = addresses(WEB)
    judge.respond(response(settling=True))
    assert judge.served == {"api.local": 10}


def test_server_stays_until_the_result_of_its_first_probe() -> None:
    judge = Judge(WHOLE)
    judge.dead, judge.probed = addresses(WEB), set()
    judge.respond(response(API))
    assert judge.held == {"web.local": 10}
    assert judge.reasons == {"web.local": "not known yet whether they accept connections"}
    judge.probed = addresses(WEB)
    judge.judge()
    assert judge.served == {"api.local": 10}


def test_without_probing_the_dead_are_held_as_well() -> None:
    judge = Judge(WHOLE, probing=False)
    judge.dead = addresses(WEB)
    judge.respond(response(API))
    assert judge.held == {"web.local": 10}


def test_server_behind_udp_is_not_probed() -> None:
    judge = Judge(response(app("dns", 3, kind="udp"), API))
    judge.dead = addresses(app("dns", 3))
    judge.respond(response(API))
    assert judge.held == {"dns.local": 3}


def test_server_whose_address_another_app_has_now_leaves_at_once() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(API))
    taken = AppEndpoints("new", "new-1", "new.local", {}, WEB.hosts[:3])
    judge.respond(response(API, taken))
    assert judge.served == {"api.local": 10, "new.local": 3, "web.local": 7}
    assert judge.believed == {"its address is now listed for app new-1"}


def test_address_in_an_app_that_is_not_served_counts_as_well() -> None:
    judge = Judge(WHOLE)
    unusable = AppEndpoints("new", "new-1", "no vhost!", {}, WEB.hosts)
    judge.respond(response(API, unusable))
    assert judge.served == {"api.local": 10}


def test_app_that_moves_to_another_vhost_leaves_its_old_one() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(msgspec.structs.replace(WEB, vhost="www.local"), API))
    assert judge.served == {"api.local": 10, "www.local": 10}


def test_app_whose_servers_are_held_serves_its_new_vhost_at_once() -> None:
    judge = Judge(WHOLE)
    for first, vhost in ((20, "www.local"), (40, "web.local"), (60, "new.local")):
        moved = app("web", 10, vhost=vhost, first=first)
        judge.respond(response(moved, API))
        assert set(moved.hosts) <= set(judge.memory.served.topology.apps[vhost].hosts)
    assert judge.held == {"web.local": 10, "www.local": 10}
    judge.dead = {(f"10.0.0.{n}", host.port) for n in range(60) for host in WEB.hosts}
    judge.respond(response(moved, API))
    assert judge.served == {"api.local": 10, "new.local": 10}


def test_replaced_servers_leave_at_once() -> None:
    """Held, those that ended would outnumber those that run."""
    judge = Judge(WHOLE)
    judge.respond(response(app("web", 10, first=100), API, settling=True))
    assert judge.held == {}
    assert judge.served == {"api.local": 10, "web.local": 10}


def test_twice_as_many_under_a_new_leader_are_not_kept() -> None:
    """As recorded: recovered and old instances at first, then half of them."""
    judge = Judge(response(WEB))
    judge.respond(response(without_hosts(WEB), settling=True))
    judge.respond(response(app("web", 20), settling=True))
    assert judge.served == {"web.local": 20}
    judge.respond(response(app("web", 10, first=11), settling=True))
    assert judge.served == {"web.local": 10}


def test_new_leader_takes_nothing_away_as_long_as_the_servers_live() -> None:
    judge = Judge(WHOLE)
    while judge.now < NEW_LEADER_SECONDS:
        judge.respond(response(WEB, settling=judge.now < 85))
        assert judge.served == {"api.local": 10, "web.local": 10}
    judge.respond(response(WEB))
    assert judge.served == {"web.local": 10}


def test_new_leader_takes_nothing_away_either_that_was_missing_before_it() -> None:
    """A leader that lists nothing is often restarted, and the next needs its time as well."""
    judge = Judge(WHOLE)
    judge.respond(response(without_hosts(WEB), without_hosts(API)))
    judge.respond(response(without_hosts(WEB), without_hosts(API)))
    while judge.now < 240:
        listed = response(without_hosts(WEB), without_hosts(API), settling=judge.now < 100)
        judge.respond(listed)
        assert judge.served == {"api.local": 10, "web.local": 10}
    judge.respond(WHOLE)
    assert judge.held == {}


def test_leaders_that_follow_each_other_take_nothing_away_before_the_last_has_settled() -> None:
    judge = Judge(WHOLE)
    while judge.now < 2 * NEW_LEADER_SECONDS:
        until = judge.now + 90
        judge.respond(msgspec.structs.replace(response(WEB), settling_until=until), after=40)
        assert judge.served == {"api.local": 10, "web.local": 10}
    judge.respond(response(WEB))
    assert judge.served == {"web.local": 10}


def test_loss_is_believed_after_the_hold_in_several_responses() -> None:
    judge = Judge(WHOLE)
    for _ in range(12):
        judge.respond(response(WEB))
        assert judge.held == {"api.local": 10}
    judge.respond(response(WEB))
    assert judge.served == {"web.local": 10}


def test_time_alone_is_not_enough() -> None:
    judge = Judge(WHOLE)
    for _ in range(5):
        judge.respond(response(), after=1)
    judge.now += NEW_LEADER_SECONDS
    judge.judge()
    assert judge.held == {"api.local": 10, "web.local": 10}
    assert "for all with the next response, or by" in judge.verdict.held[0].ends


def test_servers_that_come_back_start_their_time_anew() -> None:
    judge = Judge(WHOLE)
    for now, seen in enumerate((response(WEB), WHOLE, response(WEB), response(WEB))):
        judge.respond(seen, after=30 if now else 5)
    assert judge.held == {"api.local": 10}


def test_operator_accepts_a_vhost_and_no_other() -> None:
    judge = Judge(WHOLE)
    judge.respond(response())
    judge.judge(accepted=frozenset((("stage", "web.local"),)))
    assert judge.served == {"api.local": 10}


def test_first_response_after_a_start_may_not_take_living_servers() -> None:
    judge = Judge(WHOLE)
    judge.memory = msgspec.structs.replace(judge.memory, unproven=frozenset(("stage",)))
    judge.respond(response(WEB, app("api", 9)))
    assert judge.held == {"api.local": 1}
    judge.respond(WHOLE)
    judge.respond(response(WEB, app("api", 9)))
    assert judge.served == {"api.local": 9, "web.local": 10}


def test_vhost_of_two_namespaces_keeps_what_either_of_them_lists() -> None:
    other = app("other", 5, vhost="web.local")
    judge = Judge(response(WEB), response(other, namespace="prod"))
    judge.respond(response())
    assert judge.served == {"web.local": 15}
    judge.dead = addresses(WEB)
    judge.respond(response())
    assert judge.served == {"web.local": 5}


def test_held_app_keeps_its_tags_and_group() -> None:
    blue = app("web", 4, tags={"colour": "blue", "timeout": "5s"})
    judge = Judge(response(blue, API), routing_tag="colour")
    judge.respond(response(API))
    served = judge.memory.served.topology.apps["web.local"]
    assert served.tags == blue.tags
    assert set(served.groups) == {"blue"}


def test_what_is_on_hold_says_what_is_known_and_what_ends_it() -> None:
    judge = Judge(WHOLE)
    judge.respond(response(WEB))
    judge.respond(response(WEB))
    [held] = judge.verdict.held
    assert (held.namespace, held.vhosts, held.servers, held.alive) == (
        "stage",
        ("api.local",),
        10,
        10,
    )
    assert held.reason == "these are the last servers of the vhost"
    assert held.known == (
        "last seen listed 5 s ago, not announced, 10 servers of 10 accepted a connection"
    )
    assert held.ends.endswith("next response in 55 s, or by: drove-gateway accept api.local")


def test_other_tenants_servers_leave_while_a_withdrawal_is_held() -> None:
    judge = Judge(response(WEB), response(API, namespace="prod"))
    judge.respond(response(), response(app("api", 8), namespace="prod"))
    assert judge.held["web.local"] == 10
    judge.dead = {(host.host, host.port) for host in API.hosts[8:]}
    judge.judge()
    assert judge.served == {"api.local": 8, "web.local": 10}


def test_changing_port_types_between_http_and_https_is_a_change_and_no_loss() -> None:
    judge = Judge(response(WEB))
    secure = tuple(Host(host.host, host.port, "https") for host in WEB.hosts)
    judge.respond(response(msgspec.structs.replace(WEB, hosts=secure)))
    [served] = judge.memory.served.topology.apps.values()
    assert served.hosts == secure


def test_nothing_is_held_where_everything_is_allowed() -> None:
    generous = msgspec.structs.replace(LIMITS, exempt=1000)
    judge = Judge(WHOLE, limits=generous)
    judge.respond(response(app("web", 1), app("api", 1)))
    assert judge.held == {}
