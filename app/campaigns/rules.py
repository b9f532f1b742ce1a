"""When a campaign reaches whom, and what may follow what. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.campaigns.models import CampaignStatus

EARLIEST_OFFSET = timedelta(hours=14)
"""Kiritimati: nowhere is it later by the clock on the wall."""
LATEST_OFFSET = timedelta(hours=-12)

NOT_STARTED = {CampaignStatus.DRAFT, CampaignStatus.SCHEDULED}
"""PAUSED, too, while `started_at` is empty."""
PAUSABLE = {CampaignStatus.SCHEDULED, CampaignStatus.SENDING}
CANCELLABLE = {CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED}


def local_time(send_at: datetime, shop_zone: str) -> str:
    """What the clock on the shop's wall shows at that moment, as HH:MM."""
    return send_at.astimezone(zone(shop_zone)).strftime("%H:%M")


def first_due_at(send_at: datetime, shop_zone: str) -> datetime:
    """When that time of that day comes to the first receiver on earth."""
    wall = send_at.astimezone(zone(shop_zone)).replace(tzinfo=UTC)
    return wall - EARLIEST_OFFSET


def last_due_at(send_at: datetime, shop_zone: str) -> datetime:
    """When it comes to the last one."""
    wall = send_at.astimezone(zone(shop_zone)).replace(tzinfo=UTC)
    return wall - LATEST_OFFSET


def due_at(send_at: datetime, wall_time: str | None, shop_zone: str, own_zone: str | None) -> datetime:
    """When one receiver is due: at that very moment, or when their own clock shows what the shop's does then.

    A time that is skipped where they are, as clocks are put forward, counts by the clock before the change; of one that
    comes twice, the first. Who lives nobody knows where is in the shop's time zone.

    Args:
        wall_time: HH:MM; None for the same moment everywhere.
    """
    if wall_time is None:
        return send_at
    day = send_at.astimezone(zone(shop_zone)).date()
    there = zone(own_zone) if own_zone else zone(shop_zone)
    return datetime.combine(day, time.fromisoformat(wall_time), there).astimezone(UTC)


def zone(name: str) -> ZoneInfo:
    """The IANA zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def pace(per_minute: int | None, most: int) -> tuple[int, timedelta | None]:
    """How many to write to at once, and how long to wait before the next; None for not at all.

    The throttle is spread: 600 a minute are 100 every 10 seconds, 3 a minute one every 20.
    """
    if per_minute is None:
        return most, None
    seconds = 10.0 if per_minute >= 6 else 60.0 / per_minute
    at_once = max(1, int(per_minute * seconds / 60))
    if at_once > most:
        return most, timedelta(seconds=60 * most / per_minute)
    # Rounding down goes into the pause, so that the rate is kept.
    return at_once, timedelta(seconds=60 * at_once / per_minute)
