"""Refunds as rows, and through the API."""

import uuid
from typing import Any

from app import db
from app.kit.ids import new_id
from tests.client import Api

REFUND = """
    mutation ($input: RefundCreateInput!) {
        refundCreate(input: $input) {
            refund {
                id state to source amount { amount currencyCode } refundedAmount { amount } shipping { amount }
                lines { orderLineId quantity restock amount { amount } } reason failureCode
            }
            userErrors { code field message }
        }
    }
"""


async def row(order_id: uuid.UUID, *, source: str = "PROVIDER", minor: int = 100, state: str = "FAILED") -> uuid.UUID:
    """A refund of an order, at its gateway's dashboard unless told otherwise; no money is behind it."""
    refund_id = new_id()
    await db.execute(
        """
        INSERT INTO refunds (id, order_id, source, target, state, amount_minor, currency_code, created_at, updated_at,
                             shipping_minor, lines, notify_customer)
        VALUES ($1, $2, $3, 'ORIGINAL', $5, $4, 'USD', business_now(), business_now(), 0, '[]', false)
        """,
        refund_id,
        order_id,
        source,
        minor,
        state,
    )
    if state == "SUCCEEDED":
        await db.execute(
            """
            INSERT INTO refund_parts (id, refund_id, amount_minor, state, created_at, updated_at)
            VALUES ($1, $2, $3, $4, business_now(), business_now())
            """,
            new_id(),
            refund_id,
            minor,
            state,
        )
    return refund_id


async def discrepancy() -> uuid.UUID:
    """Money that the shop has no record of."""
    discrepancy_id = new_id()
    await db.execute(
        """
        INSERT INTO payment_discrepancies (id, gateway, kind, payment_id, amount_minor, currency_code, detail, found_at)
        VALUES ($1, 'test', 'MONEY_WITHOUT_ORDER', $1, 100, 'USD', 'the gateway says CAPTURED', business_now())
        """,
        discrepancy_id,
    )
    return discrepancy_id


async def create(api: Api, token: str, order_gid: str, **given: Any) -> dict[str, Any]:
    """`refundCreate`, with a key of its own unless one is given. Returns its payload."""
    wanted = {"orderId": order_gid, "idempotencyKey": new_id().hex, **given}
    result = await api.query(REFUND, {"input": wanted}, token=token)
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["refundCreate"]
    return payload


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}
