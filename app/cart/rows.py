"""From what `statements` give to snapshots."""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot, CheckoutSnapshot, VariantSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.configuration import versions_of
from app.gift_cards import rules as value
from app.gifting import terms as gifting
from app.kit.crypto import token_matches
from app.markets import current as markets
from app.markets.current import MARKETS
from app.pricing.amounts import PriceBreak, unit_price
from app.promotions import queries as promotions
from app.tax.facts import read_facts
from app.terms.rules import terms_of

Variants = dict[uuid.UUID, VariantSnapshot]


async def cart_of(row: Mapping[str, Any], secret: str) -> CartSnapshot | None:
    """The row of one of `statements`, if the secret opens it."""
    if not token_matches(secret, row["secret_hash"]):
        return None
    checkout = _checkout(row["checkout"])
    age_check, minimum_order_minor = orjson.loads(row["shop_terms"])
    versions = versions_of(row["versions"])
    market = (await markets.at(versions.get(MARKETS.name))).of_id(row["priced_in"])
    if market.minimum_order_minor is not None:
        minimum_order_minor = market.minimum_order_minor
    elif minimum_order_minor is not None:
        minimum_order_minor = market.from_shop_currency(minimum_order_minor)
    return CartSnapshot(
        id=row["id"],
        secret=secret,
        state=CartState(row["state"]),
        revision=row["revision"],
        market=market,
        versions=versions,
        email=row["email"],
        phone=row["phone"],
        country_code=row["country_code"],
        note=row["note"],
        attributes=orjson.loads(row["attributes"]),
        checkout_in_progress=row["checkout_in_progress"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        lines=_at_their_quantity([CartLineSnapshot(**_typed(line, checkout)) for line in decoded(row["lines"])]),
        read_at=row["read_at"],
        age_check=age_check,
        minimum_order_minor=minimum_order_minor,
        profile_id=row["profile_id"],
        discount_codes=orjson.loads(row["discount_codes"]),
        discounts=promotions.offered_of(row["discounts"]),
        checkout=checkout,
        customer_id=row["customer_id"],
        market_id=row["market_id"],
        company_id=row["company_id"],
        has_left_company=row["has_left_company"],
        tax_id=row["tax_id"],
        gift_options=orjson.loads(row["gift_options"]) if row["gift_options"] else None,
        gift_card_ids=orjson.loads(row["gift_card_ids"]),
        use_store_credit=row["use_store_credit"],
        stored_value=value.terms_of(row["stored_value"]),
        tax_facts=await read_facts(row["tax_facts"], versions),
        wrap_terms=gifting.terms_of(row["wrap_terms"]),
    )


def _at_their_quantity(lines: list[CartLineSnapshot]) -> list[CartLineSnapshot]:
    """With what a unit costs as many as there are of the variant, in all lines together."""
    if not any(line.price_breaks for line in lines):
        return lines
    units: Counter[uuid.UUID] = Counter()
    for line in lines:
        units[line.variant_id] += line.quantity
    return [
        replace(line, unit_price_minor=unit_price(line.price_breaks, units[line.variant_id]))
        if line.price_breaks
        else line
        for line in lines
    ]


def _checkout(text: str | None) -> CheckoutSnapshot | None:
    if text is None:
        return None
    stored = orjson.loads(text)
    typed = {"id": uuid.UUID(stored["id"]), "reserved_until": _moment(stored["reserved_until"])}
    return CheckoutSnapshot(**{**stored, **typed, "held": stored["held"] or {}})


def variants_of(text: str | None, checkout: CheckoutSnapshot | None = None) -> Variants:
    variants = [VariantSnapshot(**_typed(row, checkout)) for row in decoded(text)]
    return {variant.variant_id: variant for variant in variants}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def decoded(text: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(text) if text else []
    return rows


def _typed(row: dict[str, Any], checkout: CheckoutSnapshot | None) -> dict[str, Any]:
    if checkout is not None and checkout.held:
        row["available_quantity"] += checkout.held.get(row["variant_id"], 0)
    for name in ("id", "variant_id", "product_id", "tax_class_id"):
        if row.get(name):
            row[name] = uuid.UUID(row[name])
    row["product_status"] = ProductStatus(row["product_status"])
    row["product_kind"] = ProductKind(row["product_kind"])
    row["inventory_policy"] = InventoryPolicy(row["inventory_policy"])
    row["terms"] = terms_of(row["terms"])
    row["available_from"] = _moment(row["available_from"])
    row["restock_expected_at"] = _moment(row["restock_expected_at"])
    if tiers := row.pop("price_breaks"):
        row["unit_price_minor"] = tiers[0]["unit_price_minor"]
        row["price_breaks"] = tuple(PriceBreak(**tier) for tier in tiers)
    if "product_name" in row:
        row["selected_options"] = row["selected_options"] or []
    return row
