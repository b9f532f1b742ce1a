"""Carts as clients see them."""

import datetime as dt
from typing import Annotated

import strawberry

from app.cart.models import CartState
from app.cart.rules import MAX_LINES
from app.tax.rules import TaxIdStatus
from schema.cart.costs import CartCost, CartLineCost
from schema.cart.discounts import AppliedDiscount, CartDiscountCode
from schema.cart.gift_cards import CartGiftCard, CartStoreCredit
from schema.catalogue import ProductVariant
from schema.connections import Connection
from schema.enums import describe_enum
from schema.errors import UserError
from schema.gifting import GiftOptions
from schema.nodes import Node
from schema.scalars import CountryCode
from schema.terms.types import Availability, LineCustomization
from schema.warnings import WarningType

describe_enum(
    CartState,
    "Where a cart is in its life.",
    OPEN="It can be changed and ordered.",
    COMPLETED="It has become an order; it can be looked at, not changed.",
)

PageArguments = tuple[int | None, str | None]
"""`first` and `after`."""


@strawberry.type(description="A key and a value of the storefront's own, such as an engraving.")
class Attribute:
    key: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its text.")

    @classmethod
    def all_of(cls, stored: list[dict[str, str]]) -> "list[Attribute]":
        return [cls(key=one["key"], value=one["value"]) for one in stored]


describe_enum(
    TaxIdStatus,
    "What the tax number of a buyer is worth.",
    ACCEPTED="It counts as the sign of a business of the European Union.",
    PENDING="The register was asked and has not answered; until it does, tax is charged.",
    INVALID="The register does not know it, so that tax is charged.",
    NOTED="It appears on the order and changes nothing: no number of the European Union.",
)


@strawberry.type(description="Who buys, as far as the cart knows.")
class CartBuyerIdentity:
    email: str | None = strawberry.field(description="Where the order's mail goes.")
    phone: str | None = strawberry.field(description="In international form (E.164).")
    country_code: CountryCode | None = strawberry.field(description="Where the buyer is.")
    tax_id: str | None = strawberry.field(description="The VAT number of a business, with its country's code.")
    tax_id_status: TaxIdStatus | None = strawberry.field(description="What it is worth; null without a number.")


@strawberry.type(
    description="Some quantity of a variant. Same variant, attributes, customizations and gift options are one line."
)
class CartLine(Node):
    quantity: int = strawberry.field(description="How many units.")
    variant: ProductVariant = strawberry.field(
        description="What it is, also when it was taken off sale since (`warnings` say so)."
    )
    cost: CartLineCost = strawberry.field(description="What the line costs, by the catalogue's price at this moment.")
    attributes: list[Attribute] = strawberry.field(description="The storefront's own, in the order that it gave.")
    customizations: list[LineCustomization] = strawberry.field(
        description="What is made to order, by today's offer and prices, which are in `cost` already."
    )
    availability: Availability = strawberry.field(
        description="Whether the line's units can be ordered, and from when on they are there."
    )
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with the line as a gift; null for nothing."
    )
    warnings: list[WarningType] = strawberry.field(
        description="What has changed since the line was made, or does not fit: QUANTITY_UNAVAILABLE, OUT_OF_STOCK, "
        "NOT_FOR_SALE, QUANTITY_NOT_ALLOWED, CUSTOMIZATION_UNAVAILABLE and REGION_RESTRICTED keep the cart from being "
        "ordered like this. CUSTOMIZATION_REPRICED is there to be shown."
    )


def _page_of_lines(
    self: "Cart",
    first: Annotated[
        int | None, strawberry.argument(description="Page size, up to 100, which is also the default.")
    ] = strawberry.UNSET,
    after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
) -> Connection[CartLine]:
    return self.pages[None if first is strawberry.UNSET else first, None if after is strawberry.UNSET else after]


@strawberry.type(
    description="What a shopper wants to buy. Whoever has its id has the cart: keep the id like a password. "
    f"A cart has {MAX_LINES} lines at most. Stock is not held until the cart is ordered."
)
class Cart(Node):
    state: CartState = strawberry.field(description="Whether it can still be changed.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When anything in it last changed.")
    lines: Connection[CartLine] = strawberry.field(
        resolver=_page_of_lines, description="Its lines, in the order in which they came in."
    )
    total_quantity: int = strawberry.field(description="Units over all lines.")
    cost: CartCost = strawberry.field(description="What it costs, by the catalogue's prices at this moment.")
    note: str | None = strawberry.field(description="The buyer's words to the shop.")
    attributes: list[Attribute] = strawberry.field(description="The storefront's own, in the order that it gave.")
    buyer_identity: CartBuyerIdentity = strawberry.field(description="Who buys.")
    discount_codes: list[CartDiscountCode] = strawberry.field(
        description="The codes that were entered, in their order, and whether they count."
    )
    discounts: list[AppliedDiscount] = strawberry.field(
        description="What is taken off: at most one discount that applies by itself, and at most one by a code."
    )
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with it as a gift, as a whole; null for nothing."
    )
    gift_cards: list[CartGiftCard] = strawberry.field(
        description="The gift cards that are to pay for it, in that order, with what each pays."
    )
    store_credit: CartStoreCredit = strawberry.field(description="What its account's store credit pays.")
    warnings: list[WarningType] = strawberry.field(
        description="What is to be known of it as a whole, whenever it is looked at; lines have their own."
    )
    pages: strawberry.Private[dict[PageArguments, Connection[CartLine]]]
    """Made before, since a page that cannot be had has to be refused before anything is changed."""


@strawberry.type(description="Answer to everything that makes or changes a cart.")
class CartPayload:
    cart: Cart | None = strawberry.field(default=None, description="The cart as it is now; null when it was refused.")
    warnings: list[WarningType] = strawberry.field(
        default_factory=list, description="What was adjusted, or what to look at."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )
