"""An order before it is placed: everything that was decided and promised, frozen.

A checkout keeps it while the payment is asked for, so that whoever completes it writes what the shopper agreed to. What
the release before has kept must still be read: fields that come in have defaults.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import orjson
from pydantic import TypeAdapter

from app.orders.models import OrderSource
from app.pricing.results import DiscountAllocation, StoredValuePayment, TaxLine


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLineDraft:
    """Amounts in minor units of the order's currency; `total_minor` is the subtotal less the discount.

    Attributes:
        track_inventory: whether its units are taken from stock.
        gift_wrap_minor: for all of its units, beside `total_minor`.
        tax_lines: on the line and its wrap.
        expected_at: when what is back-ordered or pre-ordered is promised for.
    """

    id: uuid.UUID
    position: int
    product_id: uuid.UUID
    variant_id: uuid.UUID
    product_name: str
    variant_name: str
    sku: str | None
    image_url: str | None
    selected_options: list[dict[str, str]]
    attributes: list[dict[str, str]]
    quantity: int
    unit_price_minor: int
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    weight_grams: int
    requires_shipping: bool
    track_inventory: bool = True
    gift_wrap_minor: int = 0
    tax_lines: tuple[TaxLine, ...] = ()
    discounts: tuple[DiscountAllocation, ...] = ()
    customizations: list[dict[str, object]] = field(default_factory=list)
    gift_options: dict[str, object] | None = None
    expected_at: datetime | None = None
    product_kind: str | None = None
    tax_class_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountDraft:
    """A use of a discount; `code` is None where it applied by itself.

    Attributes:
        target: a `DiscountTarget`: what is off SHIPPING lies inside the order's shipping, not in its discount.
    """

    id: uuid.UUID
    code_id: uuid.UUID | None
    name: str
    code: str | None
    amount_minor: int
    target: str = "MERCHANDISE"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """Amounts in minor units; addresses as `PostalAddress.to_json` gives them.

    Attributes:
        shipping_quote: what was promised, as `Quote.to_json` gives it.
        discounts: what takes something off, in the order of applying.
        customer_id: the account of who was signed in.
        amount_due_minor: what payments have to cover; None for the whole total. See `due_minor`.
        tax_lines: of everything; `shipping_tax_lines` and `gift_wrap_tax_lines` are parts of them.
        stored_value: the gift cards and store credit that pay the rest.
        tax_estimated: the tax engine did not answer, so that the shop's own rates were charged.
        holds: why it may not be fulfilled yet.
        confirmed_age: years that the buyer was confirmed to have at least.
        shop_rate: minor units of the shop's currency for one of the order's; None where both are the same.
        charged_at_once: it waits for its goods longer than an authorisation holds.
        deposit_minor: what is paid when it is placed, the rest being due later; None for all of it.
    """

    id: uuid.UUID
    cart_id: uuid.UUID
    email: str | None
    phone: str | None
    payment_method: str | None
    currency_code: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    tax_included: bool
    total_minor: int
    shipping_address: dict[str, str] | None
    billing_address: dict[str, str] | None
    shipping_quote: dict[str, object] | None
    note: str | None
    attributes: list[dict[str, str]]
    lines: list[OrderLineDraft] = field(default_factory=list)
    discounts: list[DiscountDraft] = field(default_factory=list)
    customer_id: uuid.UUID | None = None
    confirmed_age: int | None = None
    charged_at_once: bool = False
    deposit_minor: int | None = None
    pickup_location_id: uuid.UUID | None = None
    """The warehouse that it is fetched from; `shipping_quote` says what was said of it."""
    gift_wrap_minor: int = 0
    rounding_minor: int = 0
    gift_card_minor: int = 0
    store_credit_minor: int = 0
    amount_due_minor: int | None = None
    tax_lines: tuple[TaxLine, ...] = ()
    shipping_tax_lines: tuple[TaxLine, ...] = ()
    gift_wrap_tax_lines: tuple[TaxLine, ...] = ()
    tax_estimated: bool = False
    stored_value: tuple[StoredValuePayment, ...] = ()
    gift_options: dict[str, object] | None = None
    shop_rate: Decimal | None = None
    market_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None
    tax_id: str | None = None
    reverse_charge: bool = False
    language: str | None = None
    purchase_order_number: str | None = None
    payment_due_at: datetime | None = None
    holds: list[str] = field(default_factory=list)
    source: OrderSource = OrderSource.CHECKOUT

    @property
    def ships(self) -> bool:
        return any(line.requires_shipping for line in self.lines)

    @property
    def due_minor(self) -> int:
        return self.total_minor if self.amount_due_minor is None else self.amount_due_minor

    @property
    def first_payment_minor(self) -> int:
        """What its payment is asked for when it is placed: the deposit, or all that is due."""
        return self.due_minor if self.deposit_minor is None else min(self.deposit_minor, self.due_minor)

    @property
    def captured_when_placed(self) -> bool:
        """Nothing is waited for: it does not ship, or the goods wait for the deposit."""
        return not self.ships or self.deposit_minor is not None

    def to_json(self) -> str:
        return _json(self)

    @staticmethod
    def from_json(text: str) -> "OrderDraft":
        return _DRAFT.validate_json(text)


_DRAFT = TypeAdapter(OrderDraft)


def lines_json(draft: OrderDraft) -> str:
    return _json(draft.lines)


def _json(what: object) -> str:
    """What `from_json` reads. orjson takes half of the time that pydantic does, and a checkout does it three times."""
    return orjson.dumps(what, default=_text).decode()


def _text(value: object) -> str:
    """Of rates, and of ids as asyncpg gives them."""
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    raise TypeError(f"an order's draft does not keep {type(value).__name__}")
