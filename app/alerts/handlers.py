"""Telling those who wait for a variant, a batch at a time."""

import uuid

from app import db, events
from app.alerts.models import AlertKind
from app.alerts.service import SQL_TO_SELL
from app.alerts.watching import CHANGED
from app.customers import timeline
from app.events import Event
from app.markets.prices import sql_of_unit_price

BATCH = 200

# In the market where it was asked for, and by its price: a market that sells in another currency since has none below.
_LISTS = "price_lists_for(a.market_id, null, null)"
_PRICE = sql_of_unit_price("v", _LISTS)
_CURRENCY = f"""(
    SELECT coalesce((SELECT l.currency_code FROM price_lists l WHERE l.id = ({_LISTS})[1]), s.currency_code)
    FROM shop s WHERE s.id = 1
)"""
# Whom the variant as it is now would please.
_PLEASED = f"""
    SELECT a.id, a.profile_id
    FROM product_alerts a
    JOIN product_variants v ON v.id = a.variant_id JOIN products p ON p.id = v.product_id
    WHERE a.variant_id = $1 AND a.triggered_at IS NULL AND a.cancelled_at IS NULL
      AND v.removed_at IS NULL AND p.status = 'ACTIVE'
      AND CASE a.kind WHEN 'PRICE_DROP'
                      THEN {_PRICE} < a.price_minor AND {_CURRENCY} = coalesce(a.currency_code, {_CURRENCY})
                      ELSE coalesce({SQL_TO_SELL} > 0, true) END
    ORDER BY a.id LIMIT $2
"""
_TRIGGER = f"""
    UPDATE product_alerts a SET triggered_at = business_now()
    FROM product_variants v
    WHERE v.id = a.variant_id AND a.id = ANY($1::uuid[]) AND a.triggered_at IS NULL AND a.cancelled_at IS NULL
    RETURNING a.id, a.kind, a.profile_id, a.market_id, a.price_minor AS old_price, {_PRICE} AS new_price,
              {_CURRENCY} AS currency_code, v.product_id
"""


@events.on(CHANGED, name="alerts.tell")
async def on_variant_changed(event: Event) -> None:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no variant")
    pleased = await db.fetch(_PLEASED, event.subject_id, BATCH)
    if not pleased:
        return
    # Profiles before what hangs on them, as everybody locks.
    await db.execute(
        "SELECT FROM profiles WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE",
        [row["profile_id"] for row in pleased],
    )
    for row in await db.fetch(_TRIGGER, [row["id"] for row in pleased]):
        await _tell(event.subject_id, row)
    if len(pleased) == BATCH:
        await events.record(CHANGED, subject_id=event.subject_id)


async def _tell(variant_id: uuid.UUID, row: db.Record) -> None:
    facts: dict[str, object] = {"variantId": str(variant_id), "alertId": str(row["id"])}
    if row["market_id"] is not None:
        facts["marketId"] = str(row["market_id"])
    if row["kind"] == AlertKind.PRICE_DROP:
        prices = {"oldPriceMinor": row["old_price"], "newPriceMinor": row["new_price"]}
        facts |= {**prices, "currencyCode": row["currency_code"]}
        event_type = "alert.price_drop"
    else:
        event_type = "alert.back_in_stock"
    await timeline.record(event_type, profile_id=row["profile_id"], product_id=row["product_id"], data=facts)
