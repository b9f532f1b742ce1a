"""ISO 8601 durations, in the part of them that has one length: weeks, days, hours, minutes, seconds.

Months and years are left out: how long they are depends on when they begin.
"""

import re
from datetime import timedelta

_PERIOD = re.compile(
    r"(?P<sign>-?)P(?!$)(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)


def parse_period(text: str) -> timedelta:
    """`PT4H`, `P7D`, `P1W`, `-PT24H`. Raises ValueError for anything else."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError("not a period")
    parts = {name: int(number) for name, number in match.groupdict().items() if name != "sign" and number}
    length = timedelta(**parts)
    return -length if match["sign"] else length


def format_period(period: timedelta) -> str:
    """The shortest ISO 8601 form in days, hours, minutes and seconds; fractions of a second are dropped."""
    seconds = int(abs(period).total_seconds())
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    date = f"{days}D" if days else ""
    if not date and not time:
        return "PT0S"
    return f"{'-' if period < timedelta() else ''}P{date}{'T' + time if time else ''}"
