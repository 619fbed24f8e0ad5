"""The first sentence names the cause, and what helps."""

import msgspec
import pytest
from tests.admin.statuses import HELD, serving

from drove_gateway.model.about import About
from drove_gateway.model.health import FaultOfSome, HealthSection, ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.records import ApplyRecord, Progress, ReconcilerState
from drove_gateway.model.vocabulary import EMPTY
from drove_gateway.status.problems import problems
from drove_gateway.status.status import Status, with_progress, with_record
from drove_gateway.status.verdict import Verdict, verdict

FIRST = Status(About("1.0"), 0.0, {}, "lb1")
APPLIED = ApplyRecord(0.0, 0.1, (), (), ())


def leaderless(message: str) -> tuple[NamespaceView, ...]:
    denied = message.startswith("40")
    return (NamespaceView("stage", (EndpointView("http://c1", False, message, denied=denied),)),)


def running(**changes: object) -> Status:
    status = with_progress(with_record(serving(FIRST), APPLIED), Progress("idle"))
    return msgspec.structs.replace(status, **changes)


def test_when_all_is_well_nothing_needs_help() -> None:
    assert verdict(running()) == Verdict(
        "green", "All 2 vhosts served as Drove lists them.", proven=0.1
    )


@pytest.mark.parametrize(
    ("message", "helps"),
    [
        ("401 Unauthorized", "correct `user` and `pass`, or `access_token`"),
        ("403 Forbidden", "correct `user` and `pass`, or `access_token`"),
        ("connection refused", "check that the controllers run"),
    ],
)
@pytest.mark.parametrize("started", [True, False], ids=["running", "just started"])
def test_without_a_leader_the_controllers_words_say_what_helps(
    message: str, helps: str, started: bool
) -> None:
    status = running() if started else FIRST

    found = verdict(msgspec.structs.replace(status, namespaces=leaderless(message)))

    assert found.colour == "red"
    assert f"http://c1: {message}" in found.sentence
    assert found.helps.startswith(helps)


def test_of_several_controllers_the_first_is_quoted_and_the_others_are_counted() -> None:
    ends = tuple(EndpointView(f"http://c{number}", False, "401 No") for number in (1, 2, 3))
    views = (NamespaceView("fine", (EndpointView("http://d", True, "OK"),), last_error="503"),)

    found = verdict(running(namespaces=(*views, NamespaceView("stage", ends))))

    assert found.sentence == (
        "No controller leads in namespace stage; the last known apps stay served. "
        "http://c1: 401 No; and 2 more."
    )


def test_bad_certificates_are_a_problem_while_every_vhost_is_served() -> None:
    proxy = msgspec.structs.replace(
        running().proxy, certificates=HealthSection(healthy=False, message="web.pem: not base64")
    )
    status = running(proxy=proxy)

    assert verdict(status).colour == "green"
    assert [each.cause for each in problems(status) if "Certificates" in each.what] == [
        "web.pem: not base64"
    ]


def test_before_the_first_ping_nothing_is_called_wrong() -> None:
    unasked = NamespaceView("stage", (EndpointView("http://c1"),))

    found = verdict(msgspec.structs.replace(FIRST, namespaces=(unasked,)))

    assert (found.colour, found.helps) == ("grey", "")
    assert problems(msgspec.structs.replace(FIRST, namespaces=(unasked,))) == ()
    assert verdict(running(namespaces=(unasked,))).colour == "green"


@pytest.mark.parametrize(
    ("section", "what", "helps"),
    [
        ("template", "The template cannot be used: ", "correct the template"),
        ("config", "The configuration is refused: ", "drove-gateway check --diff"),
        ("upstream_updates", "The runtime API cannot be used: ", "check that the proxy runs"),
        ("resolver", "Names cannot be resolved: ", "check the machine's resolver"),
    ],
)
def test_a_part_that_fails_is_named_with_cause_and_help(
    section: str, what: str, helps: str
) -> None:
    status = running()
    broken = {section: HealthSection(healthy=False, message="line 7")}
    proxy = msgspec.structs.replace(status.proxy, **broken)

    found = verdict(msgspec.structs.replace(status, proxy=proxy))

    assert found.sentence == f"{what}line 7."
    assert found.helps.startswith(helps)


def test_servers_that_drain_past_their_deadline_are_a_problem_with_a_next_step() -> None:
    status = running()
    proxy = msgspec.structs.replace(status.proxy, overdue=("a.local/s1", "a.local/s2"))

    shown = problems(msgspec.structs.replace(status, proxy=proxy))
    (found,) = set(shown) - set(problems(status))

    assert found.what == "2 removed servers draining past the deadline"
    assert found.cause.startswith("a.local/s1, a.local/s2: not deleted yet")
    assert found.helps == "journalctl -u drove-gateway | grep 'cannot be deleted'"


def causes(status: Status) -> list[str]:
    """The problems beside what is rejected from the start."""
    return [each.what for each in problems(status) if each.key != "rejected"]


def test_the_fault_of_a_vhost_is_a_single_problem() -> None:
    """Not also of the configuration, the runtime API, and all changes."""
    fault = FaultOfSome(healthy=False, message="a.local: refused")
    record = msgspec.structs.replace(APPLIED, failed=(("a.local", "refused"),))
    proxy = ProxyHealth(config=fault, template=HealthSection(), upstream_updates=fault)
    status = with_record(running(proxy=proxy, progress=Progress("retrying", error="x")), record)

    assert causes(status) == ["a.local is not up to date"]


def test_a_name_that_cannot_be_resolved_is_named_beside_vhosts_that_fail() -> None:
    """The last known address serves, so that no vhost fails because of it."""
    stale = FaultOfSome(healthy=False, message="resolver fails, last known address serves: b")
    record = msgspec.structs.replace(APPLIED, failed=(("a.local", "refused"),))
    proxy = ProxyHealth(config=HealthSection(), template=HealthSection(), resolver=stale)

    assert causes(with_record(running(proxy=proxy), record)) == [
        "Names cannot be resolved",
        "a.local is not up to date",
    ]


def test_a_fault_of_everything_is_named_beside_those_of_vhosts() -> None:
    everything = HealthSection(healthy=False, message="no socket")
    record = msgspec.structs.replace(APPLIED, failed=(("a.local", "refused"),))
    proxy = ProxyHealth(
        config=HealthSection(), template=HealthSection(), upstream_updates=everything
    )

    assert causes(with_record(running(proxy=proxy), record)) == [
        "The runtime API cannot be used",
        "a.local is not up to date",
    ]


def behind(state: ReconcilerState) -> Status:
    """A status whose vhosts are desired, and not applied yet."""
    return running(applied=EMPTY, progress=Progress(state))


@pytest.mark.parametrize("state", ["applying", "collecting", "pacing", "held back"])
def test_a_change_on_its_way_is_amber(state: ReconcilerState) -> None:
    found = verdict(behind(state))

    assert found.colour == "amber"
    assert found.sentence == "2 of 2 vhosts not served as Drove lists them."
    assert found.next


def test_a_difference_that_nothing_is_done_about_is_red() -> None:
    assert verdict(behind("idle")).colour == "red"


def test_a_vhost_that_has_yet_to_leave_counts_as_well() -> None:
    status = running(built=FIRST.built, progress=Progress("applying"))

    assert verdict(status).sentence == "2 of 2 vhosts not served as Drove lists them."


def test_no_vhost_at_all_is_not_called_fine() -> None:
    found = verdict(running(built=FIRST.built, applied=EMPTY))

    assert (found.colour, found.sentence) == (
        "amber",
        "There is no vhost to serve: Drove lists none for this gateway.",
    )
    assert found.helps.startswith("drove-gateway check")


def test_the_name_of_a_problem_stays_while_its_numbers_change() -> None:
    first, second = (
        next(each for each in problems(running(proxy=ProxyHealth(overdue=overdue))) if each.name)
        for overdue in (("a/s1",), ("a/s1", "a/s2"))
    )

    assert first.what != second.what
    assert first.key == second.key


def test_a_hold_says_why_and_which_command_ends_it() -> None:
    found = verdict(running(held=(HELD,)))

    assert found.colour == "amber"
    assert f"because {HELD.reason}" in found.sentence
    assert found.helps.startswith(f"drove-gateway accept {HELD.vhosts[0]}, if ")


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ("template", "The template cannot be used"),
        ("config", "The configuration is refused"),
        ("upstream_updates", "The runtime API cannot be used"),
    ],
)
def test_an_error_that_a_section_says_is_named_once_with_what_helps_there(
    section: str, what: str
) -> None:
    cause = "the socket cannot be reached"
    bad = HealthSection(healthy=False, message=cause)
    proxy = msgspec.structs.replace(ProxyHealth(), **{section: bad})
    retrying = with_progress(running(proxy=proxy), Progress("retrying", error=cause))

    assert [each.what for each in problems(retrying) if each.cause == cause] == [what]
