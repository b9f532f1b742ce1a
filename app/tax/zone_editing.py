"""Staff change where which taxes are due."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from app import clock, db
from app.addresses.locations import checked_locations
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.tax.terms import ShippingTax

MAX_ZONES = 1000
MAX_RATES = 200
MAX_NAME_CHARS = 120
MAX_CODE_CHARS = 64
MAX_DECIMALS = 6

_CREATE_LOCK = 0x7461_787A
"""Creating zones side by side must not pass the limit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDraft:
    """A tax on one class, in percent; of one class they are levied in the order given."""

    tax_class_id: uuid.UUID
    name: str
    percentage: Decimal
    compound: bool = False
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDraft:
    """What is None stays as it is; `rates`, where given, replace all of the zone's.

    Attributes:
        shipping: `()` is the shop's own choice.
    """

    name: str | None = None
    locations: Sequence[Mapping[str, Any]] | None = None
    rates: Sequence[RateDraft] | None = None
    shipping: ShippingTax | tuple[()] | None = None
    position: int | None = None


async def create_zone(draft: ZoneDraft) -> uuid.UUID:
    """Raises DomainErrors: REQUIRED, INVALID, TOO_LONG, TOO_MANY, OUT_OF_RANGE, NOT_FOUND for a class; each with its
    field below `input`."""
    checked = _check(draft, complete=True)
    zone_id = new_id()
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _CREATE_LOCK)
        if await db.fetchval("SELECT count(*) FROM tax_zones") >= MAX_ZONES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_ZONES} tax zones.", ["input"])
        await db.execute(
            """
            INSERT INTO tax_zones (id, name, locations, shipping, position, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            """,
            zone_id,
            checked.name,
            checked.locations,
            checked.shipping,
            checked.position or 0,
            await clock.now(),
        )
        await _write_rates(zone_id, draft.rates or ())
    return zone_id


async def update_zone(zone_id: uuid.UUID, draft: ZoneDraft) -> None:
    """Raises DomainError(NOT_FOUND) for the zone, else as `create_zone`."""
    checked = _check(draft, complete=False)
    async with db.unit_of_work():
        # Its row is locked by the update, so that two replacements of the rates follow each other.
        changed = await db.execute(
            """
            UPDATE tax_zones
            SET name = coalesce($2, name), locations = coalesce($3::jsonb, locations),
                shipping = CASE WHEN $5 THEN $4 ELSE shipping END, position = coalesce($6, position), updated_at = $7
            WHERE id = $1
            """,
            zone_id,
            checked.name,
            checked.locations,
            checked.shipping,
            draft.shipping is not None,
            checked.position,
            await clock.now(),
        )
        if not changed:
            raise not_found("tax zone", ["id"])
        if draft.rates is not None:
            await db.execute("DELETE FROM tax_rates WHERE zone_id = $1", zone_id)
            await _write_rates(zone_id, draft.rates)


async def delete_zone(zone_id: uuid.UUID) -> None:
    """With its rates. What was sold keeps the taxes that were charged. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await db.execute("DELETE FROM tax_zones WHERE id = $1", zone_id):
            raise not_found("tax zone", ["id"])


@dataclass(frozen=True, slots=True)
class _Zone:
    name: str | None
    locations: str | None
    shipping: str | None
    position: int | None


def _check(draft: ZoneDraft, *, complete: bool) -> _Zone:
    problems = Problems()
    name = locations = None
    if draft.name is not None or complete:
        name = problems.required_line(draft.name, "A name", "name", max_chars=MAX_NAME_CHARS)
    if draft.locations is not None or complete:
        checked, wrong = checked_locations(draft.locations or [], ["input", "locations"])
        locations = orjson.dumps(checked).decode()
        for error in wrong:
            problems.note(error)
    if draft.position is not None:
        problems.count(draft.position, "position")
    if len(draft.rates or ()) > MAX_RATES:
        problems.add(CommonErrorCode.TOO_MANY, f"A zone has at most {MAX_RATES} rates.", "rates")
    else:
        for place, rate in enumerate(draft.rates or ()):
            _check_rate(rate, problems, place)
    problems.raise_if_any()
    return _Zone(name, locations, draft.shipping.value if draft.shipping else None, draft.position)


def _check_rate(rate: RateDraft, problems: Problems, place: int) -> None:
    problems.required_line(rate.name, "A name", "rates", place, "name", max_chars=MAX_NAME_CHARS)
    problems.line(rate.code, "rates", place, "code", max_chars=MAX_CODE_CHARS)
    percentage = rate.percentage
    if not (percentage.is_finite() and 0 <= percentage <= 100):
        message = "A percentage lies between 0 and 100."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "rates", place, "percentage")
    elif percentage != round(percentage, MAX_DECIMALS):
        message = f"A percentage has at most {MAX_DECIMALS} digits after the point."
        problems.add(CommonErrorCode.INVALID, message, "rates", place, "percentage")


async def _write_rates(zone_id: uuid.UUID, rates: Sequence[RateDraft]) -> None:
    """Raises DomainError(NOT_FOUND) for a class. Classes stay as long as this takes."""
    rows = await db.fetch(
        "SELECT id FROM tax_classes WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE",
        list({rate.tax_class_id for rate in rates}),
    )
    present = {row["id"] for row in rows}
    for place, rate in enumerate(rates):
        if rate.tax_class_id not in present:
            raise not_found("tax class", ["input", "rates", place, "taxClassId"])
    await db.execute(
        """
        INSERT INTO tax_rates (id, zone_id, tax_class_id, name, percentage, compound, code, position)
        SELECT r.id, $1, r.tax_class_id, r.name, r.percentage, r.compound, r.code, r.position - 1
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::numeric[], $6::bool[], $7::text[])
             WITH ORDINALITY AS r (id, tax_class_id, name, percentage, compound, code, position)
        """,
        zone_id,
        [new_id() for _ in rates],
        [rate.tax_class_id for rate in rates],
        [" ".join(rate.name.split()) for rate in rates],
        [rate.percentage for rate in rates],
        [rate.compound for rate in rates],
        [" ".join(rate.code.split()) or None if rate.code else None for rate in rates],
    )
