"""Where stock is kept: adding warehouses and changing them. Exactly one is the default."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from app import db
from app.addresses.countries import country
from app.addresses.postal import PostalAddress
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import MAX_INT, Problems

MAX_CODE_CHARS = 40
MAX_NAME_CHARS = 120
MAX_INSTRUCTIONS_CHARS = 1_000
MAX_READY_HOURS = 720
MAX_OPENING_HOURS = 28

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]*")


class OpeningHours(TypedDict):
    weekday: int
    """Monday is 1, Sunday 7."""
    opens: str
    """HH:MM, local time."""
    closes: str


class WarehouseGiven(TypedDict, total=False):
    """What is left out stays as it is."""

    code: str | None
    name: str | None
    priority: int | None
    country_code: str | None
    time_zone: str | None
    is_default: bool | None
    pickup_enabled: bool | None
    address: PostalAddress | None
    opening_hours: list[OpeningHours] | None
    pickup_instructions: str | None
    pickup_ready_hours: int | None


@dataclass(slots=True)
class _Row:
    code: str = ""
    name: str = ""
    priority: int = 0
    country_code: str | None = None
    time_zone: str = "UTC"
    is_default: bool = False
    pickup_enabled: bool = False
    address: str | None = None
    opening_hours: str = "[]"
    pickup_instructions: str = ""
    pickup_ready_hours: int = 24


def is_time_zone(name: str) -> bool:
    """Whether the IANA database has it."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


async def create_warehouse(given: WarehouseGiven) -> uuid.UUID:
    """Raises DomainErrors for what is wrong with the input, DomainError(CONFLICT) for a code that is in use."""
    row, warehouse_id = _edited(_Row(), given, is_new=True), new_id()
    async with db.unit_of_work():
        if row.is_default:
            await _no_other_default()
        inserted = await db.execute(
            """
            INSERT INTO warehouses (id, code, name, is_default, priority, country_code, time_zone, pickup_enabled,
                                    address, opening_hours, pickup_instructions, pickup_ready_hours, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11, $12, business_now())
            ON CONFLICT (code) DO NOTHING
            """,
            warehouse_id,
            row.code,
            row.name,
            row.is_default,
            row.priority,
            row.country_code,
            row.time_zone,
            *_of_pickup(row),
        )
        if not inserted:
            raise _code_taken()
    return warehouse_id


async def update_warehouse(warehouse_id: uuid.UUID, given: WarehouseGiven) -> None:
    """Raises DomainErrors for what is wrong with the input, DomainError(NOT_FOUND | CONFLICT | INVALID)."""
    try:
        async with db.unit_of_work():
            if given.get("is_default"):
                await _no_other_default(but=warehouse_id)
            found = await db.fetchrow(
                """
                SELECT code, name, priority, country_code, time_zone, is_default, pickup_enabled, address,
                       opening_hours, pickup_instructions, pickup_ready_hours
                FROM warehouses
                WHERE id = $1 FOR NO KEY UPDATE
                """,
                warehouse_id,
            )
            if found is None:
                raise not_found("warehouse", ["id"])
            row = _edited(_Row(**found), given, is_new=False)
            if found["is_default"] and not row.is_default:
                message = "Make another warehouse the default instead."
                raise DomainError(CommonErrorCode.INVALID, message, ["input", "isDefault"])
            await db.execute(
                """
                UPDATE warehouses SET code = $2, name = $3, priority = $4, country_code = $5, time_zone = $6,
                                      is_default = $7, pickup_enabled = $8, address = $9::jsonb,
                                      opening_hours = $10::jsonb, pickup_instructions = $11, pickup_ready_hours = $12
                WHERE id = $1
                """,
                warehouse_id,
                row.code,
                row.name,
                row.priority,
                row.country_code,
                row.time_zone,
                row.is_default,
                *_of_pickup(row),
            )
    except asyncpg.UniqueViolationError as error:
        raise _code_taken() from error


def _of_pickup(row: _Row) -> tuple[object, ...]:
    return (row.pickup_enabled, row.address, row.opening_hours, row.pickup_instructions, row.pickup_ready_hours)


def _code_taken() -> DomainError:
    return DomainError(CommonErrorCode.CONFLICT, "Another warehouse has this code.", ["input", "code"])


async def _no_other_default(but: uuid.UUID | None = None) -> None:
    # All of them, in the order of their ids: two changes of the default wait for each other.
    await db.execute("SELECT FROM warehouses ORDER BY id FOR NO KEY UPDATE")
    await db.execute("UPDATE warehouses SET is_default = false WHERE is_default AND id IS DISTINCT FROM $1", but)


def _edited(before: _Row, given: WarehouseGiven, *, is_new: bool) -> _Row:
    problems = Problems()
    row = replace(before)
    if "code" in given or is_new:
        code = problems.required_line(given.get("code"), "A code", "code", max_chars=MAX_CODE_CHARS).upper()
        if code and not _CODE.fullmatch(code):
            problems.add(CommonErrorCode.INVALID, "A code has letters, digits, - and _.", "code")
        row.code = code
    if "name" in given or is_new:
        row.name = problems.required_line(given.get("name"), "A name", "name", max_chars=MAX_NAME_CHARS)
    if (priority := given.get("priority")) is not None:
        row.priority = priority
        if abs(priority) > MAX_INT:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "The number is too large.", "priority")
    if "country_code" in given:
        row.country_code = given["country_code"]
        if row.country_code is not None and country(row.country_code) is None:
            problems.add(CommonErrorCode.INVALID, "There is no such country.", "countryCode")
    if (time_zone := given.get("time_zone")) is not None:
        row.time_zone = time_zone
        if not is_time_zone(time_zone):
            problems.add(CommonErrorCode.INVALID, "Take a name of the IANA database: Europe/Berlin.", "timeZone")
    if (is_default := given.get("is_default")) is not None:
        row.is_default = is_default
    _edit_pickup(problems, row, given)
    problems.raise_if_any()
    return row


def _edit_pickup(problems: Problems, row: _Row, given: WarehouseGiven) -> None:
    if (enabled := given.get("pickup_enabled")) is not None:
        row.pickup_enabled = enabled
    if "address" in given:
        address = given["address"]
        row.address = orjson.dumps(address.to_json()).decode() if address else None
    if "opening_hours" in given:
        row.opening_hours = orjson.dumps(_hours(problems, given["opening_hours"] or [])).decode()
    if "pickup_instructions" in given:
        text = problems.text(given["pickup_instructions"], MAX_INSTRUCTIONS_CHARS, "pickupInstructions")
        row.pickup_instructions = text or ""
    if (hours := given.get("pickup_ready_hours")) is not None:
        row.pickup_ready_hours = hours
        if not 0 <= hours <= MAX_READY_HOURS:
            problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 0 to {MAX_READY_HOURS} hours.", "pickupReadyHours")
    if row.pickup_enabled and row.address is None:
        problems.add(CommonErrorCode.REQUIRED, "Shoppers need its address to come there.", "address")


def _hours(problems: Problems, given: Sequence[OpeningHours]) -> list[OpeningHours]:
    if len(given) > MAX_OPENING_HOURS:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_OPENING_HOURS} entries.", "openingHours")
        return []
    for index, one in enumerate(given):
        times = [one["opens"], one["closes"]]
        if not 1 <= one["weekday"] <= 7 or not all(map(_TIME.fullmatch, times)) or times[0] >= times[1]:
            message = "A weekday from 1 (Monday) to 7, and times such as 09:00 and 18:30, the earlier first."
            problems.add(CommonErrorCode.INVALID, message, "openingHours", index)
    return sorted(given, key=lambda one: (one["weekday"], one["opens"]))
