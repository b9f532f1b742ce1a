"""Orders that are edited, and orders that are not as they were sold."""

from typing import Any

from app import db
from tests.client import Api

EDIT = """mutation ($id: ID!, $input: OrderEditInput!, $preview: Boolean! = false) {
    orderEdit(orderId: $id, input: $input, preview: $preview) {
        order {
            id status paymentStatus fulfillmentStatus updatedAt
            cost { subtotal { amount } discount { amount } shipping { amount } tax { amount } total { amount }
                   amountDue { amount } }
            lines { nodes { id quantity cost { unitPrice { amount } total { amount } } } }
            shippingAddress { address1 }
            payments { state amount { amount } capturedAmount { amount } refundedAmount { amount } }
            invoices { kind total { amount } }
        }
        cost { total { amount } tax { amount } amountDue { amount } }
        additionalAmountDue { amount } refundAmount { amount }
        userErrors { code field message ... on InsufficientStockError { availableQuantity } }
    }
}"""


async def edit(api: Api, token: str, order_gid: str, *, preview: bool = False, **given: Any) -> dict[str, Any]:
    """`orderEdit`. Returns its payload; no fault is expected."""
    result = await api.query(EDIT, {"id": order_gid, "input": given, "preview": preview}, token=token)
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["orderEdit"]
    return payload


async def rewrite(statement: str, *arguments: object) -> None:
    """Run a statement on orders or their lines past everything that keeps them as they are."""
    async with db.unit_of_work():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement, *arguments)
