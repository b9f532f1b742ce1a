"""What a cart shows is what its order keeps and shows, to the last unit."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from hypothesis import given

from app.cart.models import CartState
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.checkout.drafting import draft_order
from app.checkout.requests import Details
from app.checkout.review import Review
from app.markets.terms import MarketTerms
from app.orders.draft import OrderDraft
from app.pricing.amounts import PricingInput
from app.pricing.results import PricingResult
from app.pricing.rules import price
from app.promotions.definition import Rule
from app.promotions.terms import Applied, DiscountTerms
from schema.cart.costs import CartCost, CartLineCost, OrderLineCost
from schema.money import Money
from tests.factories.pricing import orders

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MARKET = MarketTerms(
    id=uuid.uuid4(),
    code="home",
    name="Home",
    currency_code="USD",
    country_codes=(),
    languages=("en",),
    shop_currency_code="USD",
)
ITEMISED = ("tax_lines", "discount_allocations")


class Itemised(Protocol):
    def __getattribute__(self, name: str) -> Any: ...


def review_of(order: PricingInput, priced: PricingResult) -> Review:
    lines = [
        CartLineSnapshot(
            id=uuid.uuid4(),
            variant_id=uuid.uuid4(),
            product_id=uuid.uuid4(),
            is_removed=False,
            product_status=ProductStatus.ACTIVE,
            product_kind=ProductKind.PHYSICAL,
            unit_price_minor=0,
            requires_shipping=True,
            weight_grams=0,
            taxable=True,
            track_inventory=False,
            inventory_policy=InventoryPolicy.CONTINUE,
            available_quantity=0,
            quantity=line.quantity,
            attributes=[],
            attributes_key="",
        )
        for line in order.lines
    ]
    cart = CartSnapshot(
        id=uuid.uuid4(),
        secret="",
        state=CartState.OPEN,
        revision=0,
        market=MARKET,
        versions={},
        email=None,
        phone=None,
        country_code=None,
        note=None,
        attributes=[],
        checkout_in_progress=False,
        created_at=NOW,
        updated_at=NOW,
        read_at=NOW,
        lines=lines,
    )
    terms = tuple(
        DiscountTerms(discount_id=uuid.UUID(discount.id), name=discount.label, rule=Rule())
        for discount in order.discounts
    )
    return Review(
        cart=cart,
        details=Details(),
        ships=False,
        quote=None,
        priced=priced,
        applied=Applied(terms, ()),
        problems=[],
        now=NOW,
    )


def shown(cost: Itemised, of: type) -> dict[str, Any]:
    fields = {field.python_name for field in of.__strawberry_definition__.fields}  # type: ignore[attr-defined]
    plain = {name: getattr(cost, name) for name in fields if name not in ITEMISED}
    return plain | {name: getattr(cost, name)() for name in ITEMISED}


@given(orders())
def test_an_order_costs_what_its_cart_did(order: PricingInput) -> None:
    named = tuple(replace(discount, id=str(uuid.UUID(int=place))) for place, discount in enumerate(order.discounts))
    order = replace(order, discounts=named)
    priced = price(order)
    draft = draft_order(review_of(order, priced), None)
    kept = OrderDraft.from_json(draft.to_json())
    assert kept == draft
    assert kept.due_minor == priced.amount_due_minor
    row = orjson.loads(kept.to_json())
    assert shown(CartCost.of_order(row), CartCost) == shown(CartCost.of(priced, tax_estimated=False), CartCost)
    for line, amounts in zip(row["lines"], priced.lines, strict=True):
        of_order = shown(OrderLineCost.of(line, order.currency), OrderLineCost)
        assert of_order == shown(CartLineCost.of(amounts, order.currency), CartLineCost)
        assert of_order["tax"] == Money.of(amounts.tax_minor, order.currency)
