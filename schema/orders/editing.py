"""Changing what was sold, before it is shipped."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import strawberry

from app.errors import CommonErrorCode, DomainError, not_found
from app.kit import ids
from app.orders import editing, queries, readdressing
from app.orders.edit_request import AddedLine, LineChange, OrderEditRequested, StaffDiscount
from app.orders.models import OrderActorKind
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation
from schema.addresses import AddressInput
from schema.cart import CartCost
from schema.context import Info
from schema.errors import UserError
from schema.money import Money, MoneyInput
from schema.order_lines import LINE_PREFIX
from schema.orders.showing import ORDER_PREFIX, OrderView
from schema.orders.types import Order, OrderPayload
from schema.selection import Selection

VARIANT_PREFIX = "var"


@strawberry.input(description="Something that staff take off, beside what is off already: `percentage` or `amount`.")
class OrderEditDiscountInput:
    percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Of what is left to pay, more than 0 and at most 100."
    )
    amount: MoneyInput | None = strawberry.field(default=strawberry.UNSET, description="Off all units together.")
    reason: str = strawberry.field(description="What it is called on the order and its invoice.")

    def parsed(self, *at: str | int) -> StaffDiscount:
        """Raises DomainError."""
        amount = self.amount.parsed([*at, "amount", "amount"]) if self.amount else None
        percentage = self.percentage if isinstance(self.percentage, Decimal) else None
        return StaffDiscount(reason=self.reason, percentage=percentage, amount=amount)


@strawberry.input(
    description="A change of a line. One that was shipped in part keeps its price, and at least the units that left."
)
class OrderEditLineInput:
    order_line_id: strawberry.ID = strawberry.field(description="Which line.")
    quantity: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many units it is to have, at the price it was sold at; 0 removes it."
    )
    discount: OrderEditDiscountInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is taken off the line in addition."
    )


@strawberry.input(description="Something that is sold in addition.")
class OrderEditAddLineInput:
    variant_id: strawberry.ID = strawberry.field(description="What.")
    quantity: int = strawberry.field(description="How many units.")
    unit_price: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="For a unit; unless given, what the catalogue asks of this buyer in the order's market.",
    )
    discount: OrderEditDiscountInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is taken off the line."
    )


@strawberry.input(description="What is to be changed of an order; what is left out stays as it is.")
class OrderEditInput:
    expected_updated_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="`updatedAt` of the order that this was decided on. If anything happened to it since, the edit is "
        "refused with CONFLICT.",
    )
    lines: list[OrderEditLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Changes of its lines."
    )
    add_lines: list[OrderEditAddLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What is sold in addition."
    )
    shipping_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Where it goes from now on; taxes become those of that place."
    )
    shipping_price: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="What shipping costs, before the discounts on it."
    )
    shipping_method: str | None = strawberry.field(
        default=strawberry.UNSET, description="How it goes, in up to 120 characters; no days are promised for it."
    )
    discount: OrderEditDiscountInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is taken off all lines in addition."
    )
    reason: str | None = strawberry.field(
        default=strawberry.UNSET, description="Why, in up to 500 characters; the customer reads it."
    )
    notify_customer: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the customer is written to; true unless given."
    )

    def parsed(self, order_id: strawberry.ID) -> OrderEditRequested:
        """Raises DomainError, DomainErrors."""
        at = ["input", "shippingAddress"]
        return OrderEditRequested(
            order_id=ids.decode(ORDER_PREFIX, order_id, ["orderId"]),
            expected_updated_at=_instant(self.expected_updated_at),
            lines=[
                LineChange(
                    order_line_id=ids.decode(LINE_PREFIX, line.order_line_id, ["input", "lines", place, "orderLineId"]),
                    quantity=line.quantity if isinstance(line.quantity, int) else None,
                    discount=line.discount.parsed("input", "lines", place, "discount") if line.discount else None,
                )
                for place, line in enumerate(self.lines or [])
            ],
            added=[
                AddedLine(
                    variant_id=ids.decode(VARIANT_PREFIX, line.variant_id, ["input", "addLines", place, "variantId"]),
                    quantity=line.quantity,
                    unit_price=line.unit_price.parsed(["input", "addLines", place, "unitPrice", "amount"])
                    if line.unit_price
                    else None,
                    discount=line.discount.parsed("input", "addLines", place, "discount") if line.discount else None,
                )
                for place, line in enumerate(self.add_lines or [])
            ],
            shipping_address=self.shipping_address.parsed(at) if self.shipping_address else None,
            shipping_price=self.shipping_price.parsed(["input", "shippingPrice", "amount"])
            if self.shipping_price
            else None,
            shipping_method=self.shipping_method or None,
            discount=self.discount.parsed("input", "discount") if self.discount else None,
            reason=self.reason or None,
            notify_customer=self.notify_customer is not False,
        )


def _instant(given: dt.datetime | None) -> dt.datetime | None:
    if not isinstance(given, dt.datetime):
        return None
    if given.tzinfo is None:
        message = "Give the instant with its offset, as the order's `updatedAt` has it."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "expectedUpdatedAt"])
    return given


@strawberry.type(description="Answer to `orderEdit`.")
class OrderEditPayload:
    order: Order | None = strawberry.field(
        default=None,
        description="The order as it is now: as before for a preview; null when refused, and without ORDERS_READ.",
    )
    cost: CartCost | None = strawberry.field(default=None, description="What it costs with the edit.")
    additional_amount_due: Money | None = strawberry.field(
        default=None,
        description="How much more the customer has to pay for it than before; zero where it is not more.",
    )
    refund_amount: Money | None = strawberry.field(
        default=None, description="What of the money that was taken goes back; zero for none."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )


@strawberry.type
class OrderEditMutations:
    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Change an order that is open: units that have not been shipped, and, while nothing at all has, "
        "its address, shipping and price. What stays keeps its price and its discounts; taxes are worked out anew. "
        "Units are taken from stock or given back. Where it costs more, the rest is asked for, or collected; "
        "where it costs less, less is taken, or the difference goes back, to gift cards too: that needs REFUNDS_WRITE. "
        "Its invoice is credited, and a new one issued, which comes with the mail.",
    )
    async def order_edit(
        self,
        info: Info,
        order_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the order.")],
        input: Annotated[OrderEditInput, strawberry.argument(description="What is changed.")],
        preview: Annotated[
            bool, strawberry.argument(description="True: say what it would cost, and change nothing.")
        ] = False,
    ) -> OrderEditPayload:
        request, view = input.parsed(order_id), OrderView.of(info, Selection.of(info).below("order"))
        staff = info.context.staff
        may_refund = staff is not None and staff.may(Permission.REFUNDS_WRITE)
        made = await (editing.preview(request) if preview else editing.edit(request, may_refund=may_refund))
        currency = made.cost["currency_code"]
        more = max(0, made.cost["amount_due_minor"] - made.due_before_minor)
        return OrderEditPayload(
            order=(await view.load_own(info, [request.order_id])).get(request.order_id),
            cost=CartCost.of_order(made.cost),
            additional_amount_due=Money.of(more, currency),
            refund_amount=Money.of(made.refund_minor, currency),
        )

    @mutation(
        access=PUBLIC,
        description="Correct the address of one's own order before any of it is shipped. Country, province, postal "
        "code and city stay, so that it costs the same.",
    )
    async def order_shipping_address_update(
        self,
        info: Info,
        order_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the order.")],
        shipping_address: Annotated[AddressInput, strawberry.argument(description="Where it is to go.")],
        token: Annotated[
            str | None,
            strawberry.argument(
                description="The token from the receipt; the customer who placed it, signed in, needs none."
            ),
        ] = strawberry.UNSET,
    ) -> OrderPayload:
        wanted, customer = ids.decode(ORDER_PREFIX, order_id, ["orderId"]), info.context.customer
        address = shipping_address.parsed(["shippingAddress"])
        view = OrderView.of(info, Selection.of(info).below("order"))
        row = await queries.with_token(wanted, token, lines=False) if token else None
        if row is None and customer is not None:
            found = (await queries.by_ids([wanted], lines=False)).get(wanted)
            row = found if found is not None and found["customer_id"] == customer.id else None
        if row is None:
            raise not_found("order", ["orderId"])
        by = OrderActorKind.CUSTOMER if customer is not None else OrderActorKind.GUEST
        await readdressing.readdress(wanted, address, by=by)
        shown = replace(view, payments=False)
        return OrderPayload(order=await shown.show(info, await shown.read(wanted)))
