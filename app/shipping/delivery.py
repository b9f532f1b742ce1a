"""When a parcel arrives: a range of dates from cut-off, handling, transit, weekends and holidays.

As stored in a method's `delivery`; an empty object promises nothing:

    {"cutoff": "14:00", "handling_days_min": 0, "handling_days_max": 1, "transit_days_min": 2,
     "transit_days_max": 4, "transit_weekdays": [1, 2, 3, 4, 5, 6], "holidays": ["2026-12-25"]}
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MAX_DAYS = 180
MAX_HOLIDAYS = 400

Days: TypeAlias = Annotated[int, Field(ge=0, le=MAX_DAYS, strict=True)]
Weekdays: TypeAlias = Annotated[frozenset[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)]
"""ISO weekdays: Monday is 1, Sunday 7."""

MONDAY_TO_FRIDAY = frozenset({1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class DateRange:
    first: dt.date
    last: dt.date


class Delivery(BaseModel):
    """How long a method takes, in working days.

    Attributes:
        cutoff: local time of the warehouse; what is ordered at or after it is handled from the next working day on.
        time_zone: IANA name, where it is not the warehouse's own.
        handling_weekdays: when the warehouse packs and hands over.
        transit_weekdays: when the carrier moves and delivers.
        holidays: when neither works.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cutoff: dt.time = dt.time(14)
    time_zone: str | None = None
    handling_days_min: Days = 0
    handling_days_max: Days = 1
    transit_days_min: Days
    transit_days_max: Days
    handling_weekdays: Weekdays = MONDAY_TO_FRIDAY
    transit_weekdays: Weekdays = MONDAY_TO_FRIDAY
    holidays: Annotated[frozenset[dt.date], Field(max_length=MAX_HOLIDAYS)] = frozenset()

    @field_validator("cutoff")
    @classmethod
    def _local_time(cls, value: dt.time) -> dt.time:
        if value.tzinfo is not None:
            raise ValueError("the cut-off is a local time without an offset, such as 14:00")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            _zone(value)
        return value

    @model_validator(mode="after")
    def _least_before_most(self) -> Self:
        if self.handling_days_min > self.handling_days_max:
            raise ValueError("the shortest handling takes longer than the longest")
        if self.transit_days_min > self.transit_days_max:
            raise ValueError("the shortest transit takes longer than the longest")
        return self

    def estimate(self, now: dt.datetime, warehouse_time_zone: str) -> DateRange:
        """The dates between which a parcel ordered now arrives.

        Args:
            now: business time, aware.
            warehouse_time_zone: IANA name; the day and the cut-off are the warehouse's.
        """
        local = now.astimezone(_zone(self.time_zone or warehouse_time_zone))
        start = local.date()
        if local.time() >= self.cutoff or not _works(start, self.handling_weekdays, self.holidays):
            start = _after(start, 1, self.handling_weekdays, self.holidays)
        return DateRange(
            self._arrival(start, self.handling_days_min, self.transit_days_min),
            self._arrival(start, self.handling_days_max, self.transit_days_max),
        )

    def _arrival(self, start: dt.date, handling_days: int, transit_days: int) -> dt.date:
        handed_over = _after(start, handling_days, self.handling_weekdays, self.holidays)
        return _after(handed_over, transit_days, self.transit_weekdays, self.holidays)


def read_delivery(stored: object) -> Delivery | None:
    """Raises pydantic's ValidationError, which says what is wrong where."""
    return Delivery.model_validate(stored) if stored else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"“{name}” is not a time zone such as Europe/Berlin") from None


def _works(day: dt.date, weekdays: Collection[int], holidays: Collection[dt.date]) -> bool:
    return day.isoweekday() in weekdays and day not in holidays


def _after(day: dt.date, working_days: int, weekdays: Collection[int], holidays: Collection[dt.date]) -> dt.date:
    """The working day that many working days later; with none to go, the day itself or the next working one."""
    left = working_days
    while left > 0 or not _works(day, weekdays, holidays):
        day += dt.timedelta(days=1)
        if _works(day, weekdays, holidays):
            left -= 1
    return day
