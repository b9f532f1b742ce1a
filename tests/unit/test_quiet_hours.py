"""8:00 to 21:00 where the receiver is, through every change of the clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.quiet_hours import is_quiet, next_allowed, zones_of

NEW_YORK, BERLIN, LORD_HOWE = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
ZONES = [NEW_YORK, BERLIN, LORD_HOWE, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Africa/Casablanca"), ZoneInfo("UTC")]

moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [("07:59", True), ("08:00", False), ("12:00", False), ("20:59", False), ("21:00", True), ("00:00", True)],
)
def test_the_hours(wall: str, quiet: bool) -> None:
    assert is_quiet(at(f"2026-11-22T{wall}", BERLIN), BERLIN) is quiet


def test_an_evening_waits_for_the_morning_there() -> None:
    assert next_allowed(at("2026-11-22T21:30", NEW_YORK), [NEW_YORK]) == at("2026-11-23T08:00", NEW_YORK)
    assert next_allowed(at("2026-11-23T06:00", NEW_YORK), [NEW_YORK]) == at("2026-11-23T08:00", NEW_YORK)
    noon = at("2026-11-22T12:00", NEW_YORK)
    assert next_allowed(noon, [NEW_YORK]) == noon


@pytest.mark.parametrize("night", ["2026-03-07T22:00", "2026-10-31T22:00"])
def test_eight_in_the_morning_is_eight_after_the_clocks_change(night: str) -> None:
    """The nights in New York that have 23 and 25 hours."""
    morning = next_allowed(at(night, NEW_YORK).astimezone(UTC), [NEW_YORK])
    assert morning is not None
    assert morning.astimezone(NEW_YORK).time() == time(8)
    hours = (morning - at(night, NEW_YORK).astimezone(UTC)) / timedelta(hours=1)
    assert hours == (9 if "03-07" in night else 11)


def test_an_unknown_zone_is_the_intersection_of_the_candidates() -> None:
    """It is day in New York from 13:00 to 2:00 UTC and in Berlin from 7:00 to 20:00."""
    both = [NEW_YORK, BERLIN]
    assert next_allowed(at("2026-11-22T09:00", ZoneInfo("UTC")), both) == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert next_allowed(at("2026-11-22T20:30", ZoneInfo("UTC")), both) == datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_where_it_is_never_day_everywhere_nothing_is_allowed() -> None:
    everywhere = [*map(ZoneInfo, ("Pacific/Auckland", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"))]
    assert next_allowed(datetime(2026, 11, 22, 12, tzinfo=UTC), everywhere) is None
    assert next_allowed(datetime(2026, 11, 22, 12, tzinfo=UTC), []) is None


@given(moments, st.lists(st.sampled_from(ZONES), min_size=1, max_size=3))
def test_what_is_allowed_is_day_in_every_zone_and_the_first_such_moment(now: datetime, zones: list[ZoneInfo]) -> None:
    found = next_allowed(now, zones)
    if found is None:
        return
    assert found >= now
    assert not any(is_quiet(found, zone) for zone in zones)
    before = found - timedelta(minutes=1)
    assert found == now or any(is_quiet(before, zone) for zone in zones)


@given(moments, st.times(), st.times(), st.sampled_from(ZONES))
def test_any_hours_that_a_shop_sets_come_to_an_end(now: datetime, start: time, end: time, zone: ZoneInfo) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if start == end:
        return
    found = next_allowed(now, [zone], start, end)
    assert found is not None
    assert now <= found <= now + timedelta(hours=26)
    assert not is_quiet(found, zone, start, end)


@pytest.mark.parametrize(
    ("phone", "names"),
    [
        ("+15035550142", {"America/Los_Angeles"}),
        ("+442079460018", {"Europe/London"}),
        ("+819012345678", {"Asia/Tokyo"}),
        ("+80012345678", set()),
        ("nonsense", set()),
    ],
)
def test_the_zones_of_a_number(phone: str, names: set[str]) -> None:
    assert {zone.key for zone in zones_of(None, phone)} == names


def test_a_toll_free_number_may_be_anywhere_in_its_country_and_a_known_zone_decides() -> None:
    assert len(zones_of(None, "+18005551234")) > 20
    assert zones_of("America/Denver", "+18005551234") == [ZoneInfo("America/Denver")]
    assert len(zones_of("Not/AZone", "+18005551234")) > 20
