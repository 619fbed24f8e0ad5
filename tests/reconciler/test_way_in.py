"""What an apply's record says of the time before it: noticed, fetched and planned."""

import msgspec

from drove_gateway.model.noticed import NOT_MEASURED, Noticed, WayIn, way_in
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.records import ApplyRecord
from drove_gateway.reconciler.schedule import ApplyPace, Schedule

SCHEDULE = Schedule(ApplyPace(quiet=0.05, longest=0.5, between_reloads=1.0))


def test_fetching_lasts_from_the_notice_until_the_change_is_desired() -> None:
    assert way_in(Noticed(at=10.0, after=0.4), now=10.2) == WayIn(0.4, 10.2 - 10.0)
    assert way_in(None, now=10.2) == NOT_MEASURED


def test_of_several_changes_the_slowest_counts_stage_by_stage() -> None:
    schedule = SCHEDULE.desired("a", 10.0, WayIn(0.4, 0.01)).desired("b", 10.1, WayIn(None, 0.3))
    _, attempt = schedule.begun(10.15, reload=False)

    assert attempt.way_in == WayIn(0.4, 0.3)


def test_the_next_attempt_does_not_show_the_time_of_earlier_changes() -> None:
    begun, _ = SCHEDULE.desired("a", 10.0, WayIn(0.4, 0.01)).begun(10.0, reload=True)
    _, second = begun.woken("audit", 20.0).begun(20.0, reload=False)

    assert second.way_in == NOT_MEASURED


def test_a_record_has_its_stages_in_the_order_of_a_change_each_once() -> None:
    seconds = ((ApplyStage.SERVERS, 0.01), (ApplyStage.RELOAD, 0.2), (ApplyStage.SERVERS, 0.02))
    record = ApplyRecord(
        0.0, 1.0, ("a",), (), (), seconds=seconds, waited=0.0, noticed=0.4, fetched=0.1
    )

    assert record.stages == (
        ("noticed", 0.4),
        ("fetched", 0.1),
        ("planned", 0.0),
        ("servers", 0.03),
        ("reload", 0.2),
    )


def test_a_change_serves_at_the_end_of_its_apply() -> None:
    record = ApplyRecord(0.0, 1.0, (), (), (), waited=0.125, noticed=0.5, fetched=0.25)

    assert record.serving == 1.875
    for unknown in ({"noticed": None}, {"error": "refused"}, {"reload_waits": True}):
        assert msgspec.structs.replace(record, **unknown).serving is None


def test_what_was_not_measured_is_not_a_stage() -> None:
    assert ApplyRecord(0.0, 1.0, ("retry",), (), ()).stages == ()
