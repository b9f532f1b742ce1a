"""Orders of before there were profiles: each gets its person, with figures, stage and dates, and starts no flow.

`tradewind migrate` asks for it, and workers do it from person to person behind running business: a shop with a hundred
thousand old orders is open meanwhile. What a killed worker has done stays done. An order that a worker or a server of
the release before places during the upgrade is found by another look, an hour later.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app import clock, db, events
from app.customers import identification, lifecycle, timeline

WANTED = "orders.buyers_wanted"
BATCH = 200
"""Orders that are looked through for each event."""
LOOK_AGAIN_SECONDS = 3600.0
_NOBODY = uuid.UUID(int=0)

_OLD = "profile_id IS NULL AND coalesce(email, phone) IS NOT NULL"
_ANY = f"SELECT EXISTS (SELECT FROM orders WHERE {_OLD})"
_IS_ASKED_FOR = "SELECT EXISTS (SELECT FROM events WHERE type = $1 AND acknowledged_at IS NULL)"
_BATCH = f"SELECT id, email FROM orders WHERE id > $1 AND {_OLD} ORDER BY id LIMIT $2"

# All that one person has ordered, locked as those do who change an order: the order, then the profile. A number alone
# is no key to other orders.
_OF_ONE_PERSON = f"""
    SELECT id, email, phone, cart_id, placed_at, cancelled_at, total_minor, currency_code,
           coalesce(shipping_address, billing_address) AS address
    FROM orders WHERE {_OLD} AND CASE WHEN $2::text IS NULL THEN id = $1 ELSE lower(email) = lower($2) END
    ORDER BY id FOR UPDATE
"""
# Somebody whom these orders made known has been known, and was seen last, as long ago as they are.
_ADOPT = """
    WITH adopted AS (UPDATE orders SET profile_id = $1 WHERE id = ANY($2))
    UPDATE profiles
    SET last_seen_at = CASE WHEN created_at >= $5 THEN $4 ELSE last_seen_at END, created_at = least(created_at, $3)
    WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one batch: where the next one begins, and how many orders found their person."""

    through: uuid.UUID | None
    adopted: int


async def request() -> bool:
    """Ask for it if there are such orders and nobody has asked yet. True when it was asked for now."""
    async with db.unit_of_work():
        if not await db.fetchval(_ANY) or await db.fetchval(_IS_ASKED_FOR, WANTED):
            return False
        await events.record(WANTED)
    return True


async def look(after: uuid.UUID | None) -> Looked:
    """Give the next orders their people, a transaction for each person. Repeating it changes nothing."""
    rows = await db.fetch(_BATCH, after or _NOBODY, BATCH)
    adopted = sum([await adopt(row["id"], row["email"]) for row in rows])
    return Looked(rows[-1]["id"] if len(rows) == BATCH else None, adopted)


async def ask_on(looked: Looked, adopted_before: int) -> None:
    """Record what comes after a batch: the next one; else, where there was anything to do, another look later."""
    adopted = adopted_before + looked.adopted
    async with db.unit_of_work():
        if looked.through is not None:
            await events.record(WANTED, payload={"after": str(looked.through), "adopted": adopted})
        elif adopted:
            await events.record(WANTED, delay_seconds=LOOK_AGAIN_SECONDS)


async def adopt(order_id: uuid.UUID, email: str | None) -> int:
    """Make an order somebody's, with every other one under the same email; how many these were."""
    async with db.unit_of_work():
        orders = await db.fetch(_OF_ONE_PERSON, order_id, email)
        if orders:
            profile_id = await _person(orders)
            for order in orders:
                await _tell(order, profile_id)
                await lifecycle.note_reorders(order["id"])
            await lifecycle.refresh(profile_id)
    return len(orders)


async def _person(orders: Sequence[Mapping[str, Any]]) -> uuid.UUID:
    """The buyer, known by the latest order, and the owner of all of them."""
    latest = max(orders, key=lambda order: order["placed_at"])
    address = orjson.loads(latest["address"]) if latest["address"] else {}
    now = await clock.now()
    profile_id = await identification.identify(
        email=latest["email"],
        phone=latest["phone"],
        first_name=address.get("first_name"),
        last_name=address.get("last_name"),
        country_code=address.get("country_code"),
        postal_code=address.get("postal_code"),
        source="ORDER",
    )
    first = min(order["placed_at"] for order in orders)
    ids = [order["id"] for order in orders]
    await db.execute(_ADOPT, profile_id, ids, first, latest["placed_at"], now)
    return profile_id


async def _tell(order: Mapping[str, Any], profile_id: uuid.UUID) -> None:
    """Lines of the timeline alone: it is long ago, so nothing begins."""
    ids = {"profile_id": profile_id, "cart_id": order["cart_id"], "order_id": order["id"]}
    facts = {"totalMinor": order["total_minor"], "currencyCode": order["currency_code"]}
    await timeline.note("order.placed", **ids, occurred_at=order["placed_at"], data=facts)
    if order["cancelled_at"]:
        await timeline.note("order.cancelled", **ids, occurred_at=order["cancelled_at"])
