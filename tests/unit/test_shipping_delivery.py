"""Delivery dates over cut-offs, weekends, holidays, time zones and clock changes."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.shipping.delivery import DateRange, Delivery, read_delivery

BERLIN = "Europe/Berlin"


def _delivery(**changes: Any) -> Delivery:
    return Delivery.model_validate(
        {"cutoff": "14:00", "handling_days_max": 0, "transit_days_min": 1, "transit_days_max": 2, **changes}
    )


def _range(first: str, last: str) -> DateRange:
    return DateRange(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize(
    ("ordered", "changes", "expected"),
    [
        # Monday the 4th of May 2026, noon in Berlin: handed over today.
        ("2026-05-04T10:00:00+00:00", {}, _range("2026-05-05", "2026-05-06")),
        # At the cut-off it is tomorrow's.
        ("2026-05-04T11:59:59+00:00", {}, _range("2026-05-05", "2026-05-06")),
        ("2026-05-04T12:00:00+00:00", {}, _range("2026-05-06", "2026-05-07")),
        # Late on Sunday in UTC is Monday in Berlin.
        ("2026-05-03T22:30:00+00:00", {}, _range("2026-05-05", "2026-05-06")),
        # Friday after the cut-off waits for Monday; transit crosses no weekend.
        ("2026-05-08T13:00:00+00:00", {}, _range("2026-05-12", "2026-05-13")),
        # Thursday noon: two days of transit end on Monday, or on Saturday where the carrier delivers then.
        ("2026-05-07T10:00:00+00:00", {}, _range("2026-05-08", "2026-05-11")),
        ("2026-05-07T10:00:00+00:00", {"transit_weekdays": [1, 2, 3, 4, 5, 6]}, _range("2026-05-08", "2026-05-09")),
        # Ascension Day, Thursday the 14th of May, works for nobody.
        ("2026-05-13T10:00:00+00:00", {"holidays": ["2026-05-14"]}, _range("2026-05-15", "2026-05-18")),
        # Handling comes first, in the warehouse's days.
        (
            "2026-05-04T10:00:00+00:00",
            {"handling_days_min": 1, "handling_days_max": 3},
            _range("2026-05-06", "2026-05-11"),
        ),
        # Same-day delivery on a Saturday, where Saturday is a working day.
        (
            "2026-05-09T08:00:00+00:00",
            {"transit_days_min": 0, "transit_days_max": 0, "handling_weekdays": [6], "transit_weekdays": [6]},
            _range("2026-05-09", "2026-05-09"),
        ),
        # The warehouse's own zone is overridden: in Tokyo it is 21:00, long past the cut-off.
        (
            "2026-05-04T12:00:00+00:00",
            {"time_zone": "Asia/Tokyo", "cutoff": "20:00"},
            _range("2026-05-06", "2026-05-07"),
        ),
        # The day clocks go back (25 October 2026, a Sunday) still has one cut-off.
        ("2026-10-25T00:30:00+00:00", {"handling_weekdays": [7]}, _range("2026-10-26", "2026-10-27")),
    ],
)
def test_a_parcel_arrives_in_working_days(ordered: str, changes: dict[str, Any], expected: DateRange) -> None:
    assert _delivery(**changes).estimate(dt.datetime.fromisoformat(ordered), BERLIN) == expected


@given(
    st.datetimes(timezones=st.just(dt.UTC)).map(lambda moment: moment.replace(year=2000 + moment.year % 100, day=1)),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 20),
    st.integers(0, 20),
    st.frozensets(st.integers(1, 7), min_size=1),
    st.frozensets(st.integers(1, 7), min_size=1),
    st.sampled_from(["UTC", BERLIN, "Pacific/Kiritimati", "America/Los_Angeles"]),
)
def test_the_range_is_in_order_on_working_days_and_never_in_the_past(
    now: dt.datetime,
    handling_min: int,
    handling_more: int,
    transit_min: int,
    transit_more: int,
    handling_weekdays: frozenset[int],
    transit_weekdays: frozenset[int],
    time_zone: str,
) -> None:
    holidays = [(now + dt.timedelta(days=days)).date() for days in (0, 1, 2, 6)]
    delivery = _delivery(
        handling_days_min=handling_min,
        handling_days_max=handling_min + handling_more,
        transit_days_min=transit_min,
        transit_days_max=transit_min + transit_more,
        handling_weekdays=handling_weekdays,
        transit_weekdays=transit_weekdays,
        holidays=holidays,
    )
    found = delivery.estimate(now, time_zone)
    today = now.astimezone(ZoneInfo(time_zone)).date()
    assert today + dt.timedelta(days=handling_min + transit_min) <= found.first <= found.last
    for day in (found.first, found.last):
        assert day.isoweekday() in transit_weekdays
        assert day not in holidays
    later = delivery.estimate(now + dt.timedelta(hours=1), time_zone)
    assert later.first >= found.first
    assert later.last >= found.last


@pytest.mark.parametrize(
    "changes",
    [
        {"cutoff": "25:00"},
        {"cutoff": "14:00+02:00"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"handling_days_min": 3, "handling_days_max": 1},
        {"transit_days_min": 3, "transit_days_max": 1},
        {"transit_days_max": 181},
        {"transit_days_min": -1},
        {"transit_weekdays": []},
        {"transit_weekdays": [0]},
        {"holidays": ["christmas"]},
        {"unknown": 1},
    ],
)
def test_a_delivery_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _delivery(**changes)


def test_a_method_without_delivery_times_promises_none() -> None:
    assert read_delivery({}) is None
    assert read_delivery(None) is None
    stored = _delivery(holidays=["2026-12-25"]).model_dump(mode="json")
    assert read_delivery(stored) == _delivery(holidays=["2026-12-25"])
