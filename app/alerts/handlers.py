"""Telling those who wait for a variant, a batch at a time."""

import uuid

from app import db, events
from app.alerts.models import AlertKind
from app.alerts.pricing import sql_of_waiting
from app.alerts.service import SQL_TO_SELL
from app.alerts.watching import CHANGED
from app.customers import timeline
from app.events import Event

BATCH = 200

# Whom the variant as it is now would please. A market that sells in another currency since has no price below.
_PLEASED = f"""
    WITH {sql_of_waiting()}
    SELECT w.id, w.profile_id
    FROM priced w CROSS JOIN product_variants v JOIN products p ON p.id = v.product_id
    WHERE v.id = $1 AND v.removed_at IS NULL AND p.status = 'ACTIVE'
      AND CASE w.kind WHEN 'PRICE_DROP'
                      THEN w.price < w.price_minor AND w.currency_code = coalesce(w.asked_in, w.currency_code)
                      ELSE coalesce({SQL_TO_SELL} > 0, true) END
    ORDER BY w.id LIMIT $2
"""
_TRIGGER = f"""
    WITH {sql_of_waiting("a.id = ANY($2::uuid[])")}
    UPDATE product_alerts a SET triggered_at = business_now()
    FROM priced w JOIN product_variants v ON v.id = $1
    WHERE a.id = w.id AND a.triggered_at IS NULL AND a.cancelled_at IS NULL
    RETURNING a.id, a.kind, a.profile_id, a.market_id, w.company_id, a.price_minor AS old_price, w.price AS new_price,
              w.currency_code, v.product_id
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
    for row in await db.fetch(_TRIGGER, event.subject_id, [row["id"] for row in pleased]):
        await _tell(event.subject_id, row)
    if len(pleased) == BATCH:
        await events.record(CHANGED, subject_id=event.subject_id)


async def _tell(variant_id: uuid.UUID, row: db.Record) -> None:
    facts: dict[str, object] = {"variantId": str(variant_id), "alertId": str(row["id"])}
    for name, column in (("marketId", "market_id"), ("companyId", "company_id")):
        if row[column] is not None:
            facts[name] = str(row[column])
    if row["kind"] == AlertKind.PRICE_DROP:
        prices = {"oldPriceMinor": row["old_price"], "newPriceMinor": row["new_price"]}
        facts |= {**prices, "currencyCode": row["currency_code"]}
        event_type = "alert.price_drop"
    else:
        event_type = "alert.back_in_stock"
    await timeline.record(event_type, profile_id=row["profile_id"], product_id=row["product_id"], data=facts)
