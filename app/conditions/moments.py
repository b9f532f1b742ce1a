"""Durations and moments as people write them."""

import re
from datetime import UTC, datetime, timedelta

MAX_SPAN = timedelta(days=36_500)
_ISO = re.compile(r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")
_GO = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|h|m|s|d)")
_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def parse_span(text: str) -> timedelta | None:
    """`P7D` and `PT4H30M` as ISO 8601 has them, `168h` and `1h30m` as CEL has, and `7d`; up to a hundred years.

    Months and years have no fixed length, so there are none.
    """
    negative = text.startswith("-")
    text = text.removeprefix("-")
    if (match := _ISO.fullmatch(text)) and any(match.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if weeks > 10_000 or days > 100_000:
            return None
        span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    elif text and _GO.sub("", text) == "":
        span = sum((float(number) * _UNITS[unit] for number, unit in _GO.findall(text)), timedelta())
    else:
        return None
    if span > MAX_SPAN:
        return None
    return -span if negative else span


def parse_moment(value: object) -> datetime | None:
    """A date (midnight UTC) or date and time by ISO 8601; UTC where no offset is given. None for anything else."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and len(value) <= 40:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    else:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
