"""Staff change where the shop ships and by which methods."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from app import clock, db
from app.addresses.locations import checked_locations
from app.carriers.registry import normalise_carrier_name
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id
from app.shipping.delivery import read_delivery
from app.shipping.errors import as_domain_errors
from app.shipping.rates import RATE

MAX_ZONES = 100
MAX_METHODS = 50
MAX_NAME_CHARS = 120
MAX_SERVICE_CHARS = 120

# Creating zones side by side must not pass the limit together.
_CREATE_LOCK = 0x7368_6970


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDraft:
    """`rate` and `delivery` as `rates.py` and `delivery.py` describe them; an `id` changes the method that has it."""

    carrier: str
    service: str
    rate: Mapping[str, Any]
    delivery: Mapping[str, Any] | None = None
    is_active: bool = True
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDraft:
    """What is None stays as it is; methods, where given, replace all of the zone's."""

    name: str | None = None
    locations: Sequence[Mapping[str, Any]] | None = None
    methods: Sequence[MethodDraft] | None = None
    position: int | None = None


async def create_zone(draft: ZoneDraft) -> uuid.UUID:
    """Raises DomainErrors: REQUIRED, INVALID, TOO_LONG, TOO_MANY, NOT_FOUND, each with its field below `input`."""
    checked = _check(draft, complete=True)
    for place, method in enumerate(checked.methods or []):
        if method.id:
            raise not_found("shipping method in this zone", ["input", "methods", place, "id"])
    zone_id = new_id()
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _CREATE_LOCK)
        if await db.fetchval("SELECT count(*) FROM shipping_zones") >= MAX_ZONES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_ZONES} shipping zones.", ["input"])
        await db.execute(
            """
            INSERT INTO shipping_zones (id, name, locations, position, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $5)
            """,
            zone_id,
            checked.name,
            checked.locations,
            checked.position or 0,
            await clock.now(),
        )
        await _write_methods(zone_id, checked.methods or [])
    return zone_id


async def update_zone(zone_id: uuid.UUID, draft: ZoneDraft) -> None:
    """Raises DomainError(NOT_FOUND) for the zone or a method that is not the zone's, else as `create_zone`."""
    checked = _check(draft, complete=False)
    async with db.unit_of_work():
        changed = await db.execute(
            """
            UPDATE shipping_zones
            SET name = coalesce($2, name), locations = coalesce($3::jsonb, locations),
                position = coalesce($4, position), updated_at = $5
            WHERE id = $1
            """,
            zone_id,
            checked.name,
            checked.locations,
            checked.position,
            await clock.now(),
        )
        if not changed:
            raise not_found("shipping zone", ["id"])
        if checked.methods is not None:
            await _replace_methods(zone_id, checked.methods)


async def delete_zone(zone_id: uuid.UUID) -> None:
    """With its methods. Quotes that shoppers hold stay good. Raises DomainError(NOT_FOUND)."""
    if not await db.execute("DELETE FROM shipping_zones WHERE id = $1", zone_id):
        raise not_found("shipping zone", ["id"])


@dataclass(frozen=True, slots=True)
class _Method:
    id: uuid.UUID | None
    carrier: str
    service: str
    rate: str
    delivery: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class _Zone:
    name: str | None
    locations: str | None
    methods: list[_Method] | None
    position: int | None


def _check(draft: ZoneDraft, *, complete: bool) -> _Zone:
    errors: list[DomainError] = []
    name = None
    if draft.name is not None or complete:
        name = _line(draft.name or "", MAX_NAME_CHARS, ["input", "name"], errors)
    locations = None
    if draft.locations is not None or complete:
        checked, wrong = checked_locations(draft.locations or [], ["input", "locations"])
        locations = orjson.dumps(checked).decode()
        errors += wrong
    methods = None if draft.methods is None else _methods(draft.methods, errors)
    if draft.position is not None and not 0 <= draft.position < 2**31:
        errors.append(DomainError(CommonErrorCode.OUT_OF_RANGE, "A position is zero or more.", ["input", "position"]))
    if errors:
        raise DomainErrors(errors)
    return _Zone(name, locations, methods, draft.position)


def _line(text: str, max_chars: int, field: list[str | int], errors: list[DomainError]) -> str:
    line = " ".join(text.split())
    if not line:
        errors.append(DomainError(CommonErrorCode.REQUIRED, "This cannot be empty.", field))
    elif len(line) > max_chars:
        errors.append(DomainError(CommonErrorCode.TOO_LONG, f"At most {max_chars} characters.", field))
    elif not line.isprintable():
        errors.append(DomainError(CommonErrorCode.INVALID, "Control characters are not allowed.", field))
    return line


def _methods(given: Sequence[MethodDraft], errors: list[DomainError]) -> list[_Method]:
    field: list[str | int] = ["input", "methods"]
    if len(given) > MAX_METHODS:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"A zone has at most {MAX_METHODS} methods.", field))
        return []
    given_ids = [method.id for method in given if method.id]
    if len(set(given_ids)) < len(given_ids):
        errors.append(DomainError(CommonErrorCode.INVALID, "A method is named twice.", field))
    return [_method(method, [*field, place], errors) for place, method in enumerate(given)]


def _method(draft: MethodDraft, field: list[str | int], errors: list[DomainError]) -> _Method:
    carrier = rate = ""
    delivery = "{}"
    try:
        carrier = normalise_carrier_name(draft.carrier, [*field, "carrier"])
    except DomainError as problem:
        errors.append(problem)
    service = _line(draft.service, MAX_SERVICE_CHARS, [*field, "service"], errors)
    try:
        rate = RATE.dump_json(RATE.validate_python(draft.rate)).decode()
    except ValidationError as problem:
        errors.extend(as_domain_errors(problem, [*field, "rate"]))
    try:
        if checked := read_delivery(draft.delivery):
            delivery = checked.model_dump_json()
    except ValidationError as problem:
        errors.extend(as_domain_errors(problem, [*field, "delivery"]))
    return _Method(draft.id, carrier, service, rate, delivery, draft.is_active)


async def _replace_methods(zone_id: uuid.UUID, methods: Sequence[_Method]) -> None:
    """The zone's row is locked by its update, so that two replacements follow each other."""
    kept = [method.id for method in methods if method.id]
    rows = await db.fetch("SELECT id FROM shipping_methods WHERE zone_id = $1 FOR UPDATE", zone_id)
    present = {row["id"] for row in rows}
    for place, method in enumerate(methods):
        if method.id and method.id not in present:
            raise not_found("shipping method in this zone", ["input", "methods", place, "id"])
    await db.execute("DELETE FROM shipping_methods WHERE zone_id = $1 AND NOT id = ANY($2::uuid[])", zone_id, kept)
    await _write_methods(zone_id, methods)


async def _write_methods(zone_id: uuid.UUID, methods: Sequence[_Method]) -> None:
    await db.execute(
        """
        INSERT INTO shipping_methods (id, zone_id, carrier, service, rate, delivery, is_active, position)
        SELECT m.id, $1, m.carrier, m.service, m.rate, m.delivery, m.is_active, m.position - 1
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::bool[])
             WITH ORDINALITY AS m (id, carrier, service, rate, delivery, is_active, position)
        ON CONFLICT (id) DO UPDATE
        SET carrier = EXCLUDED.carrier, service = EXCLUDED.service, rate = EXCLUDED.rate,
            delivery = EXCLUDED.delivery, is_active = EXCLUDED.is_active, position = EXCLUDED.position
        """,
        zone_id,
        [method.id or new_id() for method in methods],
        [method.carrier for method in methods],
        [method.service for method in methods],
        [method.rate for method in methods],
        [method.delivery for method in methods],
        [method.is_active for method in methods],
    )
