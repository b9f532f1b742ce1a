"""Moments by the wall clock of somebody's time zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
FEBRUARY, LEAP_DAY = 2, 29


def at_local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment in UTC. A time that a change of clocks leaves out comes as much later; one that is there twice is
    the first of both."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def next_local(after: datetime, zone: ZoneInfo, at: time | None = None, weekdays: Sequence[str] = ()) -> datetime:
    """The first moment at or after `after` with this time of day and one of these weekdays.

    Without a time, a day that is not among the weekdays is waited for until it begins.
    """
    day = after.astimezone(zone).date()
    for _ in range(9):
        if not weekdays or WEEKDAYS[day.weekday()] in weekdays:
            if at is None:
                return max(after, at_local(day, time(0), zone))
            moment = at_local(day, at, zone)
            if moment >= after:
                return moment
        day += timedelta(days=1)
    raise ValueError("no such weekday")


def anniversary(born: date, year: int) -> date:
    """The day in that year; the 28th of February for those of the 29th, where the year has none."""
    if (born.month, born.day) == (FEBRUARY, LEAP_DAY) and not _is_leap(year):
        return date(year, FEBRUARY, 28)
    return date(year, born.month, born.day)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
