"""What the books say of who buys, in one statement, where a discount on offer asks for it."""

import uuid
from dataclasses import replace

import orjson

from app import db
from app.customers.addresses import address_hashes
from app.messaging.models import MessageChannel
from app.promotions.terms import Buyer, BuyerFacts, Offered

FOR_FIRST_ORDERS = """rule @> '{"requires": {"first_order": true}}'"""
"""SQL: of a discount. There is one first order, so one buyer uses one of all these, also while it is being paid for."""

_FACTS = f"""
    SELECT (
               SELECT json_object_agg(used.discount_id, used.uses)
               FROM (
                   SELECT discount_id, count(*) AS uses FROM discount_redemptions
                   WHERE discount_id = ANY($1) AND contact_hash = ANY($2) AND state <> 'RELEASED' GROUP BY 1
               ) used
           ) AS uses,
           $10 AND EXISTS (
               SELECT FROM discounts f JOIN discount_redemptions r ON r.discount_id = f.id
               WHERE f.{FOR_FIRST_ORDERS} AND r.contact_hash = ANY($2) AND r.state <> 'RELEASED'
           ) AS has_used_first_order,
           CASE
               WHEN NOT $3 THEN false
               WHEN $4::text IS NOT NULL
               THEN EXISTS (SELECT FROM orders WHERE lower(email) = lower($4) AND status <> 'CANCELLED')
               WHEN $5::text IS NOT NULL
               THEN EXISTS (SELECT FROM orders WHERE phone = $5 AND status <> 'CANCELLED')
               ELSE false
           END AS has_ordered,
           (
               SELECT json_agg(m.segment_id) FROM segment_memberships m
               WHERE m.segment_id = ANY($6) AND m.member AND m.profile_id = CASE
                   WHEN $4 IS NOT NULL
                   THEN (SELECT id FROM profiles WHERE lower(email) = lower($4) AND merged_into_id IS NULL)
                   WHEN $5 IS NOT NULL
                   THEN (SELECT id FROM profiles WHERE phone = $5 AND email IS NULL AND merged_into_id IS NULL)
                   ELSE (SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $7)
               END
           ) AS segments,
           (
               SELECT json_agg(group_id) FROM customer_group_members WHERE customer_id = $8 AND group_id = ANY($9)
           ) AS customer_groups
"""


_NOBODY = BuyerFacts()


def contact_hashes(email: str | None, phone: str | None) -> list[bytes]:
    """Who a buyer is to limits for each customer: the email, else the phone; newest key first, empty for nobody."""
    if email:
        return address_hashes(MessageChannel.EMAIL, email)
    return address_hashes(MessageChannel.SMS, phone) if phone else []


async def with_buyer(offered: Offered, buyer: Buyer) -> Offered:
    """With what decides for this buyer. Nothing is read where no discount depends on it, or nobody is known."""
    limited = [terms.discount_id for terms in offered.terms if terms.limit_per_customer is not None]
    for_first_orders = any(terms.referrer_id or terms.rule.requires.first_order for terms in offered.terms)
    segment_ids = frozenset[uuid.UUID]().union(*(terms.rule.requires.segment_ids for terms in offered.terms))
    group_ids = frozenset[uuid.UUID]().union(*(terms.rule.requires.customer_group_ids for terms in offered.terms))
    asked = limited or for_first_orders or segment_ids or group_ids
    if not asked or not (buyer.is_known or buyer.customer_id):
        return offered if offered.buyer == _NOBODY else replace(offered, buyer=_NOBODY)
    row = await db.fetchrow(
        _FACTS,
        limited,
        contact_hashes(buyer.email, buyer.phone) if limited or for_first_orders else [],
        for_first_orders,
        buyer.email or None,
        buyer.phone or None,
        list(segment_ids),
        buyer.profile_id,
        buyer.customer_id,
        list(group_ids),
        any(terms.rule.requires.first_order for terms in offered.terms),
    )
    if row is None:
        raise RuntimeError("a statement without FROM has one row")
    uses = {uuid.UUID(discount_id): count for discount_id, count in orjson.loads(row["uses"] or "{}").items()}
    facts = BuyerFacts(
        uses=uses,
        has_ordered=row["has_ordered"],
        has_used_first_order=row["has_used_first_order"],
        segment_ids=_ids(row["segments"]),
        customer_group_ids=_ids(row["customer_groups"]),
    )
    return replace(offered, buyer=facts)


def _ids(text: str | None) -> frozenset[uuid.UUID]:
    return frozenset(uuid.UUID(one) for one in orjson.loads(text or "[]"))
