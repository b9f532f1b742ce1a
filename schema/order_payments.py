"""Paying for an order that exists: by the link to it, a deposit, or what is left of it."""

import uuid
from dataclasses import replace
from typing import Annotated

import strawberry

from app.checkout.answers import ActionRequired
from app.checkout.requests import check_key
from app.errors import not_found
from app.kit import ids
from app.orders import queries
from app.payments import later
from app.payments.later import OrderPaymentRequest
from schema.access import PUBLIC, mutation
from schema.checkout.inputs import PaymentInput, fingerprint_of
from schema.checkout.types import PaymentAction
from schema.context import Info
from schema.errors import UserError
from schema.orders import Order, OrderView
from schema.orders.showing import ORDER_PREFIX
from schema.selection import Selection


@strawberry.input(
    description="How an order that exists is paid. How much is what it owes, or what was asked for first."
)
class OrderPaymentCreateInput:
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="The token from the receipt; the customer who is signed in needs none."
    )
    payment: PaymentInput = strawberry.field(description="How it is paid; through a gateway.")
    idempotency_key: str = strawberry.field(
        description="New for every attempt to pay, the same when asking again: up to 255 visible ASCII characters. The "
        "same key and input get the same answer; another input is refused."
    )


@strawberry.type(description="Answer to `orderPaymentCreate`: the order, or something to do, or why not.")
class OrderPaymentPayload:
    order: Order | None = strawberry.field(default=None, description="The order, once it is paid.")
    payment_action: PaymentAction | None = strawberry.field(
        default=None,
        description="What the buyer has to do first; then the client calls orderPaymentCreate again with the same key.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why it is not paid. A refusal stays the answer for this key; IN_PROGRESS does not.",
    )


@strawberry.type
class OrderPaymentMutations:
    @mutation(
        access=PUBLIC,
        description="Pay what an order owes: for the customer who placed it, or with the token from its receipt. What "
        "is paid so is taken at once. IN_PROGRESS is the one refusal to answer with the same request.",
    )
    async def order_payment_create(
        self,
        info: Info,
        input: Annotated[OrderPaymentCreateInput, strawberry.argument(description="Which order, and how.")],
    ) -> OrderPaymentPayload:
        order_id = ids.decode(ORDER_PREFIX, input.order_id, ["input", "orderId"])
        check_key(input.idempotency_key)
        view = OrderView.of(info, Selection.of(info).below("order"))
        await _own(info, order_id, input.token or None)
        throttle = info.context.throttle
        answer = await later.pay(
            OrderPaymentRequest(
                order_id=order_id,
                payment=input.payment.parsed(),
                idempotency_key=input.idempotency_key,
                fingerprint=fingerprint_of(input),
                customer=info.context.customer,
                client=throttle.client if throttle else None,
            )
        )
        if isinstance(answer, ActionRequired):
            action = answer.action
            return OrderPaymentPayload(
                payment_action=PaymentAction(
                    type=action.type, url=action.url, client_secret=action.client_secret, expires_at=answer.expires_at
                )
            )
        shown = replace(view, payments=False)
        return OrderPaymentPayload(order=await shown.show(info, await shown.read(order_id)))


async def _own(info: Info, order_id: uuid.UUID, token: str | None) -> None:
    """Raises DomainError(NOT_FOUND) for whoever may not see the order, as for one that does not exist."""
    row = await queries.with_token(order_id, token, lines=False) if token else None
    if row is None and info.context.customer is not None:
        found = (await queries.by_ids([order_id], lines=False)).get(order_id)
        row = found if found is not None and found["customer_id"] == info.context.customer.id else None
    if row is None:
        raise not_found("order", ["input", "orderId"])
