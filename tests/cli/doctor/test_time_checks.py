"""What the doctor finds in clocks and certificates."""

from datetime import UTC, datetime, timedelta

from drove_gateway.cli.doctor.time_checks import clocks, expiring

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_clocks_within_three_seconds_are_equal_enough() -> None:
    assert clocks({"http://c1": 2.9, "http://c2": -2.9}).subjects == ()


def test_a_clock_that_differs_is_named_with_its_direction() -> None:
    finding = clocks({"http://c1": 5.0, "http://c2": -4.0, "http://c3": 0.1})

    assert finding.severity == "warning"
    assert finding.subjects == (
        "http://c1: 5 s ahead of this machine",
        "http://c2: 4 s behind this machine",
    )


def test_half_a_minute_is_serious_because_drove_drops_instances_at_a_minute() -> None:
    assert clocks({"http://c1": 31.0}).severity == "error"


def test_certificates_are_found_in_the_order_in_which_they_expire() -> None:
    ends = {"month": 29, "week": 6, "gone": -3, "fine": 31}
    urgent, soon = expiring(
        {name: NOW + timedelta(days=days, hours=1) for name, days in ends.items()}, NOW
    )

    assert urgent.severity == "error"
    assert urgent.subjects == ("gone: expired 3 days ago", "week: expires in 6 days")
    assert soon.severity == "warning"
    assert soon.subjects == ("month: expires in 29 days",)
