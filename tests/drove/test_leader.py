"""Who leads, in tables: what was, the answers to a round of pings, what is then."""

import pytest

from drove_gateway.drove.leader import (
    Leadership,
    Ping,
    Standing,
    follow,
    leader_of,
)
from drove_gateway.model.vocabulary import Leader

PINGS = {
    "L": Ping(Standing.LEADS),
    "s": Ping(Standing.STANDS_BY, "400 Bad Request"),
    "a": Ping(Standing.ABSENT, "cannot be reached", answered=False),
    "u": Ping(Standing.UNWELL, "no response within 2 s", answered=False),
}


def after(rounds: str, *, doubted: bool = False) -> str:
    """Who leads after each round, by place, and `-` for nobody."""
    now, leaders = Leadership(), ""
    for answers in rounds.split():
        now = follow(now, [PINGS[answer] for answer in answers], doubted=doubted)
        leaders += "-" if now.leader is None else str(now.leader)
    return leaders


@pytest.mark.parametrize(
    ("rounds", "leaders"),
    [
        ("Lss", "0"),
        ("ssL", "2"),
        ("sss", "-"),
        ("aaa", "-"),
        ("uuu", "-"),
        ("LLs", "0"),
        ("sLL", "1"),
        # The leadership moves.
        ("Lss sLs", "01"),
        ("Lss asL", "02"),
        ("Lss sss ssL", "0-2"),
        ("ssL Lss ssL", "202"),
        # Two say that they lead: the current one stays until it no longer does.
        ("sLs LLs Lss", "110"),
        ("Lss LLs LLs", "000"),
        # Slow is not deposed, as long as nobody else leads.
        ("Lss uss Lss", "000"),
        ("Lss uss uLs", "001"),
        ("Lss uss sss", "00-"),
        # Gone is gone.
        ("Lss ass", "0-"),
        ("Lss sss Lss", "0-0"),
    ],
)
def test_the_leader_after_each_round_of_pings(rounds: str, leaders: str) -> None:
    assert after(rounds) == leaders


@pytest.mark.parametrize(
    ("rounds", "leaders"),
    [("Lss Lss", "00"), ("Lss LLs", "01"), ("sLs LLs", "10"), ("Lss sss", "0-")],
)
def test_a_leader_whose_calls_fail_gives_way_to_another_that_leads(
    rounds: str, leaders: str
) -> None:
    assert after(rounds, doubted=True) == leaders


def test_each_leadership_is_a_term_of_its_own() -> None:
    first = follow(Leadership(), [PINGS["L"]])
    lost = follow(first, [PINGS["s"]])
    again = follow(lost, [PINGS["L"]])
    assert (first.term, lost.term, again.term) == (1, 1, 2)


def test_slowness_does_not_end_a_term() -> None:
    first = follow(Leadership(), [PINGS["L"]])
    assert follow(follow(first, [PINGS["u"]]), [PINGS["L"]]) == first


def test_the_leader_of_the_first_look_did_not_take_over() -> None:
    assert not follow(Leadership(), [PINGS["L"], PINGS["s"]]).took_over


@pytest.mark.parametrize("before", ["Ls", "ss", "aa"])
def test_a_leader_that_came_while_we_watched_took_over(before: str) -> None:
    first = follow(Leadership(), [PINGS[answer] for answer in before])
    assert follow(first, [PINGS["s"], PINGS["L"]]).took_over


@pytest.mark.parametrize(
    ("url", "leader"),
    [
        ("http://c1.dc:10000", Leader("http://c1.dc:10000", "c1.dc", 10000)),
        ("http://c1.dc", Leader("http://c1.dc", "c1.dc", 80)),
        ("https://c1.dc/", Leader("https://c1.dc/", "c1.dc", 443)),
        ("https://[2001:db8::1]:8443", Leader("https://[2001:db8::1]:8443", "2001:db8::1", 8443)),
        ("http://u:p@c1.dc:80/x", Leader("http://c1.dc:80/x", "c1.dc", 80)),
    ],
)
def test_the_leaders_host_and_port_are_split_from_its_url(url: str, leader: Leader) -> None:
    assert leader_of(url) == leader
