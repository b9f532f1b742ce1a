"""Fetching an order from a store: a warehouse that shoppers may come to, which has all that is to be fetched.

It is offered beside the ways to ship and promised as they are, by a signed quote; it costs nothing. The stock is taken
from that store alone.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app import db
from app.addresses.postal import Destination, PostalAddress
from app.shipping.rules import Shippable

CARRIER = "Pick-up"
"""Stands where a quote has its carrier; the service is the store's name."""

_COLUMNS = """
    w.id, w.name, w.address, w.opening_hours, w.pickup_instructions, w.pickup_ready_hours, w.time_zone
"""
# Units that a checkout keeps count for it, wherever they are: they are taken anew at the store.
_HAVING = f"""
    SELECT {_COLUMNS} FROM warehouses w
    WHERE w.pickup_enabled AND ($1::text IS NULL OR w.address ->> 'country_code' = $1)
      AND ($2::uuid IS NULL OR w.id = $2)
      AND NOT EXISTS (
          SELECT FROM jsonb_to_recordset($3::jsonb) AS d (variant_id uuid, units int)
          JOIN product_variants v ON v.id = d.variant_id
          WHERE v.track_inventory AND d.units > coalesce((
              SELECT s.available - s.backordered + coalesce((
                  SELECT sum(r.quantity) FROM stock_reservations r
                  WHERE r.stock_level_id = s.id AND r.checkout_id = $4 AND r.state = 'HELD'
              ), 0)
              FROM stock_levels s WHERE s.variant_id = d.variant_id AND s.warehouse_id = w.id
          ), 0)
      )
    ORDER BY w.priority, w.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupLocation:
    """A store.

    Attributes:
        opening_hours: `[{"weekday": 1, "opens": "09:00", "closes": "18:00"}, …]` in `time_zone`; Monday is 1.
        ready_hours: from the order on.
    """

    id: uuid.UUID
    name: str
    address: PostalAddress
    opening_hours: list[dict[str, Any]]
    instructions: str
    ready_hours: int
    time_zone: str

    @property
    def destination(self) -> Destination:
        """Where the goods change hands: what is due in taxes goes by this."""
        place = self.address
        return Destination(place.country_code, place.province_code, place.postal_code, place.city)

    def ready_at(self, now: dt.datetime) -> dt.datetime:
        return now + dt.timedelta(hours=self.ready_hours)

    def to_json(self) -> dict[str, object]:
        """What an order keeps of it."""
        return {
            "name": self.name,
            "address": self.address.to_json(),
            "openingHours": self.opening_hours,
            "instructions": self.instructions,
        }


def location_of(row: db.Record) -> PickupLocation:
    return PickupLocation(
        id=row["id"],
        name=row["name"],
        address=PostalAddress.from_json(orjson.loads(row["address"])),
        opening_hours=orjson.loads(row["opening_hours"]),
        instructions=row["pickup_instructions"],
        ready_hours=row["pickup_ready_hours"],
        time_zone=row["time_zone"],
    )


async def near(country_code: str | None, postal_code: str | None) -> list[PickupLocation]:
    """Stores in a country or in all of them; those first whose postal code begins most like this one."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM warehouses w
        WHERE w.pickup_enabled AND ($1::text IS NULL OR w.address ->> 'country_code' = $1) ORDER BY w.priority, w.id
        """,
        country_code,
    )
    wanted = _compact(postal_code)
    return sorted(map(location_of, rows), key=lambda one: -_alike(wanted, _compact(one.address.postal_code)))


def _compact(postal_code: str | None) -> str:
    return "".join((postal_code or "").split()).upper()


def _alike(one: str, other: str) -> int:
    """How many letters the two begin with in common."""
    alike = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        alike += 1
    return alike


async def find(location_id: uuid.UUID) -> PickupLocation | None:
    """None for a warehouse that nobody may come to."""
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM warehouses w WHERE w.pickup_enabled AND w.id = $1", location_id)
    return location_of(row) if row else None


async def having(
    lines: Sequence[Shippable],
    *,
    country_code: str | None = None,
    location_id: uuid.UUID | None = None,
    checkout_id: uuid.UUID | None = None,
) -> list[PickupLocation]:
    """Stores that have all of the lines that would be shipped.

    Args:
        checkout_id: whose units, kept for its shopper, count as there.
    """
    units: Counter[uuid.UUID] = Counter()
    for line in lines:
        if line.requires_shipping:
            units[line.variant_id] += line.quantity
    wanted = [{"variant_id": variant, "units": count} for variant, count in units.items()]
    rows = await db.fetch(_HAVING, country_code, location_id, orjson.dumps(wanted, default=str).decode(), checkout_id)
    return [location_of(row) for row in rows]
