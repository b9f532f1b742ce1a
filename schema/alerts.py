"""Alerts that shoppers ask for: back in stock, and cheaper."""

import uuid
from typing import Annotated

import strawberry

from app.alerts import service
from app.alerts.models import AlertKind
from app.alerts.service import Person
from app.customers import visitors
from app.kit import ids
from schema.access import PUBLIC, mutation
from schema.cart.inputs import CART_PREFIX
from schema.context import Info
from schema.errors import UserError


@strawberry.input(
    description="A variant, and who wants to hear of it: by email, or as the person of a cart or visitor."
)
class ProductAlertInput:
    variant_id: strawberry.ID = strawberry.field(description="What it is about.")
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where to write to; goes before cart and visitor."
    )
    cart_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A cart with a contact in it, the secret included."
    )
    visitor_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="From `visitorCreate`: with an email, the visitor is that person."
    )

    def person(self) -> Person:
        """Raises DomainError(INVALID_ID)."""
        cart_id, secret = (
            ids.decode_with_secret(CART_PREFIX, self.cart_id, ["input", "cartId"]) if self.cart_id else (None, "")
        )
        visitor_id = visitors.verified(self.visitor_id, ["input", "visitorId"]) if self.visitor_id else None
        return Person(email=self.email or None, visitor_id=visitor_id, cart_id=cart_id, cart_secret=secret)

    def variant(self) -> uuid.UUID:
        """Raises DomainError(INVALID_ID)."""
        return ids.decode("var", self.variant_id, ["input", "variantId"])


@strawberry.type(description="Answer to a request for an alert.")
class ProductAlertPayload:
    alert_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="For `productAlertCancel`: a secret of whoever asked. Asking again gives another one, and changes "
        "nothing.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `productAlertCancel`.")
class ProductAlertCancelPayload:
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


Input = Annotated[ProductAlertInput, strawberry.argument(description="What to hear of, and who.")]


@strawberry.type
class AlertMutations:
    @mutation(
        access=PUBLIC,
        description="Ask for one message when a variant that is sold out can be bought again. It is no consent to any "
        "other message.",
    )
    async def back_in_stock_subscribe(self, info: Info, input: Input) -> ProductAlertPayload:
        return await _subscribe(info, AlertKind.BACK_IN_STOCK, input)

    @mutation(
        access=PUBLIC,
        description="Ask for one message when a variant costs less than it does now, in the market that the request is "
        "in (`@inContext`), for the person who asked: at the prices of their account's groups, and of the company that "
        "their cart is for. It is no consent to any other message.",
    )
    async def price_drop_subscribe(self, info: Info, input: Input) -> ProductAlertPayload:
        return await _subscribe(info, AlertKind.PRICE_DROP, input)

    @mutation(access=PUBLIC, description="Take back a request for an alert.")
    async def product_alert_cancel(
        self, alert_id: Annotated[strawberry.ID, strawberry.argument(description="As the request was answered.")]
    ) -> ProductAlertCancelPayload:
        await service.cancel(alert_id)
        return ProductAlertCancelPayload()


async def _subscribe(info: Info, kind: AlertKind, input: ProductAlertInput) -> ProductAlertPayload:
    buying = info.context.buying
    alert_gid = await service.subscribe(
        kind,
        input.variant(),
        input.person(),
        client=info.context.client_address,
        market=buying.market if buying else None,
    )
    return ProductAlertPayload(alert_id=strawberry.ID(alert_gid))
