"""What the time line shows beside applies."""

import msgspec
from tests.admin.statuses import HELD, STAGE, serving

from drove_gateway.model.about import About
from drove_gateway.model.vocabulary import Announced, Leader
from drove_gateway.status.happenings import happenings
from drove_gateway.status.status import Status, with_namespace

STATUS = serving(Status(About("1.0"), 0.0, {}, "lb1"))


def texts(after: Status, before: Status = STATUS) -> list[str]:
    return [event.text for event in happenings(before, after, 5.0)]


def test_nothing_happens_when_nothing_changes() -> None:
    assert texts(STATUS) == []
    assert texts(with_namespace(STATUS, msgspec.structs.replace(STAGE, last_sync=2.0))) == []


def test_another_leader_is_named_with_the_leader_before() -> None:
    other = msgspec.structs.replace(STAGE, leader=Leader("http://c2:10000", "c2", 10000))
    nobody = msgspec.structs.replace(STAGE, leader=None)

    assert texts(with_namespace(STATUS, other)) == [
        "namespace stage: http://c2:10000 leads, before it http://c1:10000"
    ]
    assert texts(with_namespace(STATUS, nobody)) == [
        "namespace stage: no controller leads, before it http://c1:10000"
    ]


def test_a_hold_begins_and_ends_once() -> None:
    held = msgspec.structs.replace(STATUS, held=(HELD,))
    later = msgspec.structs.replace(STATUS, held=(msgspec.structs.replace(HELD, remaining=1.0),))

    assert texts(held) == ["12 servers of a.local on hold: the response is suddenly empty"]
    assert texts(later, held) == []
    assert texts(STATUS, later) == ["12 servers of a.local no longer on hold"]


def test_an_announcement_of_drove_is_shown_once() -> None:
    def announcing(announced: Announced) -> Status:
        part = STATUS.built.parts["stage"]
        snapshot = msgspec.structs.replace(part.snapshot, announced=announced)
        parts = {"stage": msgspec.structs.replace(part, snapshot=snapshot)}
        return msgspec.structs.replace(
            STATUS, built=msgspec.structs.replace(STATUS.built, parts=parts)
        )

    first = announcing(Announced(frozenset({("10.0.0.1", 80)}), {"a-1": "SCALING_REQUESTED"}))
    again = announcing(Announced(frozenset({("10.0.0.1", 80)}), {"a-1": "SCALING_REQUESTED"}))

    assert texts(first) == [
        "Drove announced app a-1 of namespace stage: SCALING_REQUESTED",
        "Drove announced 1 instance of namespace stage as leaving: 10.0.0.1:80",
    ]
    assert texts(again, first) == []


def test_a_flood_of_events_is_bounded() -> None:
    many = tuple(
        msgspec.structs.replace(HELD, vhosts=(f"v{number}.local",)) for number in range(1000)
    )

    assert len(texts(msgspec.structs.replace(STATUS, held=many))) == 20
