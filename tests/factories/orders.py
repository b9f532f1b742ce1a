"""Orders that are edited, and orders that are not as they were sold."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app import db, invariants
from app.accounts.identity import identity_of
from app.cart import entering
from app.cart.merging import keep_for_customer
from app.cart.service import CartKey
from app.payments import standing
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import checkout
from tests.factories.catalogue import MadeProduct

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


WHO = """mutation ($id: ID!, $who: BuyerIdentityInput!) {
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $who) { userErrors { code } }
}"""
WRAP = """mutation ($id: ID!, $line: ID) {
    cartGiftOptionsUpdate(cartId: $id, lineId: $line, giftOptions: { wrap: true }) { userErrors { code } }
}"""


@dataclass(frozen=True, slots=True)
class Bought:
    """An order as a shopper has bought it."""

    gid: str
    token: str
    id: uuid.UUID
    lines: list[str]
    """Ids of its lines, as the API has them."""


async def bought(
    api: Api,
    *lines: tuple[MadeProduct, int],
    codes: Sequence[str] = (),
    cards: Sequence[str] = (),
    account: str | None = None,
    spends_credit: bool = False,
    company: uuid.UUID | None = None,
    tax_id: str | None = None,
    wraps: bool = False,
    country: str | None = None,
    **more: Any,
) -> Bought:
    """Paid for by card unless told otherwise.

    Args:
        codes, cards: of discounts and gift cards, entered into its cart.
        account: the token of who is signed in.
        spends_credit: of that account.
        company: for whom it is bought.
        tax_id: of the buyer.
        wraps: all of it, and each unit of its first line.
        more: of `checkoutComplete`; None leaves something out.
    """
    cart = await carts.cart(*((product.variant_id, units) for product, units in lines), country_code=country)
    key = CartKey(cart.id, cart.secret)
    if tax_id is not None:
        await api.ok(WHO, {"id": cart.gid, "who": {"taxId": tax_id}})
    if wraps:
        for line in (None, cart.line_gids[0]):
            await api.ok(WRAP, {"id": cart.gid, "line": line})
    if codes:
        await entering.change_codes(key, codes, "client")
    if cards:
        await entering.change_gift_cards(key, cards, "client")
    if account is not None and (company is not None or spends_credit):
        identity = await identity_of(account)
        assert identity is not None
        await keep_for_customer(key, identity.id)
        if spends_credit:
            await entering.change_store_credit(key, identity, use=True)
    if company is not None:
        await db.execute("UPDATE carts SET company_id = $2 WHERE id = $1", cart.id, company)
    address = more.get("shippingAddress", checkout.ADDRESS)
    if "shippingQuoteId" not in more:
        place = {name: address[name] for name in checkout.DESTINATION if name in address}
        more["shippingQuoteId"] = await checkout.quote_for(api, cart.gid, place)
    given = {
        "cartId": cart.gid,
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "shippingAddress": checkout.ADDRESS,
        "payment": checkout.CARD,
        **more,
    }
    given = {name: value for name, value in given.items() if value is not None}
    payload = await checkout.complete(api, given, token=account)
    assert payload["order"], payload["userErrors"]
    return await of(payload["order"]["id"], payload["orderToken"])


async def of(order_gid: str, token: str = "") -> Bought:
    order_id = uuid.UUID(order_gid.split("_")[1])
    rows = await db.fetch("SELECT id FROM order_lines WHERE order_id = $1 ORDER BY position", order_id)
    return Bought(order_gid, token, order_id, [f"oline_{row['id'].hex}" for row in rows])


CANCEL = """mutation ($id: ID!, $reason: String, $refund: Boolean, $refundTo: RefundTarget, $restock: Boolean,
                     $notifyCustomer: Boolean, $staffNote: String) {
    orderCancel(orderId: $id, reason: $reason, refund: $refund, refundTo: $refundTo, restock: $restock,
                notifyCustomer: $notifyCustomer, staffNote: $staffNote) {
        order { status paymentStatus refunds { source to state amount { amount } } } userErrors { code field }
    }
}"""


async def cancel(api: Api, token: str, order_gid: str, **given: Any) -> dict[str, Any]:
    """`orderCancel`. Returns its payload; no fault is expected."""
    result = await api.query(CANCEL, {"id": order_gid, **given}, token=token)
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["orderCancel"]
    return payload


STANDS = """query ($id: ID!) { order(id: $id) {
    status paymentStatus fulfillmentStatus outstanding { amount }
    cost { total { amount } giftCards { amount } storeCredit { amount } amountDue { amount } }
    payments { state amount { amount } capturedAmount { amount } }
    refunds { source state amount { amount } }
} }"""


async def stands(api: Api, token: str, order_gid: str) -> dict[str, Any]:
    """Where an order and its money are, whose sums add up: what it costs is what stored value paid, what payments have
    for it, and what is outstanding; never is more kept than it costs."""
    broken = await invariants.check()
    assert not broken, repr(broken)
    shown: dict[str, Any] = (await api.ok(STANDS, {"id": order_gid}, token=token))["order"]
    sums = await standing.sums_of(uuid.UUID(order_gid.split("_")[1]))
    cost = {name: Decimal(shown["cost"][name]["amount"]) for name in shown["cost"]}
    assert cost["total"] == cost["giftCards"] + cost["storeCredit"] + cost["amountDue"]
    assert int(cost["amountDue"] * 100) == sums.due_minor
    assert sums.covering_minor <= sums.due_minor
    if shown["status"] != "CANCELLED":
        assert int(Decimal(shown["outstanding"]["amount"]) * 100) == sums.uncovered_minor
        is_paid = shown["paymentStatus"] in {"PAID", "PARTIALLY_REFUNDED", "REFUNDED"}
        assert is_paid is (sums.missing_minor == 0), "it never says that it is paid while money is missing"
        assert shown["status"] != "COMPLETED" or is_paid
    return shown


PAY = """mutation ($input: OrderPaymentCreateInput!) { orderPaymentCreate(input: $input) {
    order { paymentStatus outstanding { amount } } paymentAction { type url } userErrors { code field }
} }"""


async def pay(api: Api, order: Bought, card: str = "tok_success", **more: Any) -> dict[str, Any]:
    """`orderPaymentCreate` with the order's link. Returns its payload."""
    given = {
        "orderId": order.gid,
        "token": order.token,
        "payment": {**checkout.CARD, "token": card},
        "idempotencyKey": checkout.new_key(),
        **more,
    }
    result = await api.query(PAY, {"input": given})
    assert not result.errors, result.errors
    assert result.data is not None
    payload: dict[str, Any] = result.data["orderPaymentCreate"]
    return payload


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]
