"""Money that staff note for an order by hand."""

from typing import Annotated

import strawberry

from app.checkout.requests import check_key
from app.kit import ids
from app.payments import by_hand
from app.payments.by_hand import ManualPayment
from app.payments.models import PaymentMethod
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.checkout.inputs import fingerprint_of
from schema.context import Info
from schema.money import MoneyInput
from schema.orders import OrderView
from schema.orders.showing import ORDER_PREFIX
from schema.orders.types import OrderPayload
from schema.selection import Selection


@strawberry.input(description="Money that has come in for an order without a gateway.")
class OrderManualPaymentCreateInput:
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    method: PaymentMethod = strawberry.field(
        description="How it came in: BANK_TRANSFER, CASH_ON_DELIVERY for cash, CARD for the shop's own terminal, "
        "PURCHASE_ORDER for what a company owed."
    )
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="How much, at most what is `outstanding`; left out, all of that."
    )
    reference: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="As the bank's statement or the receipt has it: up to 255 characters, on the order's timeline.",
    )
    idempotency_key: str = strawberry.field(
        description="New for every payment, the same when asking again: up to 255 visible ASCII characters. The same "
        "key and input notes it once; another input is refused."
    )


@strawberry.type
class ManualPaymentMutations:
    @mutation(
        access=STAFF(Permission.ORDERS_WRITE),
        description="Note that money has come in for an order, such as a deposit or the balance, never more than is "
        "outstanding. A deposit that is covered releases its hold. `orderMarkAsPaid` notes all of it.",
    )
    async def order_manual_payment_create(
        self,
        info: Info,
        input: Annotated[OrderManualPaymentCreateInput, strawberry.argument(description="What came in, and how.")],
    ) -> OrderPayload:
        order_id = ids.decode(ORDER_PREFIX, input.order_id, ["input", "orderId"])
        check_key(input.idempotency_key)
        view = OrderView.of(info, Selection.of(info).below("order"))
        await by_hand.note(
            ManualPayment(
                order_id=order_id,
                method=input.method,
                amount=input.amount.parsed(["input", "amount", "amount"]) if input.amount else None,
                reference=input.reference or None,
                idempotency_key=input.idempotency_key,
                fingerprint=fingerprint_of(input),
            )
        )
        # To change an order is not to read who bought it.
        return OrderPayload(order=(await view.load_own(info, [order_id])).get(order_id))
