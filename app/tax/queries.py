"""Reading zones and settings for staff; pricing has `app.tax.settings`."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import orjson

from app import db
from app.addresses.locations import Location
from app.tax.terms import ShippingTax


@dataclass(frozen=True, slots=True)
class StoredRate:
    tax_class_id: uuid.UUID
    name: str
    percentage: Decimal
    compound: bool
    code: str | None


@dataclass(frozen=True, slots=True)
class StoredZone:
    id: uuid.UUID
    name: str
    locations: tuple[Location, ...]
    shipping: ShippingTax | None
    rates: tuple[StoredRate, ...]
    position: int
    created_at: dt.datetime
    updated_at: dt.datetime


async def stored_zones(zone_ids: Sequence[uuid.UUID] | None = None) -> list[StoredZone]:
    """Some zones or all of them, in the shop's order. One statement."""
    rows = await db.fetch(
        """
        SELECT z.id, z.name, z.locations, z.shipping, z.position, z.created_at, z.updated_at, (
            SELECT coalesce(json_agg(json_build_array(
                r.tax_class_id, r.name, r.percentage::text, r.compound, r.code) ORDER BY r.position, r.id), '[]')
            FROM tax_rates r WHERE r.zone_id = z.id
        ) AS rates
        FROM tax_zones z
        WHERE $1::uuid[] IS NULL OR z.id = ANY($1)
        ORDER BY z.position, z.id
        """,
        None if zone_ids is None else list(zone_ids),
    )
    return [
        StoredZone(
            id=row["id"],
            name=row["name"],
            locations=tuple(Location.read(location) for location in orjson.loads(row["locations"])),
            shipping=ShippingTax(row["shipping"]) if row["shipping"] else None,
            rates=tuple(
                StoredRate(uuid.UUID(class_id), name, _plain(percentage), compound, code)
                for class_id, name, percentage, compound, code in orjson.loads(row["rates"])
            ),
            position=row["position"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in rows
    ]


def _plain(percentage: str) -> Decimal:
    """19, not 19.000000 nor 1.9E+1."""
    return Decimal(f"{Decimal(percentage).normalize():f}")
