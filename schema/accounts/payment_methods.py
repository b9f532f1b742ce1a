"""What an account pays with again: `Customer.paymentMethods`. The gateway's reference is never shown."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.kit import ids
from app.payments import saved_methods
from app.payments.saved_methods import SavedMethod
from schema.access import CUSTOMER, mutation
from schema.accounts.parts import Attributes, customer_part
from schema.checkout.inputs import SAVED_METHOD_PREFIX
from schema.context import Info
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.payments import PaymentMethod
from schema.selection import Selection


@strawberry.type(description="What an account pays with again.")
class SavedPaymentMethod(Node):
    method: PaymentMethod = strawberry.field(description="How it pays.")
    gateway: str = strawberry.field(description="Who keeps it.")
    brand: str | None = strawberry.field(description="Such as `visa`.")
    last4: str | None = strawberry.field(description="The last characters of its number.")
    expiry_month: int | None = strawberry.field(description="1 to 12.")
    expiry_year: int | None = strawberry.field(description="Four digits.")
    created_at: dt.datetime = strawberry.field(description="When it was saved.")

    @classmethod
    def of(cls, saved: SavedMethod) -> "SavedPaymentMethod":
        return cls(
            id=strawberry.ID(ids.encode(SAVED_METHOD_PREFIX, saved.id)),
            method=saved.method,
            gateway=saved.gateway,
            brand=saved.brand,
            last4=saved.last_characters,
            expiry_month=saved.expires_month,
            expiry_year=saved.expires_year,
            created_at=saved.created_at,
        )


@strawberry.type
class CustomerPaymentMethods:
    """Fields of `Customer`."""

    payment_methods: list[SavedPaymentMethod] = strawberry.field(
        default_factory=list,
        description=f"What was saved to pay with again, the newest first: up to {saved_methods.MAX_SAVED}. Empty for "
        "everybody but the account's owner.",
    )


@customer_part
async def _load(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if "paymentMethods" not in selection or info.context.staff is not None:
        return {}
    found = await saved_methods.of_customers(customer_ids)
    return {
        customer_id: {"payment_methods": [SavedPaymentMethod.of(one) for one in saved]}
        for customer_id, saved in found.items()
    }


@node_loader(SAVED_METHOD_PREFIX)
async def _nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """One's own."""
    wanted, customer = [ids.decode(SAVED_METHOD_PREFIX, text, ["id"]) for text in texts], info.context.customer
    found = await saved_methods.by_ids(customer.id, wanted) if customer else {}
    return [SavedPaymentMethod.of(found[method_id]) if method_id in found else None for method_id in wanted]


@strawberry.type(description="Answer to `customerPaymentMethodDelete`.")
class CustomerPaymentMethodDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The payment method that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class CustomerPaymentMethodMutations:
    @mutation(
        access=CUSTOMER,
        description="Pay with a saved payment method no more: it is gone at once, and the gateway forgets it. What was "
        "paid with it stays paid.",
    )
    async def customer_payment_method_delete(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of one of `paymentMethods`.")],
    ) -> CustomerPaymentMethodDeletePayload:
        customer, method_id = info.context.customer, ids.decode(SAVED_METHOD_PREFIX, id, ["id"])
        if customer is None:
            raise RuntimeError("the guard lets nobody in who is not signed in")
        await saved_methods.delete(customer.id, method_id)
        return CustomerPaymentMethodDeletePayload(deleted_id=id)
