"""Terms of sale, as rows."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import db

ENGRAVING: dict[str, Any] = {"key": "engraving", "label": "Engraving", "type": "TEXT", "price_minor": 900}
WOOD: dict[str, Any] = {
    "key": "wood",
    "label": "Wood",
    "type": "CHOICE",
    "choices": [{"value": "oak", "label": "Oak"}, {"value": "walnut", "label": "Walnut", "price_minor": 2500}],
}


async def terms(
    product_id: uuid.UUID,
    *customizations: Mapping[str, Any],
    minimum: int | None = None,
    maximum: int | None = None,
    step: int | None = None,
    age: int | None = None,
    allowed: Sequence[str] = (),
    forbidden: Sequence[str] = (),
) -> None:
    """Sets all of a product's terms."""
    await db.execute(
        """
        INSERT INTO product_terms (product_id, customizations, minimum_quantity, maximum_quantity, quantity_step,
                                   minimum_age, allowed_regions, forbidden_regions, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, business_now())
        ON CONFLICT (product_id) DO UPDATE SET
            customizations = EXCLUDED.customizations, minimum_quantity = EXCLUDED.minimum_quantity,
            maximum_quantity = EXCLUDED.maximum_quantity, quantity_step = EXCLUDED.quantity_step,
            minimum_age = EXCLUDED.minimum_age, allowed_regions = EXCLUDED.allowed_regions,
            forbidden_regions = EXCLUDED.forbidden_regions
        """,
        product_id,
        orjson.dumps(list(customizations)).decode(),
        minimum,
        maximum,
        step,
        age,
        list(allowed),
        list(forbidden),
    )
