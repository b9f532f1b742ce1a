"""When a campaign is due for whom, and how fast it goes out."""

from datetime import UTC, datetime, timedelta

import pytest

from app.campaigns import rules

NINE_IN_NEW_YORK = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/New_York", "2026-11-24T14:00"),
        ("Europe/Berlin", "2026-11-24T08:00"),
        ("Asia/Tokyo", "2026-11-24T00:00"),
        ("America/Los_Angeles", "2026-11-24T17:00"),
        ("Pacific/Kiritimati", "2026-11-23T19:00"),
        (None, "2026-11-24T14:00"),
        ("Mars/Olympus", "2026-11-24T09:00"),
    ],
)
def test_the_same_time_by_everybodys_own_clock(zone: str | None, expected: str) -> None:
    wall = rules.local_time(NINE_IN_NEW_YORK, "America/New_York")
    assert wall == "09:00"
    due = rules.due_at(NINE_IN_NEW_YORK, wall, "America/New_York", zone)
    assert due.isoformat()[:16] == expected
    assert rules.first_due_at(NINE_IN_NEW_YORK, "America/New_York") <= due
    assert due <= rules.last_due_at(NINE_IN_NEW_YORK, "America/New_York")
    assert rules.due_at(NINE_IN_NEW_YORK, None, "America/New_York", zone) == NINE_IN_NEW_YORK


def test_an_hour_that_is_skipped_or_comes_twice() -> None:
    spring = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 01:30 in London's winter is 02:30 in Berlin, which is skipped
    assert rules.due_at(spring, "02:30", "UTC", "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    assert rules.due_at(autumn, "02:30", "UTC", "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("per_minute", [1, 3, 5, 6, 7, 59, 60, 600, 1201, 100_000])
def test_the_throttle_keeps_its_rate(per_minute: int) -> None:
    at_once, pause = rules.pace(per_minute, 200)
    assert pause is not None
    assert 1 <= at_once <= 200
    assert abs(at_once / (pause / timedelta(minutes=1)) - per_minute) < per_minute * 1e-4


def test_no_throttle_is_no_pause() -> None:
    assert rules.pace(None, 200) == (200, None)
