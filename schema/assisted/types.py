"""Draft orders as clients see them."""

import datetime as dt
from typing import Any

import strawberry

from app.addresses.postal import PostalAddress
from app.assisted.content import ShippingLine
from app.assisted.links import url_of
from app.assisted.models import DraftKind, DraftState
from app.assisted.queries import Draft
from app.kit import ids
from app.messaging.draft_order_mails import channel_of
from app.orders.draft import OrderLineDraft
from app.terms.customizations import Chosen
from schema.addresses import Address
from schema.cart import Attribute
from schema.cart.costs import CartCost, OrderLineCost
from schema.channels import MessageChannel
from schema.enums import describe_enum
from schema.errors import UserError
from schema.gifting import GiftOptions
from schema.money import Money
from schema.nodes import Node
from schema.shipping.pickup import PickupLocation
from schema.terms.types import LineCustomization

DRAFT_PREFIX = "draft"

describe_enum(
    DraftKind,
    "How a draft order came about.",
    DRAFT="Staff wrote it for somebody.",
    QUOTATION="A buyer asked for a price.",
)
describe_enum(
    DraftState,
    "Where a draft order is in its life.",
    REQUESTED="A buyer waits for staff's prices.",
    OPEN="Staff are writing it.",
    SENT="Whoever has the link can place it, until it expires.",
    COMPLETED="It is an order.",
    DECLINED="Somebody said no.",
    EXPIRED="Its time was over.",
)


@strawberry.type(description="A line of a draft order.")
class DraftOrderLine:
    product_id: strawberry.ID | None = strawberry.field(description="The product; null for a custom line.")
    variant_id: strawberry.ID | None = strawberry.field(description="The variant; null for a custom line.")
    title: str = strawberry.field(description="The product's name, or what staff called it.")
    variant_name: str = strawberry.field(description='Such as "M / Navy"; empty for a custom line.')
    sku: str | None = strawberry.field(description="The shop's own number.")
    image_url: str | None = strawberry.field(description="Its picture.")
    quantity: int = strawberry.field(description="Units.")
    requires_shipping: bool = strawberry.field(description="Whether it is shipped.")
    attributes: list[Attribute] = strawberry.field(description="The storefront's own, such as an engraving.")
    customizations: list[LineCustomization] = strawberry.field(
        description="What is made to order for it; without a price of its own where staff set the line's."
    )
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with each unit as a gift; null for nothing."
    )
    is_negotiated: bool = strawberry.field(description="Whether staff set the price.")
    cost: OrderLineCost = strawberry.field(description="What it costs.")

    @classmethod
    def of(cls, line: OrderLineDraft, currency: str, *, custom: bool, negotiated: bool) -> "DraftOrderLine":
        return cls(
            product_id=None if custom else strawberry.ID(ids.encode("prod", line.product_id)),
            variant_id=None if custom else strawberry.ID(ids.encode("var", line.variant_id)),
            title=line.product_name,
            variant_name=line.variant_name,
            sku=line.sku,
            image_url=line.image_url,
            quantity=line.quantity,
            requires_shipping=line.requires_shipping,
            attributes=Attribute.all_of(line.attributes),
            customizations=[LineCustomization.of(Chosen(**one), currency) for one in _made(line)],
            gift_options=GiftOptions.of(line.gift_options),
            is_negotiated=negotiated,
            cost=OrderLineCost.of_draft(line, currency),
        )


def _made(line: OrderLineDraft) -> list[dict[str, Any]]:
    return line.customizations


@strawberry.type(description="How a draft order is shipped.")
class DraftOrderShipping:
    title: str = strawberry.field(description="By the word of staff, or of the quote.")
    price: Money = strawberry.field(description="For it.")


@strawberry.type(
    description="An order before it is one: written by staff, or asked for as a quotation. "
    "It costs what it did when it was last written, whatever the catalogue says since."
)
class DraftOrder(Node):
    kind: DraftKind = strawberry.field(description="How it came about.")
    state: DraftState = strawberry.field(description="Where it is in its life.")
    lines: list[DraftOrderLine] = strawberry.field(description="What is sold.")
    cost: CartCost | None = strawberry.field(description="What it costs; null once its buyer was forgotten.")
    email: str | None = strawberry.field(description="Whom the link is mailed to.")
    phone: str | None = strawberry.field(description="In international form.")
    customer_id: strawberry.ID | None = strawberry.field(description="The account that it is for.")
    company_id: strawberry.ID | None = strawberry.field(description="The company that buys.")
    market_id: strawberry.ID | None = strawberry.field(description="Where it is sold.")
    tax_id: str | None = strawberry.field(description="The buyer's VAT number or the like.")
    shipping_address: Address | None = strawberry.field(description="Where it goes.")
    billing_address: Address | None = strawberry.field(description="Who pays; the shipping address where null.")
    shipping: DraftOrderShipping | None = strawberry.field(description="How it is shipped.")
    pickup_location: PickupLocation | None = strawberry.field(
        description="The store that it is fetched from, as it was when the draft was written; null where it is shipped."
    )
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with all of it as a gift; null for nothing."
    )
    note: str | None = strawberry.field(description="On the order.")
    message: str | None = strawberry.field(description="The buyer's words, where they asked for it.")
    reply: str | None = strawberry.field(description="The shop's words with what was sent, or why it was declined.")
    deposit: Money | None = strawberry.field(
        description="To be paid when it is placed, and before the goods leave; the rest is due later."
    )
    amount_due_now: Money | None = strawberry.field(
        description="What is paid when it is placed: the deposit, or all of it; null once its buyer was forgotten."
    )
    days_to_pay: int | None = strawberry.field(
        description="When what is not paid at first has to be, in days after it is placed; null for no date."
    )
    needs_guarantee: bool = strawberry.field(description="Whether a guarantee is confirmed before they do.")
    url: str | None = strawberry.field(
        description="The link that was mailed: for staff, while it can be followed. Whoever has it can place the "
        "order, and pay what is left of it."
    )
    sent_at: dt.datetime | None = strawberry.field(description="When it was last sent.")
    sent_by: MessageChannel | None = strawberry.field(
        description="How its link is sent: by email, or by text message where only a phone number is known. Null where "
        "it was not sent, and where the shop sends no text messages: then staff hand on the `url`."
    )
    expires_at: dt.datetime | None = strawberry.field(description="Until when it can be placed.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it became.")
    created_at: dt.datetime = strawberry.field(description="When it was first written.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def of(cls, draft: Draft, *, for_staff: bool) -> "DraftOrder":
        content, order, currency = draft.content, draft.offer, draft.currency_code
        market_id = order.market_id if order else content.market_id
        return cls(
            id=strawberry.ID(ids.encode(DRAFT_PREFIX, draft.id)),
            kind=draft.kind,
            state=draft.standing,
            lines=[
                DraftOrderLine.of(
                    line,
                    currency,
                    custom=written.variant_id is None,
                    negotiated=written.unit_price_minor is not None,
                )
                for line, written in zip(order.lines if order else [], content.lines, strict=False)
            ],
            cost=CartCost.of_draft(order) if order else None,
            email=content.email,
            phone=content.phone,
            customer_id=strawberry.ID(ids.encode("cus", draft.customer_id)) if draft.customer_id else None,
            company_id=strawberry.ID(ids.encode("comp", draft.company_id)) if draft.company_id else None,
            market_id=strawberry.ID(ids.encode("mkt", market_id)) if market_id else None,
            tax_id=content.tax_id,
            shipping_address=_address(content.shipping_address),
            billing_address=_address(content.billing_address),
            shipping=_shipping(content.shipping, currency),
            pickup_location=PickupLocation.of_order(store.location_id, store.location)
            if (store := content.pickup) and store.location
            else None,
            gift_options=GiftOptions.of(content.gift_options),
            note=content.note,
            message=draft.message,
            reply=draft.reply,
            deposit=Money.of(content.deposit_minor, currency) if content.deposit_minor else None,
            amount_due_now=Money.of(order.first_payment_minor, currency) if order else None,
            days_to_pay=content.days_to_pay,
            needs_guarantee=content.needs_guarantee,
            url=url_of(draft) if for_staff and draft.is_linked else None,
            sent_at=draft.sent_at,
            sent_by=channel_of(content) if draft.sent_at else None,
            expires_at=draft.expires_at,
            order_id=strawberry.ID(ids.encode("ord", draft.order_id)) if draft.order_id else None,
            created_at=draft.created_at,
            updated_at=draft.updated_at,
        )


def _shipping(written: ShippingLine | None, currency: str) -> DraftOrderShipping | None:
    return (
        None
        if written is None
        else DraftOrderShipping(title=written.title, price=Money.of(written.price_minor, currency))
    )


def _address(stored: dict[str, str] | None) -> Address | None:
    return Address.of(PostalAddress.from_json(stored)) if stored else None


@strawberry.type(description="Answer to mutations of draft orders.")
class DraftOrderPayload:
    draft_order: DraftOrder | None = strawberry.field(default=None, description="The draft order as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `draftOrderDelete`.")
class DraftOrderDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the draft that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
