"""What `status` makes of the API's document: what matters, within the terminal's width."""

import re
from datetime import UTC, datetime, timedelta

import click
import msgspec
import pytest

from drove_gateway.cli.status.text import age, is_complete, lines, one_line, what
from drove_gateway.cli.status.watch_mode import visible
from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import Rejection
from drove_gateway.status.document import (
    Attention,
    EndpointStatus,
    HeldStatus,
    HistoryEntry,
    NamespaceApps,
    NamespaceStatus,
    OldWorkersStatus,
    ProxyStatus,
    ReconcilerStatus,
    RejectedInput,
    SectionStatus,
    StatusDocument,
    StoredStateStatus,
    VhostFailure,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


STAGE = NamespaceStatus(
    name="stage",
    healthy=True,
    message="1 out of 2 endpoints are healthy",
    leader="http://c1.example:4000",
    endpoints=(
        EndpointStatus("http://c1.example:4000", healthy=True, message="OK"),
        EndpointStatus("http://c2.example:4000", message="stands by"),
    ),
    last_sync=ago(3),
    apps=NamespaceApps(with_routing_tag=2, without_routing_tag=5),
)
RELOAD = HistoryEntry(
    at=ago(90),
    seconds=0.42,
    reload_reasons=("vhost a.local added",),
    steps=(
        Step("add server", "b.local/s1", "wanted, and not there"),
        Step("reload", "HAProxy", "vhost a.local added"),
    ),
    stages={"check": 0.02},
)
WELL = StatusDocument(
    version="1.2.3",
    started=ago(7300),
    healthy=True,
    vhosts=7,
    servers=70,
    draining=2,
    reconciler=ReconcilerStatus("idle"),
    namespaces=(STAGE,),
    history=(RELOAD,),
)


def text(document: StatusDocument, width: int = 100) -> str:
    shown = lines(document, "http://127.0.0.1:6000", NOW, width)
    return click.unstyle("\n".join(shown))


def test_what_was_not_checked_yet_waits_and_is_not_bad() -> None:
    pending = SectionStatus(healthy=False, message="pending first check")
    starting = msgspec.structs.replace(WELL, proxy=ProxyStatus(config=pending))
    assert "configuration    …   waiting for the first apply" in text(starting)
    assert "BAD" not in text(starting)


def test_a_single_vhost_is_not_plural() -> None:
    small = msgspec.structs.replace(WELL, vhosts=1, servers=1, draining=None)
    assert "1 vhost with 1 server; idle" in text(small)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (90, "11:58:30Z, 90 s ago"),
        (7200, "10:00:00Z, 2 h 0 min ago"),
        (90000, "11-21 11:00Z, 25 h"),
    ],
)
def test_history_has_the_time_of_the_log(seconds: float, shown: str) -> None:
    entry = msgspec.structs.replace(RELOAD, at=ago(seconds))
    assert shown in text(msgspec.structs.replace(WELL, history=(entry,)))


@pytest.mark.parametrize("rows", [1, 2, 5, 23])
def test_what_does_not_fit_into_the_terminal_is_counted(rows: int) -> None:
    shown = visible([f"line {number}" for number in range(30)], rows)
    assert len(shown) == rows
    assert f"and {31 - rows} more lines" in click.unstyle(shown[-1])
    assert visible(["all"], rows) == ["all"]


def test_status_of_a_healthy_gateway_fits_one_screen() -> None:
    assert text(WELL).splitlines() == [
        "drove-gateway 1.2.3 at http://127.0.0.1:6000, up 2 h 1 min: healthy",
        "7 vhosts with 70 servers, 2 draining; idle",
        "",
        "NAMESPACE  LEADER                  LAST SYNC  APPS  STATE",
        "stage      http://c1.example:4000  3 s ago    7     ok",
        "",
        "HEALTH",
        "configuration    ok",
        "template         ok",
        "runtime API      ok",
        "name resolution  ok",
        "stored state     ok",
        "",
        "APPLIED              TOOK    WHAT, WHY, HOW LONG",
        f"11:58:30Z, 90 s ago  420 ms  {what(RELOAD)} (check 20 ms)",
    ]


def test_a_healthy_gateway_with_a_problem_says_so_and_for_how_long() -> None:
    problem = Attention("a.local is not up to date", "refused", "try", ago(90))
    shown = text(msgspec.structs.replace(WELL, problems=(problem,)))

    assert ": healthy, with 1 problem" in shown
    assert "a.local is not up to date (for 90 s): refused" in shown


def test_a_controller_that_no_longer_leads_is_not_shown_as_the_leader() -> None:
    lost = msgspec.structs.replace(STAGE, healthy=False, message="All endpoints are down")
    shown = text(msgspec.structs.replace(WELL, namespaces=(lost,)))

    assert re.search(r"^stage +- +3 s ago", shown, re.MULTILINE)


def test_unhealthy_section_is_shown_with_its_message() -> None:
    proxy = ProxyStatus(config=SectionStatus(healthy=False, message="line 3: unknown directive"))
    shown = text(msgspec.structs.replace(WELL, healthy=False, proxy=proxy))
    assert "up 2 h 1 min: NOT HEALTHY" in shown
    assert "configuration    BAD  line 3: unknown directive" in shown


def test_every_problem_is_shown_with_its_cause_and_what_helps() -> None:
    problems = tuple(
        Attention(f"problem {number}", "the cause", "a command") for number in range(12)
    )
    sick = msgspec.structs.replace(WELL, sentence="Much is wrong.", helps="once", problems=problems)
    shown = text(sick)
    assert "WHAT NEEDS ATTENTION\nproblem 0: the cause\n  What helps: a command\n" in shown
    assert "problem 9: the cause" in shown
    assert "and 2 more problems, see `drove-gateway status --json`" in shown
    assert "once" not in shown


def test_old_workers_are_shown_with_what_they_delay() -> None:
    few = OldWorkersStatus(1, 0, reload_interval_seconds=1.1)
    assert "1 old worker still finishes connections of before a reload" in shown_with(few)
    many = OldWorkersStatus(14, 140_000_000, reload_interval_seconds=23.2, delay_reloads=True)
    assert "14 old workers with 140 MB still finish" in shown_with(many)
    assert "reloads are 23 s apart until they end" in shown_with(many)


def shown_with(old: OldWorkersStatus) -> str:
    return " ".join(text(msgspec.structs.replace(WELL, old_workers=old)).split())


def test_a_namespace_without_a_leader_names_each_controller() -> None:
    lost = msgspec.structs.replace(
        STAGE,
        healthy=False,
        leader=None,
        message="All endpoints are down",
        endpoints=(EndpointStatus("http://c1.example:4000", message="refused"),),
    )
    shown = text(msgspec.structs.replace(WELL, namespaces=(lost,), healthy=False))
    assert "All endpoints are down; the last known apps stay" in shown
    assert "  http://c1.example:4000: refused" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"on_hold": True}, "a withdrawal is held"),
        ({"settling": True}, "the leader is new"),
        ({"syncing": True}, "fetching a change"),
        ({"last_error": "timed out"}, "timed out"),
        ({"last_sync": None}, "never"),
    ],
)
def test_namespace_shows_how_current_its_apps_are(change: dict[str, object], words: str) -> None:
    namespace = msgspec.structs.replace(STAGE, **change)
    assert words in text(msgspec.structs.replace(WELL, namespaces=(namespace,)))


def test_namespace_served_from_disk_is_marked() -> None:
    stored = StoredStateStatus(served_from_it={"stage": ago(3600)})
    shown = text(msgspec.structs.replace(WELL, stored_state=stored))
    assert "served from the stored state" in " ".join(shown.split())


def test_held_and_rejected_entries_are_shown_with_advice() -> None:
    held = HeldStatus("stage", "the answer is empty", 12, ("a.local", "b.local"), 41.4)
    bad = Rejection("stage", "web-1", "vhost", "*.x", "not a DNS name")
    shown = text(
        msgspec.structs.replace(
            WELL, held=(held,), held_vhosts=4, held_servers=30, rejected=RejectedInput(7, (bad,))
        )
    )
    assert "stage  12       41 s     a.local, b.local: the answer is empty" in shown
    assert "  and 3 more vhosts; 30 servers are held in all" in shown
    assert "`drove-gateway accept VHOST`" in " ".join(shown.split())
    assert "stage     web-1  vhost '*.x': not a DNS name" in shown
    assert "  and 6 more" in shown


def test_retry_shows_when_and_why() -> None:
    work = ReconcilerStatus("retrying", "no space left", 3, NOW + timedelta(seconds=4))
    shown = text(msgspec.structs.replace(WELL, reconciler=work))
    assert "retrying, next try in 4 s (no space left)" in shown


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 200])
def test_it_fits_any_terminal(width: int) -> None:
    held = HeldStatus(
        "stage", "half of the namespace's servers would leave at once " * 9, 12, ("a",), 41.4
    )
    shown = text(msgspec.structs.replace(WELL, held=(held,)), width)
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize(
    ("apply", "words"),
    [
        (HistoryEntry(NOW), "nothing differed"),
        (HistoryEntry(NOW, error="no route"), "failed: no route"),
        (
            HistoryEntry(NOW, steps=tuple(Step("add server", f"a/{n}", "new") for n in range(5))),
            "add server a/0, a/1, a/2, and 2 more",
        ),
        (
            HistoryEntry(NOW, reload_reasons=("start",), steps=(Step("keep", "nginx", "start"),)),
            "kept the running configuration: start",
        ),
        (
            HistoryEntry(NOW, failed=(VhostFailure("a", "no"), VhostFailure("b", "no"))),
            "not for a: no, and 1 more",
        ),
    ],
)
def test_change_is_described_in_a_sentence(apply: HistoryEntry, words: str) -> None:
    assert what(apply) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (119, "119 s"),
        (125, "2 min"),
        (7320, "2 h 2 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_ages_are_shown_in_the_units_that_matter(seconds: float, words: str) -> None:
    assert age(NOW, ago(seconds)) == words


def test_trigger_of_a_change_is_shown() -> None:
    woken = msgspec.structs.replace(RELOAD, triggers=("namespace stage", "/v1/reload"))
    shown = text(msgspec.structs.replace(WELL, history=(woken,)), width=150)
    assert "vhost a.local added [namespace stage, /v1/reload]" in shown


def test_summary_line_has_health_state_and_last_change() -> None:
    assert one_line(WELL, NOW) == (
        "healthy, idle; last applied 90 s ago: add server b.local/s1; reload: vhost a.local added"
    )


def test_document_of_another_version_is_shown() -> None:
    body = b'{"version": "9", "started": "2026-11-22T11:00:00Z", "healthy": true, "news": [1]}'
    assert "drove-gateway 9 at" in text(msgspec.json.decode(body, type=StatusDocument))


def test_a_fault_of_some_vhosts_is_not_complete() -> None:
    resolver = SectionStatus(healthy=False, message="no address: gone.invalid")
    proxy = msgspec.structs.replace(WELL.proxy, resolver=resolver)

    assert not is_complete(msgspec.structs.replace(WELL, proxy=proxy))
    assert is_complete(WELL)
