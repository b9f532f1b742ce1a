"""Whose prices a message shows: in the market where its reader buys, by the groups that their account is in."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app import db
from app.markets import current as markets
from app.markets.terms import Markets, MarketTerms


@dataclass(frozen=True, slots=True)
class Reader:
    """
    Attributes:
        customer_id: of the account whose groups may have prices of their own; None for what everybody pays.
        company_id: that a cart is for, or that an alert was asked for, as long as the account is its member.
    """

    market: MarketTerms
    customer_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None

    @property
    def arguments(self) -> tuple[uuid.UUID | None, ...]:
        """Of `price_lists_for`."""
        return self.market.id, self.customer_id, self.company_id


_MEMBER = """
    SELECT m.company_id FROM company_members m WHERE m.company_id = {company} AND m.customer_id = {customer}
"""
_OF_CART = f"""
    SELECT c.market_id, c.customer_id,
           ({_MEMBER.format(company="c.company_id", customer="c.customer_id")}) AS company_id
    FROM carts c WHERE c.id = $2
"""
# What was in no market was made before there were any, and says nothing.
_LAST = """
    SELECT market_id FROM (
        (
            SELECT c.market_id, c.updated_at AS at FROM carts c
            WHERE c.profile_id = person.id AND c.market_id IS NOT NULL ORDER BY c.updated_at DESC LIMIT 1
        ) UNION ALL (
            SELECT o.market_id, o.placed_at FROM orders o
            WHERE o.profile_id = person.id AND o.market_id IS NOT NULL ORDER BY o.placed_at DESC LIMIT 1
        )
    ) shopped ORDER BY at DESC LIMIT 1
"""
_READER = f"""
    SELECT (SELECT row_to_json(cart) FROM ({_OF_CART}) cart) AS cart,
           coalesce((SELECT o.market_id FROM orders o WHERE o.id = $3), ({_LAST})) AS market_id,
           (
               SELECT array_agg(a.address ->> 'country_code') FROM customer_addresses a
               WHERE a.id = k.default_shipping_address_id
           ) || person.country_code::text AS countries,
           k.id AS customer_id, ({_MEMBER.format(company="$4", customer="k.id")}) AS company_id
    FROM profiles known
    JOIN profiles person ON person.id = coalesce(known.merged_into_id, known.id)
    LEFT JOIN customers k ON k.profile_id = person.id
    WHERE known.id = $1
"""


async def reader(
    profile_id: uuid.UUID,
    context: Mapping[str, Any],
    *,
    cart_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
) -> Reader:
    """Who reads a message to this person. The first of these that is known decides the market: what the trigger names,
    the cart that it is about, the order, the latest cart or order of theirs, the country that their account ships to,
    the country of their profile, the default market.

    One statement, and none in a shop where everybody pays the same.

    Args:
        context: of the message: the trigger's data.
    """
    known = await markets.now()
    if cart_id is None and len(known.terms) == 1 and not known.groups_have_prices and "companyId" not in context:
        return Reader(known.default)
    row = await db.fetchrow(_READER, profile_id, cart_id, order_id, uuid_of(context.get("companyId")))
    told = uuid_of(context.get("marketId"))
    if row is None:
        return Reader(known.of_id(told))
    if told is not None:
        return Reader(known.of_id(told), row["customer_id"], row["company_id"])
    if row["cart"] is not None:
        cart = {name: uuid_of(value) for name, value in orjson.loads(row["cart"]).items()}
        return Reader(known.of_id(cart["market_id"]), cart["customer_id"], cart["company_id"])
    return Reader(_market(known, row), row["customer_id"])


def _market(known: Markets, row: Mapping[str, Any]) -> MarketTerms:
    if row["market_id"] is not None:
        return known.of_id(row["market_id"])
    country = next((one for one in row["countries"] or [] if one and known.sells_to(one)), None)
    return known.of_country(country)


def uuid_of(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
