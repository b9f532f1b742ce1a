"""Noticing that something has changed of a variant that somebody waits for.

Called by whoever changes stock or prices, inside their transaction: one look into an index, and nothing at all to write
where nobody waits. What the change means is worked out after the commit, see `handlers`.
"""

import uuid
from collections.abc import Iterable

from app import db, events

CHANGED = "alerts.variant_changed"

_AWAITED = """
    SELECT DISTINCT variant_id FROM product_alerts
    WHERE variant_id = ANY($1::uuid[]) AND triggered_at IS NULL AND cancelled_at IS NULL ORDER BY variant_id
"""
_AWAITED_IN_LIST = """
    SELECT DISTINCT a.variant_id FROM product_alerts a
    WHERE a.kind = 'PRICE_DROP' AND a.triggered_at IS NULL AND a.cancelled_at IS NULL AND (
        coalesce(a.market_id, (SELECT id FROM markets WHERE is_default)) IN (
            SELECT id FROM markets WHERE price_list_id = $1
        )
        OR a.company_id IN (SELECT id FROM companies WHERE price_list_id = $1)
        OR a.profile_id IN (
            SELECT k.profile_id FROM customer_group_price_lists gl
            JOIN customer_group_members g ON g.group_id = gl.group_id JOIN customers k ON k.id = g.customer_id
            WHERE gl.price_list_id = $1
        )
    )
    ORDER BY a.variant_id
"""
_AWAITED_IN_MARKET = """
    SELECT DISTINCT a.variant_id FROM product_alerts a
    WHERE a.kind = 'PRICE_DROP' AND a.triggered_at IS NULL AND a.cancelled_at IS NULL
      AND coalesce(a.market_id, (SELECT id FROM markets WHERE is_default)) = $1
    ORDER BY a.variant_id
"""
_AWAITED_BY = """
    SELECT DISTINCT a.variant_id FROM product_alerts a JOIN customers k ON k.profile_id = a.profile_id
    WHERE k.id = ANY($1::uuid[]) AND a.kind = 'PRICE_DROP' AND a.triggered_at IS NULL AND a.cancelled_at IS NULL
    ORDER BY a.variant_id
"""
_AWAITED_OF_ATTEMPT = """
    SELECT DISTINCT r.variant_id FROM stock_reservations r JOIN product_alerts a ON a.variant_id = r.variant_id
    WHERE r.attempt_id = $1 AND a.triggered_at IS NULL AND a.cancelled_at IS NULL ORDER BY r.variant_id
"""


async def changed(variant_ids: Iterable[uuid.UUID]) -> None:
    """Stock came in, or prices or terms of sale are others now."""
    ids = list(variant_ids)
    if ids:
        await _tell(await db.fetch(_AWAITED, ids))


async def repriced(price_list_id: uuid.UUID) -> None:
    """The list makes other prices of the shop's now, or somebody else buys by it."""
    await _tell(await db.fetch(_AWAITED_IN_LIST, price_list_id))


async def repriced_in(market_id: uuid.UUID) -> None:
    """The market sells by another list now, by none, or is about to go."""
    await _tell(await db.fetch(_AWAITED_IN_MARKET, market_id))


async def regrouped(customer_ids: Iterable[uuid.UUID]) -> None:
    """These accounts are in other groups now, which may have prices of their own."""
    await _tell(await db.fetch(_AWAITED_BY, list(customer_ids)))


async def given_back(attempt_id: uuid.UUID) -> None:
    """What an attempt to order had taken can be sold again."""
    await _tell(await db.fetch(_AWAITED_OF_ATTEMPT, attempt_id))


async def _tell(rows: Iterable[db.Record]) -> None:
    for row in rows:
        await events.record(CHANGED, subject_id=row["variant_id"])
