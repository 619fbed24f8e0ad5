"""Which changes of a configuration need no reload of HAProxy 3.4."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.proxies.haproxy.backend_changes import HaproxyBackends
from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.shared_part import (
    RuntimeBackend,
    ServerLine,
    read_configuration,
)
from drove_gateway.proxies.runtime.backends import Situation
from drove_gateway.proxies.runtime.servers import Action, ObservedServer, WrittenServer

SHARED = """\
global
    description drove-gateway
defaults drove
    mode http
    default-server init-addr last,libc,none
defaults vhosts from drove
    balance roundrobin
    http-request set-header X-Proxy edge
frontend clients from drove
    bind :80
    use_backend %[req.hdr(host),lower]
backend drove:none from drove
    http-request return status 404
"""
WEB = """\
backend web.local from vhosts
    server s_a_80 10.0.0.1:80 check weight 2
    server s_b_80 10.0.0.2:80 ssl verify none
"""


def backends() -> HaproxyBackends:
    return HaproxyBackends(Options(), ConfigurationReader(Options().naming.is_ours))


class Difference(msgspec.Struct, frozen=True):
    """What came and went, or the first line that forces a reload."""

    added: tuple[RuntimeBackend, ...] = ()
    removed: tuple[str, ...] = ()
    reload: str = ""


def difference(before: str, after: str) -> Difference:
    reader = backends()
    if line := reader.first_line(before, after):
        return Difference(reload=line)
    old, new = read_configuration(before), read_configuration(after)
    found = reader.changes(before, after, Situation(dict.fromkeys(old.names, ())))
    added = [change.backend for change in found.changes if change.action is Action.ADD_BACKEND]
    return Difference(tuple(new.backends[name] for name in added), found.removed)


def test_a_new_backend_with_plain_servers_is_made_at_runtime() -> None:
    assert difference(SHARED, SHARED + WEB) == Difference(
        added=(
            RuntimeBackend(
                "web.local",
                "vhosts",
                (
                    ServerLine("s_a_80", "10.0.0.1:80", "check weight 2"),
                    ServerLine("s_b_80", "10.0.0.2:80", "ssl verify none"),
                ),
            ),
        )
    )


def test_a_backend_that_went_is_removed_at_runtime() -> None:
    assert difference(SHARED + WEB, SHARED) == Difference(removed=("web.local",))


@pytest.mark.parametrize(
    "other",
    [
        "# Written by another gateway\n" + SHARED + WEB,
        SHARED + "\n\n" + WEB,
        SHARED + WEB.replace("    server", "\tserver"),
        WEB + SHARED,
    ],
    ids=["comment", "blank lines", "indentation", "order of backends"],
)
def test_what_means_the_same_is_not_a_difference(other: str) -> None:
    assert difference(SHARED + WEB, other) == Difference()


def test_servers_of_a_backend_that_stays_are_left_to_the_engine() -> None:
    assert difference(SHARED + WEB, SHARED + WEB.replace("10.0.0.2", "10.0.0.9")) == (Difference())


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (
            SHARED.replace("bind :80", "bind :81") + WEB,
            "`bind :81` in `frontend clients from drove`",
        ),
        (SHARED + "backend web.local\n    server a 10.0.0.1:80\n", "`backend web.local`"),
        (
            SHARED + WEB + "    http-request deny\n",
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + "backend web.local from vhosts\n    server a 10.0.0.1:80 resolvers dns\n",
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + 'backend web.local from vhosts\n    server a 10.0.0.1:80 sni "str(a b)"\n',
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + "backend web.local from vhosts\n    server a 10.0.0.1:80 weight\n",
            "`backend web.local from vhosts`",
        ),
        (SHARED + "listen web.local\n    bind :99\n", "`listen web.local`"),
        (SHARED.replace("    mode http\n", ""), "`mode http` in `defaults drove` is gone"),
    ],
    ids=[
        "shared line",
        "no named defaults",
        "rule in the backend",
        "option that add server refuses",
        "quoted word",
        "option without its argument",
        "listen section",
        "shared line gone",
    ],
)
def test_anything_else_reloads_and_names_the_first_line(after: str, line: str) -> None:
    assert difference(SHARED, after).reload == line


def test_servers_that_would_inherit_options_need_the_file() -> None:
    """Dynamic servers do not inherit `default-server`."""
    checked = SHARED.replace("init-addr last,libc,none", "check inter 2s")

    assert difference(checked, checked + WEB).reload == "`backend web.local from vhosts`"


def test_a_backend_of_another_defaults_section_is_loaded() -> None:
    moved = WEB.replace("from vhosts", "from drove")

    assert "another defaults section" in difference(SHARED + WEB, SHARED + moved).reload


def test_a_name_that_is_listed_twice_is_not_made_at_runtime() -> None:
    assert difference(SHARED, SHARED + WEB + WEB).reload == "`backend web.local from vhosts`"


def test_conditional_blocks_are_left_to_haproxy() -> None:
    conditional = f"{SHARED}.if defined(X)\n{WEB}.endif\n"

    assert difference(SHARED, conditional).reload != ""
    assert difference(conditional, conditional) == Difference()


NAMES = st.sampled_from(["a.local", "b.local", "c.local", "d.local_blue"])


@given(st.sets(NAMES), st.sets(NAMES))
def test_carrying_a_difference_out_leads_to_the_new_configuration(
    before: set[str], after: set[str]
) -> None:
    def text(names: set[str]) -> str:
        return SHARED + "".join(WEB.replace("web.local", name) for name in sorted(names))

    found = difference(text(before), text(after))

    assert found.reload == ""
    reached = (before - set(found.removed)) | {backend.name for backend in found.added}
    assert reached == after
    assert {backend.name for backend in found.added}.isdisjoint(before)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert difference(text, text) == Difference()


LEADER = """\
backend drove.local from vhosts
    server leader 10.0.0.1:80
"""


def steps(before: str, after: str, there: Situation) -> list[tuple[str, str, str]]:
    found = backends().changes(before, after, there)
    assert not found.reload
    return [(change.action.value, change.backend, change.name) for change in found.changes]


def test_a_backend_gets_its_servers_before_it_is_published() -> None:
    after = SHARED + WEB.replace("s_", "server_")
    assert steps(SHARED, after, Situation({})) == [
        ("add backend", "web.local", ""),
        ("add server", "web.local", "server_a_80"),
        ("add server", "web.local", "server_b_80"),
        ("publish backend", "web.local", ""),
    ]


def test_the_server_of_a_leader_moves() -> None:
    after = LEADER.replace("10.0.0.1:80", "10.0.0.2:81")
    there = Situation({"drove.local": (ObservedServer("leader", "10.0.0.1", 80),)})
    (move,) = backends().changes(SHARED + LEADER, SHARED + after, there).changes
    assert (move.action, move.address, move.port) == (Action.MOVE, "10.0.0.2", 81)


def test_a_server_with_other_options_needs_a_reload() -> None:
    line = difference(SHARED + LEADER, SHARED + LEADER.replace(":80", ":80 weight 3")).reload
    assert "`server leader 10.0.0.1:80 weight 3` in `backend drove.local`" in line


def test_a_hidden_backend_that_the_text_has_is_published() -> None:
    there = Situation({"web.local": ()}, hidden=["web.local"])
    plain = SHARED + "backend web.local from vhosts\n"
    assert steps(plain, plain, there) == [("publish backend", "web.local", "")]


@pytest.mark.parametrize(
    ("unpublished", "removed"),
    [
        pytest.param(["b"], ("b",), id="left by an earlier run that was killed"),
        pytest.param([], (), id="an operator's, in another file: it may redirect or respond"),
    ],
)
def test_an_empty_backend_that_no_text_has_is_removed_only_if_no_request_reaches_it(
    unpublished: list[str], removed: tuple[str, ...]
) -> None:
    there = Situation({"b": ()}, unpublished=unpublished)
    assert backends().changes(SHARED, SHARED, there).removed == removed


@pytest.mark.parametrize(
    ("returning", "line"),
    [
        pytest.param(LEADER, "", id="as it was"),
        pytest.param(
            LEADER.replace("from vhosts", "from drove"), "another defaults section", id="defaults"
        ),
        pytest.param(LEADER.replace(":80", ":80 weight 3"), "other options", id="server"),
    ],
)
def test_a_backend_that_returns_in_another_form_while_it_drains_needs_a_reload(
    returning: str, line: str
) -> None:
    """Publishing it would serve it in the form that it had."""
    reader = backends()
    there = Situation(
        {"drove.local": (ObservedServer("leader", "10.0.0.1", 80, held="drain"),)},
        hidden=["drove.local"],
        own=reader.own_backends(SHARED + LEADER),
    )
    found = reader.changes(SHARED, SHARED + returning, there).reload
    assert line in found
    assert bool(found) == bool(line)


@pytest.mark.parametrize(
    ("leaving", "actions"),
    [
        pytest.param([("drove.local", "leader")], ["move server", "make server ready"], id="ours"),
        pytest.param([], ["move server"], id="an operator's"),
    ],
)
def test_a_server_that_returns_while_it_drains_is_made_ready_if_the_gateway_drains_it(
    leaving: list[tuple[str, str]], actions: list[str]
) -> None:
    """The backend stayed, as with a leader that is lost for a moment."""
    before = SHARED + "backend drove.local from vhosts\n"
    after = SHARED + LEADER.replace("10.0.0.1", "10.0.0.2")
    draining = ObservedServer("leader", "10.0.0.1", 80, held="drain")
    there = Situation({"drove.local": (draining,)}, leaving=leaving)
    assert [action for action, _, _ in steps(before, after, there)] == actions


@pytest.mark.parametrize(
    ("server", "removed"),
    [
        pytest.param(
            ObservedServer("server_a_80", held="drain"), True, id="left by an earlier run"
        ),
        pytest.param(ObservedServer("server_a_80"), False, id="still in use"),
        pytest.param(ObservedServer("x", held="drain", ours=False), False, id="of someone else"),
    ],
)
def test_a_backend_of_unknown_origin_is_removed_only_if_a_removal_had_begun(
    server: ObservedServer, removed: bool
) -> None:
    found = backends().changes(SHARED, SHARED, Situation({"b": (server,)}))
    assert found.removed == (("b",) if removed else ())


def test_a_leader_without_an_address_needs_a_reload() -> None:
    named = SHARED + LEADER.replace("10.0.0.1", "controller.example")
    reader = backends()
    assert reader.host_names(named, {}) == {"controller.example"}
    assert "no address" in reader.changes(SHARED, named, Situation({})).reload
    known = Situation({}, addresses={"controller.example": "10.0.0.9"})
    assert reader.changes(SHARED, named, known).reload == ""


def test_a_condition_within_a_section_leaves_other_sections_at_runtime() -> None:
    shared = SHARED.replace("    balance", "    .if version_atleast(3.4)\n    .endif\n    balance")
    assert difference(shared, shared + WEB).reload == ""


OWN = SHARED + WEB.replace("s_", "server_")


def test_servers_join_with_the_options_of_their_lines() -> None:
    """The settings of this reader have no options."""
    written = backends().servers(OWN, "web.local")
    assert written == {
        "server_a_80": WrittenServer("check weight 2", checked=True),
        "server_b_80": WrittenServer("ssl verify none", tls=True),
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(OWN.replace(" check weight 2", ""), id="lines as the settings have them"),
        pytest.param(OWN.replace("from vhosts", ""), id="a backend that only a reload brings"),
    ],
)
def test_servers_join_with_the_options_of_the_settings(text: str) -> None:
    assert backends().servers(text, "web.local") is None


@pytest.mark.parametrize(
    ("unwritten", "line", "waits"),
    [
        pytest.param(
            "server_a_80", "`server server_a_80 10.0.0.1:80 check weight 2`", False, id="other"
        ),
        pytest.param("server_b_80", "", False, id="as the settings have it"),
        pytest.param("server_c_80", "", True, id="not in the text"),
    ],
)
def test_a_server_that_was_added_before_its_line_was_known_may_need_a_reload(
    unwritten: str, line: str, waits: bool
) -> None:
    added = [("web.local", unwritten)]
    found_line, waiting = backends().unlike(OWN, added)
    assert found_line.startswith(line)
    assert bool(waiting) == waits
    found = backends().changes(OWN, OWN, Situation({"web.local": ()}, unwritten=added))
    assert bool(found.reload) == bool(line)
