"""Orders of which a part is paid first, and the rest later, through the API."""

from typing import Any

from tests.client import Api
from tests.factories import checkout, drafts

ORDER = """query ($id: ID!) { order(id: $id) {
    status paymentStatus holds outstanding { amount } payments { method gateway state capturedAmount { amount } }
    timeline { type reason }
} }"""
NOTE = """mutation ($input: OrderManualPaymentCreateInput!) { orderManualPaymentCreate(input: $input) {
    order { paymentStatus holds outstanding { amount } } userErrors { code field message }
} }"""
PAY = """mutation ($input: OrderPaymentCreateInput!) { orderPaymentCreate(input: $input) {
    order { paymentStatus holds outstanding { amount } } paymentAction { type url } userErrors { code field }
} }"""


async def order(api: Api, token: str, order_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await api.ok(ORDER, {"id": order_id}, token=token))["order"]
    return shown


def stands(order: dict[str, Any]) -> tuple[str, str, list[str]]:
    return order["paymentStatus"], order["outstanding"]["amount"], order["holds"]


async def note(api: Api, token: str, order_id: str, amount: str | None = None, **given: Any) -> dict[str, Any]:
    """Staff note a transfer, of all that is due unless told otherwise."""
    given = {"orderId": order_id, "method": "BANK_TRANSFER", "idempotencyKey": checkout.new_key(), **given}
    if amount is not None:
        given["amount"] = drafts.usd(amount)
    if "given_amount" in given:
        given["amount"] = given.pop("given_amount")
    payload: dict[str, Any] = (await drafts.ok(api, NOTE, {"input": given}, token=token))["orderManualPaymentCreate"]
    return payload


async def pay(api: Api, bought: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The buyer pays what is asked for next, by card; `bought` has `order` and `orderToken`."""
    known = {"orderId": bought["order"]["id"], "token": bought["orderToken"]}
    given = {**known, "payment": checkout.CARD, "idempotencyKey": checkout.new_key(), **given}
    payload: dict[str, Any] = (await drafts.ok(api, PAY, {"input": given}))["orderPaymentCreate"]
    return payload
