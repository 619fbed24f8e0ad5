"""What a client of a vhost gets, and why, for each cause."""

import msgspec
import pytest
from tests.admin.statuses import HELD, serving

from drove_gateway.acceptance.held import HeldServer, summaries
from drove_gateway.model.about import About
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import EMPTY, AppEndpoints, Host, Leader, Snapshot
from drove_gateway.status.answer import Answer, answer
from drove_gateway.status.document_builder import status_document
from drove_gateway.status.explanation import LastReload, Reading, explanation
from drove_gateway.status.status import Status, with_built, with_progress, with_record
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import parse_rules

FIRST = Status(About("1.0"), 0.0, {}, "lb1")
HOST = Host("10.0.0.1", 8080, "http")
UP = ServerState("a.local", "s1", "10.0.0.1:8080", "UP", True, weight=1, sessions=3)
DOWN = ServerState("a.local", "s1", "10.0.0.1:8080", "DOWN (L4CON)", False)


def listed(*apps: AppEndpoints, realm: str = "") -> Status:
    """A gateway that has read these apps and applied nothing."""
    rules = [parse_rules("stage", realm, "", "", "drove.local")]
    return with_built(FIRST, build({"stage": Snapshot("stage", Leader(), apps)}, rules))


def app(*hosts: Host, vhost: str = "a.local") -> AppEndpoints:
    return AppEndpoints("a", "a-1", vhost, {}, hosts)


def said(status: Status, vhost: str = "a.local") -> Answer:
    return answer(status, vhost, None)


def test_a_served_vhost_needs_nothing() -> None:
    assert said(serving(FIRST)) == Answer("It is served.", True)
    assert answer(serving(FIRST), "a.local", (UP, DOWN)).served


def test_a_vhost_whose_every_server_is_down_is_503_in_the_proxys_words() -> None:
    found = answer(serving(FIRST), "a.local", (DOWN,))

    assert not found.served
    assert found.sentence == ("This is 503 because no server is up: 10.0.0.1:8080 is DOWN (L4CON).")
    assert "health checks" in found.helps


def test_a_vhost_without_a_server_in_the_proxy_is_503() -> None:
    assert "the proxy has no server of it" in answer(serving(FIRST), "a.local", ()).sentence


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (listed(), "no controller lists an app with this vhost"),
        (listed(app()), "app a-1 of namespace stage has no healthy instance"),
        (listed(app(HOST), realm="b.local"), "neither in realm nor ends in realm_suffix"),
        (
            msgspec.structs.replace(FIRST, namespaces=(NamespaceView("stage", ()),)),
            "no controller of stage has responded yet",
        ),
    ],
    ids=["not listed", "no instance", "realm", "no response"],
)
def test_an_unserved_vhost_is_404_with_the_cause_and_what_helps(status: Status, cause: str) -> None:
    found = said(status)

    assert found.sentence.startswith("This is 404 because ")
    assert cause in found.sentence
    assert found.helps
    assert not found.served


def test_an_invalid_vhost_is_404_because_it_is_rejected() -> None:
    found = said(listed(app(HOST, vhost="a;local")), "a;local")

    assert "is rejected: vhost 'a;local'" in found.sentence
    assert found.helps == "correct the app on Drove"


def test_a_vhost_that_is_not_applied_yet_is_404_until_then() -> None:
    assert said(listed(app(HOST))).sentence == "This is 404 until the change is applied."


def test_a_change_that_fails_is_named_as_the_cause() -> None:
    status = with_progress(listed(app(HOST)), Progress("retrying", error="line 3 is refused"))

    assert said(status).sentence == (
        "This is 404 because its change cannot be applied: line 3 is refused"
    )


def test_a_refused_vhost_names_the_proxys_reason_whether_served_or_not() -> None:
    record = ApplyRecord(0.0, 0.1, (), (), (), failed=(("a.local", "line 3: unknown keyword"),))
    old = serving(FIRST)
    new = with_record(listed(app(HOST)), record)

    assert "unknown keyword" in said(new).sentence
    kept = said(msgspec.structs.replace(old, history=(record,)))
    assert kept.served
    assert "as it was before; the change is refused: line 3: unknown keyword" in kept.sentence


def test_a_vhost_with_tcp_alone_is_404() -> None:
    built = listed(app(Host("10.0.0.1", 25, "tcp")))
    status = msgspec.structs.replace(built, applied=built.built.topology)

    assert "only tcp or udp" in said(status).sentence


def test_a_vhost_whose_last_server_left_is_503() -> None:
    status = serving(FIRST)
    empty = msgspec.structs.replace(status.applied.apps["a.local"], hosts=())
    applied = msgspec.structs.replace(status.applied, apps=VersionedMap({"a.local": empty}))
    gone = msgspec.structs.replace(with_built(status, build({}, [])), applied=applied)

    assert said(gone).sentence == "This is 503 because it has no server left."


def test_the_leaders_vhost_says_who_leads() -> None:
    assert "http://c1:10000" in said(serving(FIRST), "drove.local").sentence
    assert "no controller of namespace stage leads" in said(listed(), "drove.local").sentence


def test_a_hold_is_named_with_the_command_that_ends_it() -> None:
    found = said(msgspec.structs.replace(serving(FIRST), held=(HELD,)))

    assert found.served
    assert found.helps.startswith("drove-gateway accept a.local, if ")


def test_a_server_is_wanted_applied_held_and_present() -> None:
    status = msgspec.structs.replace(
        serving(FIRST),
        held=(msgspec.structs.replace(HELD, addresses=("10.0.0.1:8080",)),),
    )
    leaving = ServerState("a.local", "s0", "10.0.0.9:80", "DRAIN", False)

    rows = explanation(status, "a.local", Reading((UP, leaving))).servers

    assert [(row.address, row.wanted, row.applied, row.held) for row in rows] == [
        ("10.0.0.1:8080", False, True, True),
        ("10.0.0.9:80", False, False, False),
    ]
    assert rows[0].present == (UP,)
    assert explanation(status, "a.local").unread


def test_every_server_on_hold_is_marked_however_many_there_are() -> None:
    hosts = tuple(Host(f"10.0.0.{number}", 8080, "http") for number in range(1, 41))
    status = listed(app(*hosts))
    servers = [HeldServer("stage", "a.local", host, "alive", True, 5.0, 55.0) for host in hosts]
    held = msgspec.structs.replace(status, held=summaries(servers))

    rows = explanation(held, "a.local").servers

    assert [row.held for row in rows] == [True] * 40
    assert len(status_document(held).held[0].addresses) == 10


def test_a_server_of_a_named_host_is_found_by_what_drove_lists() -> None:
    built = listed(app(Host("node7", 8080, "http")))
    status = msgspec.structs.replace(built, applied=built.built.topology)
    state = msgspec.structs.replace(UP, listed="node7:8080")

    (row,) = explanation(status, "a.local", Reading((state,))).servers

    assert (row.address, row.present) == ("node7:8080", (state,))


def reloaded(at: float, *reasons: str) -> ApplyRecord:
    return ApplyRecord(at, 0.5, (), reasons, (), reloaded=True)


def test_the_last_reload_of_a_vhost_names_the_first_line_that_forced_it() -> None:
    line = "`use_backend b.local` in `frontend http`"
    status = with_record(FIRST, reloaded(1.0, "vhost a.local added", "an older line"))
    status = with_record(
        status, reloaded(2.0, "vhost a.local removed", "vhost b.local added", line)
    )
    status = with_record(status, reloaded(3.0, "vhost ba.local added", "`another line`"))

    found = explanation(status, "a.local").last_reload

    assert found == LastReload(2.5, ("vhost a.local removed", line))


def test_reloads_and_changes_of_earlier_runs_are_found_as_well() -> None:
    past = (reloaded(2.0, "vhost b.local added"), reloaded(1.0, "vhost a.local added"))
    status = with_record(FIRST, reloaded(3.0, "vhost c.local added"))

    found = explanation(status, "a.local", past=past)

    assert found.last_reload == LastReload(1.5, ("vhost a.local added",))
    assert [record.at for record in found.changes] == [1.0]


def test_the_last_reload_of_a_leader_vhost_is_that_of_its_leader() -> None:
    status = with_record(listed(), reloaded(1.0, "leader of namespace stage moved"))

    assert explanation(status, "drove.local").last_reload == LastReload(
        1.5, ("leader of namespace stage moved",)
    )
    assert explanation(status, "a.local").last_reload is None


def test_nothing_is_known_at_all_and_nothing_breaks() -> None:
    assert not said(FIRST).served
    assert explanation(FIRST, "").servers == ()
    assert FIRST.applied is EMPTY


def test_a_start_without_a_leader_leaves_what_the_proxy_serves() -> None:
    """Nothing is applied, and what the proxy serves is taken for the desired state."""
    alone = NamespaceView("stage", (EndpointView("http://c1", False, "401 Unauthorized"),))
    status = msgspec.structs.replace(listed(app(HOST)), namespaces=(alone,))

    assert answer(status, "a.local", (UP,)) == Answer(
        "It is served as before; its change is not applied yet.", True
    )
    assert said(status).sentence == (
        "It is served as the proxy's file has it; nothing has been applied yet."
    )
