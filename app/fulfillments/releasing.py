"""Whether goods may leave: what was agreed on is met, and no money is missing that has to be there first."""

import uuid
from collections.abc import Mapping
from typing import Any

from app import db
from app.errors import DomainError
from app.fulfillments.errors import FulfillmentErrorCode
from app.kit.money import Money
from app.payments import standing
from app.payments.registry import CASH_ON_DELIVERY, PURCHASE_ORDER

# A deposit or a guarantee says what has to be there before the goods leave: no more than that.
_TO_COME = """
    SELECT coalesce((
        SELECT sum(amount_minor) FROM payments WHERE order_id = $1 AND state = 'PENDING' AND gateway = ANY($2)
    ), 0)::bigint AS minor, EXISTS (SELECT FROM order_conditions WHERE order_id = $1) AS has_conditions
"""


def check_holds(order: Mapping[str, Any], field: list[str]) -> None:
    """Raises DomainError(ORDER_ON_HOLD) while something that was agreed on with the order has not been met."""
    if order["holds"]:
        message = f"The order is on hold until this is met: {', '.join(order['holds'])}."
        raise DomainError(FulfillmentErrorCode.ORDER_ON_HOLD, message, field)


async def check_paid(order: Mapping[str, Any], field: list[str]) -> None:
    """In the open unit of work, which has the order locked.

    Raises:
        DomainError: ORDER_UNPAID where money is neither taken nor set aside, and was not agreed to come later: on
            delivery, on account, by a date that staff gave, or after a deposit or with a guarantee.
    """
    order_id: uuid.UUID = order["id"]
    missing = (await standing.sums_of(order_id)).uncovered_minor
    if not missing or order["payment_due_at"] is not None:
        return
    to_come = await db.fetchrow(_TO_COME, order_id, [CASH_ON_DELIVERY, PURCHASE_ORDER])
    if to_come is None or to_come["has_conditions"] or missing <= to_come["minor"]:
        return
    left = Money(missing - to_come["minor"], order["currency_code"])
    message = f"{left.decimal} {left.currency} are missing: wait for them, or say `allowUnpaid`."
    raise DomainError(FulfillmentErrorCode.ORDER_UNPAID, message, field)
