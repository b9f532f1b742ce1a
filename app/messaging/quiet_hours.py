"""When a marketing text or call may reach somebody: 8:00 to 21:00 where they are (47 CFR 64.1200(c)(1)). Pure.

Where that is unknown, every time zone that the number may be in counts: a message goes out when it is day in all of
them. A number with an area code has few; a mobile number of a large country, or a toll-free one, may be anywhere in it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

QUIET_FROM = time(21)
QUIET_UNTIL = time(8)
HORIZON = timedelta(days=3)
"""Zones that share no hour of day now share none tomorrow: whoever has not found one by then never will."""


def next_allowed(
    now: datetime, zones: Sequence[ZoneInfo], quiet_from: time = QUIET_FROM, quiet_until: time = QUIET_UNTIL
) -> datetime | None:
    """`now` when it is allowed in every zone, or else the first moment that is; None when there never is one.

    Args:
        now: aware.
        zones: where the receiver is or may be; without any, nothing is allowed.
        quiet_from: by the clock on the wall there, inclusive.
        quiet_until: exclusive: at this time it is allowed again.
    """
    if not zones:
        return None
    moment = now
    while moment - now <= HORIZON:
        ends = [_quiet_end(moment, zone, quiet_from, quiet_until) for zone in zones]
        latest = max((end for end in ends if end is not None), default=None)
        if latest is None:
            return moment
        moment = latest
    return None


def is_quiet(moment: datetime, zone: ZoneInfo, quiet_from: time = QUIET_FROM, quiet_until: time = QUIET_UNTIL) -> bool:
    wall = moment.astimezone(zone).time()
    if quiet_from < quiet_until:
        return quiet_from <= wall < quiet_until
    return wall >= quiet_from or wall < quiet_until


def zones_of(time_zone: str | None, phone: str) -> list[ZoneInfo]:
    """The profile's own time zone where it is known, or else all that the number may be in; perhaps none.

    Args:
        time_zone: IANA name, from the profile.
        phone: E.164.
    """
    own = _zone(time_zone) if time_zone else None
    return [own] if own else list(_zones_of_number(phone))


@lru_cache(maxsize=10_000)
def _zones_of_number(phone: str) -> tuple[ZoneInfo, ...]:
    try:
        names = phone_zones.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ()
    # A number that nobody can place has the name Etc/Unknown, which is no zone.
    return tuple(zone for zone in map(_zone, names) if zone is not None)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _quiet_end(moment: datetime, zone: ZoneInfo, quiet_from: time, quiet_until: time) -> datetime | None:
    """When the quiet hours that the moment lies in end there; None when it lies in none."""
    if not is_quiet(moment, zone, quiet_from, quiet_until):
        return None
    today = moment.astimezone(zone).date()
    ends = (end for days in (0, 1, 2) for end in _at(today + timedelta(days=days), quiet_until, zone))
    return next(end for end in ends if end > moment and not is_quiet(end, zone, quiet_from, quiet_until))


def _at(day: date, wall: time, zone: ZoneInfo) -> list[datetime]:
    """The moments at which the wall's clock shows this time: two where the clock was put back over it. Where it was put
    forward over it, the one that a clock not yet changed would show."""
    moments = [datetime.combine(day, wall.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]
    return sorted(set(moments))
