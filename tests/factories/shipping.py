"""Shipping zones and methods, as rows."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import db
from app.kit.ids import new_id

FLAT_599: dict[str, Any] = {"kind": "FLAT", "price_minor": 599}
TWO_TO_FOUR_DAYS: dict[str, Any] = {"transit_days_min": 2, "transit_days_max": 4}


async def zone(
    *locations: Mapping[str, Any] | str,
    methods: Sequence[Mapping[str, Any]] | None = None,
    name: str = "Somewhere",
    position: int = 0,
) -> uuid.UUID:
    """A zone of locations, or of country codes; unless told otherwise with one flat method at 5.99.

    Args:
        methods: columns that differ from UPS Ground, 5.99, two to four days: `carrier`, `service`, `rate` ….
    """
    zone_id = new_id()
    written = [{"country": one} if isinstance(one, str) else dict(one) for one in locations or ("US",)]
    await db.execute(
        """
        INSERT INTO shipping_zones (id, name, locations, position, created_at, updated_at)
        VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp())
        """,
        zone_id,
        name,
        orjson.dumps(written).decode(),
        position,
    )
    for place, method in enumerate([{}] if methods is None else methods):
        await db.execute(
            """
            INSERT INTO shipping_methods (id, zone_id, carrier, service, rate, delivery, is_active, position)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            new_id(),
            zone_id,
            method.get("carrier", "UPS"),
            method.get("service", "Ground"),
            orjson.dumps(method.get("rate", FLAT_599)).decode(),
            orjson.dumps(method.get("delivery", TWO_TO_FOUR_DAYS)).decode(),
            method.get("is_active", True),
            place,
        )
    return zone_id
