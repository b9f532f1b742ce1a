"""The operators and functions that a written condition calls: none of them fails, whatever it is given.

A value that is missing, or is of another type than the one that it meets, makes null of a calculation and false of a
comparison. (An exception in here would be printed by the CEL library, with the value in it.)
"""

import operator
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.conditions.moments import parse_moment

_MOST = 2**63 - 1
_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
MAX_SPAN = timedelta(days=3_652_000)

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
}  # fmt: skip


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ordered(left: object, right: object) -> bool:
    return (_number(left) and _number(right)) or any(
        isinstance(left, kind) and isinstance(right, kind) for kind in (str, datetime, timedelta)
    )


def compare(symbol: str, left: object, right: object) -> bool:
    return _ordered(left, right) and bool(_ORDER[symbol](left, right))


def _kept(value: object) -> object:
    """What CEL has room for, or null."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, int):
        return value if -_MOST <= value <= _MOST else None
    if isinstance(value, timedelta):
        return value if abs(value) <= MAX_SPAN else None
    return value


def calculate(symbol: str, left: object, right: object) -> object:
    if left is None or right is None:
        return None
    try:
        if symbol in "/%" and isinstance(left, int) and isinstance(right, int):
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)  # towards zero, as CEL has it
            return _kept(quotient if symbol == "/" else left - quotient * right)
        return _kept(_ARITHMETIC[symbol](left, right))
    except (TypeError, ZeroDivisionError, OverflowError, ValueError):
        return None


def as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def as_truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def as_number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def as_moment(value: object) -> datetime | None:
    moment = parse_moment(value)
    return moment if moment is not None and _EARLIEST <= moment <= _LATEST else None


def to_int(value: object) -> int | None:
    try:
        number = int(value) if isinstance(value, (int, float, str)) and len(str(value)) <= 40 else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and -_MOST <= number <= _MOST else None


def to_double(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < float("inf") else None


def to_string(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else None


def length(value: object) -> int:
    """Characters; 0 where there is none. (CEL's own size() counts bytes here.)"""
    return len(value) if isinstance(value, str) else 0


def _both_text(ask: Callable[[str, str], bool]) -> Callable[[object, object], bool]:
    return lambda value, part: isinstance(value, str) and isinstance(part, str) and ask(value, part)


def at(items: object, place: object) -> object:
    if isinstance(items, list) and isinstance(place, int) and 0 <= place < len(items):
        return items[place]
    return None


@lru_cache(64)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
}


def part(name: str, value: object, zone: str) -> int | None:
    """A part of a moment on the clock of a time zone, numbered as CEL numbers them: January and Sunday are 0."""
    moment = as_moment(value)
    return None if moment is None else _PARTS[name](moment.astimezone(_zone(zone)))


def next_part(name: str, moment: datetime, zone: str) -> datetime:
    """When that part is another one."""
    local = moment.astimezone(_zone(zone))
    if name == "getMinutes":
        return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if name == "getHours":  # zones differ by quarters of an hour
        quarter = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
        return quarter + timedelta(minutes=15)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if name == "getFullYear":
        following = midnight.replace(year=local.year + 1, month=1, day=1)
    elif name == "getMonth":
        following = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        following = midnight + timedelta(days=1)
    return following.astimezone(UTC)


_SPAN_UNITS = {
    "getHours": timedelta(hours=1),
    "getMinutes": timedelta(minutes=1),
    "getSeconds": timedelta(seconds=1),
}


def span_part(name: str, value: object) -> int | None:
    return int(value / _SPAN_UNITS[name]) if isinstance(value, timedelta) else None


STATELESS: dict[str, Callable[..., object]] = {
    "compare_": compare,
    "calculate_": calculate,
    "as_text_": as_text,
    "as_truth_": as_truth,
    "as_number_": as_number,
    "as_moment_": as_moment,
    "to_int_": to_int,
    "to_double_": to_double,
    "to_string_": to_string,
    "length_": length,
    "starts_with_": _both_text(str.startswith),
    "ends_with_": _both_text(str.endswith),
    "contains_": _both_text(lambda value, part: part in value),
    "lower_": lambda value: value.lower() if isinstance(value, str) else None,
    "upper_": lambda value: value.upper() if isinstance(value, str) else None,
    "at_": at,
    "span_part_": span_part,
}
"""By the names under which written conditions call them."""
