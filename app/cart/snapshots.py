"""A cart as it stood at one moment, together with what the catalogue and the stock said about its lines."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.addresses.postal import Destination
from app.cart.models import CartState
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.gift_cards.rules import ValueTerms
from app.gifting.terms import WrapTerms
from app.markets.terms import MarketTerms
from app.pricing.amounts import PriceBreak
from app.promotions.terms import NOTHING_OFFERED, Offered
from app.tax.facts import NO_FACTS, TaxFacts
from app.terms.customizations import Priced, priced
from app.terms.rules import NO_TERMS, ProductTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSnapshot:
    """What can be bought, on which terms.

    Attributes:
        unit_price_minor: of one unit in the market's currency, from the catalogue and its price lists at that moment.
        available_quantity: over all warehouses, with what the cart's own checkout keeps, never below zero; means
            something only where `stock_limit` does.
        terms: what can be made to order, in which quantities, for whom and where to.
        available_from, restock_expected_at: see `app.terms.dates`.
        product_name, image_url, selected_options: empty unless the read was asked to describe.
        selected_options: `[{"name": "Size", "value": "M"}, …]`.
        is_removed: the variant left its product; its row stays for the carts that name it.
        is_hidden: the market does not show it.
        price_breaks: what a unit costs from so many of them on, for who buys and where; empty where it is
            `unit_price_minor` for any quantity.
        tax_class_id: of its product; None is the shop's default class.
    """

    variant_id: uuid.UUID
    product_id: uuid.UUID
    is_removed: bool
    product_status: ProductStatus
    product_kind: ProductKind
    unit_price_minor: int
    requires_shipping: bool
    weight_grams: int
    taxable: bool
    track_inventory: bool
    inventory_policy: InventoryPolicy
    available_quantity: int
    terms: ProductTerms = NO_TERMS
    available_from: datetime | None = None
    restock_expected_at: datetime | None = None
    product_name: str = ""
    variant_name: str = ""
    sku: str | None = None
    image_url: str | None = None
    selected_options: list[dict[str, str]] = field(default_factory=list)
    price_breaks: tuple[PriceBreak, ...] = ()
    is_hidden: bool = False
    tax_class_id: uuid.UUID | None = None

    @property
    def stock_limit(self) -> int | None:
        """Units that can be sold now; None where selling does not depend on stock."""
        if not self.track_inventory or self.inventory_policy is InventoryPolicy.CONTINUE:
            return None
        return self.available_quantity

    @property
    def for_sale(self) -> bool:
        return self.product_status is ProductStatus.ACTIVE and not self.is_removed and not self.is_hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineSnapshot(VariantSnapshot):
    """Some units of a variant.

    Attributes:
        attributes: `[{"key": …, "value": …}, …]` in the order that the storefront gave.
        attributes_key: digest of attributes, customizations and gift options, whatever their order: same variant and
            same key is one line.
        customizations: the options that were chosen, as `[{"key", "value", "price_minor"}, …]`, with what each cost
            then in the shop's currency; `customized` says what it costs now.
        gift_options: as they were chosen for this line.
    """

    id: uuid.UUID
    quantity: int
    attributes: list[dict[str, str]]
    attributes_key: str
    customizations: list[dict[str, Any]] = field(default_factory=list)
    gift_options: dict[str, Any] | None = None

    @property
    def customized(self) -> Priced:
        """What is made to order for it, by today's offer; amounts in the shop's currency."""
        return priced(self.terms.customizations, self.customizations, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSnapshot:
    """What a cart's checkout says of the buyer; `started` once `checkout.started` has been told."""

    id: uuid.UUID
    email: str | None
    phone: str | None
    started: bool
    reserved_until: datetime | None = None
    """Until when the units of `held` are kept, if that is not over."""
    held: dict[str, int] = field(default_factory=dict)
    """Units by variant's id."""
    shipping_country: str | None = None
    shipping_province: str | None = None
    shipping_postal_code: str | None = None
    shipping_city: str | None = None

    @property
    def destination(self) -> Destination | None:
        if self.shipping_country is None:
            return None
        return Destination(self.shipping_country, self.shipping_province, self.shipping_postal_code, self.shipping_city)


@dataclass(frozen=True, slots=True, kw_only=True)
class CartSnapshot:
    """Lines are in the order in which they were first added.

    Attributes:
        secret: the part of the id that opens the cart, checked against its hash.
        revision: counts changes; what was decided on one revision is written on that revision only.
        checkout_in_progress: a payment for what stood in the cart is under way.
        profile_id: whose it is, where somebody has said so or was seen with it.
        discount_codes: as the shopper typed them, in that order.
        customer_id: the account that it belongs to.
        gift_card_ids: of the cards that were entered, in that order.
        stored_value: those cards, and the account's credit where it is to be used.
        read_at: business time at which all of this was so.
        age_check: how an age is confirmed, an `AgeCheck` of `app.terms`.
        minimum_order_minor: what the goods have to come to after discounts, in the cart's currency.
        discounts: all that it may get, by itself or by its codes; `app.cart.costs` decides.
        market: in which its lines are priced; `market_id` is the one that it was put into, null before there were any.
        versions: of each part of the configuration at that moment, see `app.configuration`.
        company_id, tax_id: whom it is bought for, and the VAT number or the like of whoever buys.
        has_left_company: its account is no member of that company: it is priced as for anybody, and cannot be ordered.
        gift_options: as they were chosen for the whole of it.
        tax_facts: what taxes depend on beside where it goes.
        tax_destination: where an order of it goes, or is billed to, once a checkout has said so.
        wrap_terms: what wrapping costs, where anything is to be wrapped and the shop does it.
    """

    id: uuid.UUID
    secret: str
    state: CartState
    revision: int
    market: MarketTerms
    versions: dict[str, int]
    email: str | None
    phone: str | None
    country_code: str | None
    note: str | None
    attributes: list[dict[str, str]]
    checkout_in_progress: bool
    created_at: datetime
    updated_at: datetime
    lines: list[CartLineSnapshot]
    read_at: datetime
    profile_id: uuid.UUID | None = None
    discount_codes: list[str] = field(default_factory=list)
    discounts: Offered = NOTHING_OFFERED
    customer_id: uuid.UUID | None = None
    gift_card_ids: list[str] = field(default_factory=list)
    use_store_credit: bool = False
    stored_value: list[ValueTerms] = field(default_factory=list)
    checkout: CheckoutSnapshot | None = None
    age_check: str = "DECLARATION"
    minimum_order_minor: int | None = None
    market_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None
    has_left_company: bool = False
    tax_id: str | None = None
    gift_options: dict[str, Any] | None = None
    wrap_terms: WrapTerms | None = None
    tax_facts: TaxFacts = NO_FACTS
    tax_destination: Destination | None = None

    @property
    def currency_code(self) -> str:
        return self.market.currency_code

    @property
    def contact(self) -> tuple[str | None, str | None]:
        """Email and phone that an order would have now: the checkout's before the cart's."""
        checkout = self.checkout
        return (checkout and checkout.email) or self.email, (checkout and checkout.phone) or self.phone

    @property
    def has_gift_card(self) -> bool:
        """Whether one is bought: then nothing but money pays."""
        return any(line.product_kind is ProductKind.GIFT_CARD for line in self.lines)

    @property
    def destination(self) -> tuple[str | None, str | None]:
        """Country and province where it goes, as far as is known: the checkout's before the cart's."""
        checkout = self.checkout
        if checkout and checkout.shipping_country:
            return checkout.shipping_country, checkout.shipping_province
        return self.country_code, None

    @property
    def keeps_units(self) -> bool:
        """Whether its checkout keeps units that have to follow the lines."""
        until = self.checkout.reserved_until if self.checkout else None
        return until is not None and until > self.read_at

    @property
    def total_quantity(self) -> int:
        return sum(line.quantity for line in self.lines)
