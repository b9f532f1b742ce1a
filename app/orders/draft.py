"""An order before it is placed: everything that was decided and promised, frozen.

A checkout keeps it while the payment is asked for, so that whoever completes it writes what the shopper agreed to.
"""

import uuid
from dataclasses import dataclass, field

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLineDraft:
    """Amounts in minor units of the order's currency; `total_minor` is the subtotal less the discount."""

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
    """Whether its units are taken from stock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountDraft:
    """A use of a discount; `code` is None where it applied by itself."""

    id: uuid.UUID
    code_id: uuid.UUID | None
    name: str
    code: str | None
    amount_minor: int
    target: str = "MERCHANDISE"
    """Of `DiscountTarget`; what it takes off SHIPPING is in the price of shipping already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """Amounts in minor units; addresses as `PostalAddress.to_json` gives them.

    Attributes:
        shipping_quote: what was promised, as `Quote.to_json` gives it.
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
    """What takes something off, in the order of applying."""
    customer_id: uuid.UUID | None = None
    """The account of who was signed in."""

    @property
    def ships(self) -> bool:
        return any(line.requires_shipping for line in self.lines)

    def to_json(self) -> str:
        return _DRAFT.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "OrderDraft":
        return _DRAFT.validate_json(text)


_DRAFT = TypeAdapter(OrderDraft)
_LINES = TypeAdapter(list[OrderLineDraft])
_DISCOUNTS = TypeAdapter(list[DiscountDraft])


def lines_json(draft: OrderDraft) -> str:
    return _LINES.dump_json(draft.lines).decode()


def discounts_json(draft: OrderDraft) -> str:
    return _DISCOUNTS.dump_json(draft.discounts).decode()
