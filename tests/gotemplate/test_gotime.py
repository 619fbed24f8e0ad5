"""Go's time: every expected text was printed by Go 1.26."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.gotemplate.go.format import sprintf, text
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.gotemplate.go.time_units import Duration, Month, Weekday

SECOND = 1_000_000_000
IST = timezone(timedelta(hours=5, minutes=30), "IST")
# 2026-11-22 18:27:34.920249 +0530 IST
MOMENT = 1_795_352_254_920_249_000
EARLY = 1_141_549_509_000_000_007  # 2006-03-05 09:05:09.000000007 UTC

LAYOUTS: list[tuple[str, str, str]] = [
    # layout, MOMENT in IST, EARLY in UTC
    ("2006-01-02 15:04:05", "2026-11-22 18:27:34", "2006-03-05 09:05:09"),
    ("06 1 2 3 4 5", "26 11 22 6 27 34", "06 3 5 9 5 9"),
    ("Jan January Mon Monday", "Nov November Sun Sunday", "Mar March Sun Sunday"),
    ("Janus Month MSTx", "Janus Month ISTx", "Janus Month UTCx"),
    ("_2 02 __2 002", "22 22 326 326", " 5 05  64 064"),
    ("_2006 __2006", "_2026 326026", "_2006  64006"),
    ("03 PM pm", "06 PM pm", "09 AM am"),
    ("3:04PM", "6:27PM", "9:05AM"),
    (".0 .000 .000000000", ".9 .920 .920249000", ".0 .000 .000000007"),
    (".9 .999 .999999999", ".9 .92 .920249", "  .000000007"),
    (",000 ,999999", ",920 ,920249", ",000 "),
    (".0005 .00x .", ".0034 .92x .", ".0009 .00x ."),
    (".000000000000", ".920249000", ".000000007"),
    ("-07 -0700 -07:00", "+05 +0530 +05:30", "+00 +0000 +00:00"),
    ("-070000 -07:00:00", "+053000 +05:30:00", "+000000 +00:00:00"),
    ("Z07 Z0700 Z07:00", "+05 +0530 +05:30", "Z Z Z"),
    ("Z070000 Z07:00:00", "+053000 +05:30:00", "Z Z"),
    ("MST", "IST", "UTC"),
    ("2006-01-02T15:04:05Z07:00", "2026-11-22T18:27:34+05:30", "2006-03-05T09:05:09Z"),
    (
        "2006-01-02T15:04:05.999999999Z07:00",
        "2026-11-22T18:27:34.920249+05:30",
        "2006-03-05T09:05:09.000000007Z",
    ),
    ("01/02 03:04:05PM '06 -0700", "11/22 06:27:34PM '26 +0530", "03/05 09:05:09AM '06 +0000"),
    (
        "Mon Jan _2 15:04:05 MST 2006",
        "Sun Nov 22 18:27:34 IST 2026",
        "Sun Mar  5 09:05:09 UTC 2006",
    ),
    (
        "Monday, 02-Jan-06 15:04:05 MST",
        "Sunday, 22-Nov-26 18:27:34 IST",
        "Sunday, 05-Mar-06 09:05:09 UTC",
    ),
    ("Jan _2 15:04:05.000000", "Nov 22 18:27:34.920249", "Mar  5 09:05:09.000000"),
    ("20060102150405", "20261122182734", "20060305090509"),
    ("year: 2006é\udcff 2", "year: 2026é\udcff 22", "year: 2006é\udcff 5"),
    ("", "", ""),
]

DURATIONS: list[tuple[int, str]] = [
    (0, "0s"),
    (1, "1ns"),
    (1_100, "1.1µs"),
    (2_200_000, "2.2ms"),
    (-999_999_999, "-999.999999ms"),
    (SECOND, "1s"),
    (90 * SECOND, "1m30s"),
    (3600 * SECOND, "1h0m0s"),
    (5 * 3600 * SECOND + 61 * SECOND + 1_000_000, "5h1m1.001s"),
    (2**63 - 1, "2562047h47m16.854775807s"),
    (-(2**63), "-2562047h47m16.854775808s"),
]


def moment(*, monotonic: int | None = None) -> GoTime:
    return GoTime(MOMENT, IST, monotonic=monotonic)


@pytest.mark.parametrize(("layout", "want", "want_early"), LAYOUTS)
def test_a_layout_shows_how_a_time_is_written(layout: str, want: str, want_early: str) -> None:
    assert moment().Format(layout) == want
    assert GoTime(EARLY, UTC).Format(layout) == want_early


def test_a_time_prints_with_its_monotonic_reading() -> None:
    printed = "2026-11-22 18:27:34.920249 +0530 IST"
    assert text(moment()) == printed
    assert text(moment(monotonic=21_157_671_355)) == f"{printed} m=+21.157671355"
    assert text(moment(monotonic=-1)) == f"{printed} m=-0.000000001"
    assert sprintf("%s|%q", [moment(), moment()]) == f'{printed}|"{printed}"'


def test_utc_and_local_drop_the_monotonic_reading() -> None:
    there_and_back = moment(monotonic=1).UTC().Local()
    assert moment(monotonic=1).UTC().String() == "2026-11-22 12:57:34.920249 +0000 UTC"
    assert there_and_back.String() == "2026-11-22 18:27:34.920249 +0530 IST"


def test_the_fields_of_a_time() -> None:
    now = moment()
    assert (now.Year(), now.Day(), now.Hour(), now.Minute()) == (2026, 22, 18, 27)
    assert (now.Second(), now.Nanosecond(), now.YearDay()) == (34, 920_249_000, 326)
    assert (now.Unix(), now.UnixMilli()) == (1_795_352_254, 1_795_352_254_920)
    assert (now.UnixMicro(), now.UnixNano()) == (1_795_352_254_920_249, MOMENT)
    assert now.Location().String() == "Local"
    assert now.UTC().Location().String() == "UTC"


def test_months_and_weekdays_print_as_names_and_count_as_numbers() -> None:
    values = [moment().Month(), moment().Month(), moment().Weekday(), moment().Weekday()]
    assert sprintf("%v %d %s %d", values) == "November 11 Sunday 0"
    assert sprintf("%v %v", [Month(13), Weekday(9)]) == "%!Month(13) %!Weekday(9)"


@pytest.mark.parametrize(("nanoseconds", "want"), DURATIONS)
def test_a_duration_prints_in_hours_minutes_and_seconds(nanoseconds: int, want: str) -> None:
    assert text(Duration(nanoseconds)) == want


def test_a_duration_in_other_units() -> None:
    length = Duration(-5_400_500_000_000)
    assert (length.Hours(), length.Minutes()) == (-1.500138888888889, -90.00833333333334)
    assert (length.Seconds(), length.Milliseconds()) == (-5400.5, -5_400_500)
    assert (length.Microseconds(), length.Nanoseconds()) == (-5_400_500_000, -5_400_500_000_000)
    assert length.Abs().String() == "1h30m0.5s"
    assert length.Truncate(Duration(60 * SECOND)).String() == "-1h30m0s"
    assert length.Round(Duration(SECOND)).String() == "-1h30m1s"
    assert length.Round(Duration(0)).String() == length.Truncate(Duration(0)).String()


def test_differences_use_the_monotonic_clock_when_both_times_have_one() -> None:
    first, second = moment(monotonic=5), GoTime(0, IST, monotonic=7)
    assert second.Sub(first) == 2
    assert first.Before(second)
    assert second.After(first)
    assert not first.Equal(second)
    assert moment().After(second)
    assert (first.Compare(second), second.Compare(first), first.Compare(first)) == (-1, 1, 0)


def test_add_moves_both_clocks() -> None:
    later = moment(monotonic=SECOND).Add(Duration(90 * SECOND))
    assert later.String() == "2026-11-22 18:29:04.920249 +0530 IST m=+91.000000000"


def test_dates_run_over_into_the_next_month() -> None:
    last_of_october = GoTime(1_761_868_800 * SECOND, UTC)
    assert last_of_october.Format("2006-01-02") == "2025-10-31"
    assert last_of_october.AddDate(0, 1, 0).Format("2006-01-02") == "2025-12-01"
    assert last_of_october.AddDate(-1, -8, -2).Format("2006-01-02") == "2024-02-29"


def test_round_and_truncate_count_from_the_year_one() -> None:
    hour = Duration(3600 * SECOND)
    assert moment().UTC().Truncate(hour).Format("15:04:05.000") == "12:00:00.000"
    assert moment().UTC().Round(hour).Format("15:04:05.000") == "13:00:00.000"
    assert moment(monotonic=1).Truncate(Duration(0)).String() == moment().String()


def test_the_zero_time() -> None:
    zero = GoTime(-62_135_596_800 * SECOND, UTC)
    assert zero.IsZero()
    assert zero.String() == "0001-01-01 00:00:00 +0000 UTC"
    assert not moment().IsZero()


def test_a_zone_changes_its_offset_over_the_year() -> None:
    winter = GoTime(1_700_000_000 * SECOND, ZoneInfo("Europe/Berlin"))
    assert winter.Format("15:04 -0700 MST") == "23:13 +0100 CET"
    assert not winter.IsDST()
    summer = winter.AddDate(0, -4, 0)
    assert summer.Format("15:04 -0700 MST") == "23:13 +0200 CEST"
    assert summer.IsDST()


def test_a_zone_without_a_name_prints_its_offset() -> None:
    unnamed = GoTime(0, timezone(timedelta(hours=-3, minutes=-30)))
    assert unnamed.Format("MST") == "-0330"


def test_go_syntax_names_the_call_that_makes_the_time() -> None:
    want = "time.Date(2026, time.November, 22, 12, 57, 34, 920249000, time.UTC)"
    assert sprintf("%#v", [moment().UTC()]) == want


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_a_formatted_time_reads_back(when: datetime) -> None:
    since = when.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    written = GoTime(since // timedelta(microseconds=1) * 1000, UTC).Format(
        "2006-01-02T15:04:05.000000"
    )
    assert datetime.fromisoformat(written) == when
