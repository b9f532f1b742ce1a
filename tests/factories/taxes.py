"""Zones, classes and rates of tax, as rows."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from app import db
from app.kit.ids import new_id

Rate = tuple[str, str]
"""Name and percentage."""


async def tax_class(code: str = "standard", *, is_default: bool | None = None) -> uuid.UUID:
    """The class of this code, made where it is not there; the first one is the default, unless told otherwise."""
    there = await db.fetchval("SELECT id FROM tax_classes WHERE code = $1", code)
    if there is not None:
        return uuid.UUID(str(there))
    class_id = new_id()
    await db.execute(
        """
        INSERT INTO tax_classes (id, name, code, is_default, created_at, updated_at)
        VALUES ($1, $2, $3, coalesce($4, NOT EXISTS (SELECT FROM tax_classes)), business_now(), business_now())
        """,
        class_id,
        code.title(),
        code,
        is_default,
    )
    return class_id


async def zone(
    *locations: Mapping[str, Any] | str,
    name: str = "Somewhere",
    shipping: str | None = None,
    position: int = 0,
    **rates: str | Sequence[Rate],
) -> uuid.UUID:
    """A zone of locations, or of country codes.

    Args:
        rates: by the code of the class: a percentage of VAT, or names and percentages.
    """
    zone_id = new_id()
    written = [{"country": one} if isinstance(one, str) else dict(one) for one in locations or ("US",)]
    await db.execute(
        """
        INSERT INTO tax_zones (id, name, locations, shipping, position, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, business_now(), business_now())
        """,
        zone_id,
        name,
        orjson.dumps(written).decode(),
        shipping,
        position,
    )
    for code, listed in rates.items():
        class_id = await tax_class(code)
        for place, (rate_name, percentage) in enumerate([("VAT", listed)] if isinstance(listed, str) else listed):
            await db.execute(
                """
                INSERT INTO tax_rates (id, zone_id, tax_class_id, name, percentage, position)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                new_id(),
                zone_id,
                class_id,
                rate_name,
                Decimal(percentage),
                place,
            )
    return zone_id


async def settings(**columns: object) -> None:
    """The shop's settings: columns that differ from the defaults."""
    given = {"id": 1, "updated_at": dt.datetime.now(dt.UTC), **columns}
    names = ", ".join(given)
    await db.execute("DELETE FROM tax_settings")
    await db.execute(
        f"INSERT INTO tax_settings ({names}) VALUES ({', '.join(f'${n}' for n in range(1, len(given) + 1))})",
        *given.values(),
    )


async def exemption(
    customer_id: uuid.UUID | None,
    *,
    company_id: uuid.UUID | None = None,
    country_code: str | None = None,
    province_code: str | None = None,
    certificate_number: str = "ST-120 88",
    valid_until: dt.date | None = None,
) -> uuid.UUID:
    exemption_id = new_id()
    await db.execute(
        """
        INSERT INTO tax_exemptions (id, customer_id, company_id, country_code, province_code, certificate_number,
                                    valid_until, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, business_now())
        """,
        exemption_id,
        customer_id,
        company_id,
        country_code,
        province_code,
        certificate_number,
        valid_until,
    )
    return exemption_id


async def checked(tax_id: str, state: str) -> None:
    """What the register said of a number."""
    await db.execute(
        """
        INSERT INTO tax_id_checks (id, tax_id, state, requested_at, checked_at)
        VALUES ($1, $2, $3, business_now(), CASE WHEN $3 <> 'PENDING' THEN business_now() END)
        """,
        new_id(),
        tax_id,
        state,
    )
