"""Go's `time.Time` and its methods, for templates that print when they were rendered.

The names are Go's, since templates use them: `{{datetime.UTC.Format "15:04"}}`. `__go_name__` is
what `%T` and error messages call a type.
"""

# ruff: noqa: N802

from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar, Final

from drove_gateway.gotemplate.go.time_layout import MONTHS, Clock, format_time
from drove_gateway.gotemplate.go.time_units import (
    SECOND,
    Duration,
    Int64,
    Month,
    Weekday,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_ONE: Final = -62_135_596_800 * SECOND


class Location:
    """`*time.Location`, as far as it can be printed."""

    __go_name__: ClassVar = "*time.Location"
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def String(self) -> str:
        return self._name


class GoTime:
    """`time.Time`: a moment in a time zone, perhaps with the reading of a monotonic clock.

    `nanoseconds` count from 1970 in UTC, `monotonic` in nanoseconds from the start of the
    process. `local` is the machine's time zone, `zone` where it is not given.
    """

    __go_name__: ClassVar = "time.Time"
    __slots__ = ("_local", "_monotonic", "_nanoseconds", "_zone")

    def __init__(
        self,
        nanoseconds: int,
        zone: tzinfo,
        *,
        monotonic: int | None = None,
        local: tzinfo | None = None,
    ) -> None:
        self._nanoseconds = nanoseconds
        self._zone = zone
        self._monotonic = monotonic
        self._local = local or zone

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoTime) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"GoTime({self.String()})"

    def _identity(self) -> tuple[int, int | None, tzinfo]:
        return self._nanoseconds, self._monotonic, self._zone

    def _at(self, nanoseconds: int, zone: tzinfo | None = None) -> "GoTime":
        return GoTime(nanoseconds, zone or self._zone, local=self._local)

    def _local_datetime(self) -> datetime:
        return (_EPOCH + timedelta(seconds=self.Unix())).astimezone(self._zone)

    def _clock(self) -> Clock:
        shown = self._local_datetime()
        name = shown.tzname() or ""
        offset = shown.utcoffset() or timedelta()
        return Clock(
            year=shown.year,
            month=shown.month,
            day=shown.day,
            hour=shown.hour,
            minute=shown.minute,
            second=shown.second,
            nanosecond=self.Nanosecond(),
            weekday=shown.isoweekday() % 7,
            year_day=shown.timetuple().tm_yday,
            zone="" if name.startswith(("UTC+", "UTC-")) else name,
            offset=int(offset.total_seconds()),
        )

    def String(self) -> str:
        text = self.Format("2006-01-02 15:04:05.999999999 -0700 MST")
        if self._monotonic is None:
            return text
        seconds, rest = divmod(abs(self._monotonic), SECOND)
        sign = "-" if self._monotonic < 0 else "+"
        return f"{text} m={sign}{seconds}.{rest:09d}"

    def GoString(self) -> str:
        clock = self._clock()
        place = "UTC" if self._zone is UTC else "Local"
        return (
            f"time.Date({clock.year}, time.{MONTHS[clock.month - 1]}, {clock.day}, {clock.hour}, "
            f"{clock.minute}, {clock.second}, {clock.nanosecond}, time.{place})"
        )

    def Format(self, layout: str) -> str:
        return format_time(self._clock(), layout)

    def Unix(self) -> Int64:
        return self._nanoseconds // SECOND

    def UnixMilli(self) -> Int64:
        return self._nanoseconds // 1_000_000

    def UnixMicro(self) -> Int64:
        return self._nanoseconds // 1_000

    def UnixNano(self) -> Int64:
        return self._nanoseconds

    def Year(self) -> int:
        return self._clock().year

    def Month(self) -> Month:
        return Month(self._clock().month)

    def Day(self) -> int:
        return self._clock().day

    def Hour(self) -> int:
        return self._clock().hour

    def Minute(self) -> int:
        return self._clock().minute

    def Second(self) -> int:
        return self._clock().second

    def Nanosecond(self) -> int:
        return self._nanoseconds % SECOND

    def Weekday(self) -> Weekday:
        return Weekday(self._clock().weekday)

    def YearDay(self) -> int:
        return self._clock().year_day

    def UTC(self) -> "GoTime":
        return self._at(self._nanoseconds, UTC)

    def Local(self) -> "GoTime":
        return self._at(self._nanoseconds, self._local)

    def Location(self) -> Location:
        return Location("UTC" if self._zone is UTC else "Local")

    def IsDST(self) -> bool:
        return bool(self._local_datetime().dst())

    def IsZero(self) -> bool:
        return self._nanoseconds == _YEAR_ONE

    def Compare(self, u: "GoTime") -> int:
        difference = self._difference(u)
        return (difference > 0) - (difference < 0)

    def Before(self, u: "GoTime") -> bool:
        return self._difference(u) < 0

    def After(self, u: "GoTime") -> bool:
        return self._difference(u) > 0

    def Equal(self, u: "GoTime") -> bool:
        return self._difference(u) == 0

    def Sub(self, u: "GoTime") -> Duration:
        return Duration.within_range(self._difference(u))

    def _difference(self, other: "GoTime") -> int:
        """In nanoseconds, by the monotonic clock where both times have a reading of it."""
        if self._monotonic is not None and other._monotonic is not None:
            return self._monotonic - other._monotonic
        return self._nanoseconds - other._nanoseconds

    def Add(self, d: Duration) -> "GoTime":
        moved = self._at(self._nanoseconds + d)
        if self._monotonic is not None:
            moved._monotonic = self._monotonic + d
        return moved

    def AddDate(self, years: int, months: int, days: int) -> "GoTime":
        """Days and months beyond the end of theirs run over into the next, as in Go."""
        shown = self._local_datetime()
        month = shown.year * 12 + shown.month - 1 + years * 12 + months
        first = shown.replace(year=month // 12, month=month % 12 + 1, day=1)
        moved = first + timedelta(days=shown.day - 1 + days)
        seconds = (moved - _EPOCH) // timedelta(seconds=1)
        return self._at(seconds * SECOND + self.Nanosecond())

    def Truncate(self, d: Duration) -> "GoTime":
        """To a multiple of `d` since the year 1 in UTC."""
        since = self._nanoseconds - _YEAR_ONE
        return self._at(self._nanoseconds - (since % d if d > 0 else 0))

    def Round(self, d: Duration) -> "GoTime":
        """Like `Truncate`, to the nearest multiple; halves are rounded up."""
        return self._at(self._nanoseconds + max(d, 0) // 2).Truncate(d)
