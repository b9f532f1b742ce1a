"""The money of orders that are edited: whatever they were paid with, nothing is missing in silence or kept too much."""

import email
import email.policy
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any

import pytest

from app import db
from app.invoices import queries as invoices
from app.payments import capturing, credit
from app.payments.gateway import GatewayRefusedError
from app.payments.test_gateway import TestGateway
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, deposits, drafts, gift_cards, staff
from tests.factories.catalogue import MadeProduct
from tests.factories.orders import Bought, bought, codes, edit, of, pay, stands

Drain = Callable[[], Awaitable[None]]

PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
SHIP = """mutation ($input: FulfillmentCreateInput!) { fulfillmentCreate(input: $input) {
    userErrors { code field } } }"""
ON_ACCOUNT = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-7"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def lamp(_shop: None) -> MadeProduct:
    """20.00 each; shipping is 5.99."""
    return await catalogue.product(price_minor=2000, stock=50)


async def units(api: Api, token: str, order: Bought, quantity: int, **more: Any) -> dict[str, Any]:
    """An edit to so many units of the first line."""
    return await edit(api, token, order.gid, lines=[{"orderLineId": order.lines[0], "quantity": quantity}], **more)


async def ship(api: Api, token: str, order: Bought, **more: Any) -> list[str]:
    result = await api.query(SHIP, {"input": {"orderId": order.gid, **more}}, token=token)
    assert result.data is not None, result.errors
    return codes(result.data["fulfillmentCreate"])


async def in_cash(api: Api, token: str, lamp: MadeProduct, quantity: int, **more: Any) -> Bought:
    """Ordered, and paid already."""
    order = await bought(api, (lamp, quantity), payment=checkout.CASH, **more)
    await api.ok(PAID, {"id": order.gid}, token=token)
    return order


def status(shown: dict[str, Any]) -> tuple[str, str, str]:
    return shown["status"], shown["paymentStatus"], shown["outstanding"]["amount"]


async def test_an_order_that_costs_more_after_money_went_back_is_not_paid(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    order = await in_cash(api, staff_token, lamp, 3)
    assert (await units(api, staff_token, order, 1))["refundAmount"] == {"amount": "40.00"}
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_REFUNDED", "0.00")
    assert codes(await units(api, staff_token, order, 2)) == []
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_PAID", "20.00")
    assert await ship(api, staff_token, order) == ["ORDER_UNPAID"]
    assert await db.fetchval("SELECT count(*) FROM fulfillments") == 0

    paid = await pay(api, order)
    assert paid["userErrors"] == []
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_REFUNDED", "0.00")
    (asked,) = await db.fetch("SELECT state, amount_minor FROM payment_requests")
    assert tuple(asked.values()) == ("PAID", 2000)
    assert await ship(api, staff_token, order) == []
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("COMPLETED", "PARTIALLY_REFUNDED", "0.00")


async def test_who_ships_without_the_money_says_so_and_the_order_stays_open(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    order = await bought(api, (lamp, 1))
    await units(api, staff_token, order, 2)
    assert await ship(api, staff_token, order) == ["ORDER_UNPAID"]
    assert await ship(api, staff_token, order, allowUnpaid=True) == []
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_PAID", "20.00")
    await api.ok(PAID, {"id": order.gid}, token=staff_token)
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("COMPLETED", "PAID", "0.00")


async def test_a_balance_is_paid_by_the_link_or_called_off(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    order = await bought(api, (lamp, 1))
    await units(api, staff_token, order, 3)
    declined = await pay(api, order, "tok_declined")
    assert codes(declined) == ["PAYMENT_DECLINED"]
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "AUTHORIZED", "40.00")
    # Nothing more is due than was set aside, and nobody can pay what is not.
    await units(api, staff_token, order, 1)
    assert codes(await pay(api, order)) == ["PAYMENT_NOT_DUE"]
    await units(api, staff_token, order, 2)
    assert (await pay(api, order))["order"]["outstanding"] == {"amount": "0.00"}
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_PAID", "0.00"), "20 + 25.99 aside"
    assert await ship(api, staff_token, order) == []
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("COMPLETED", "PAID", "0.00")
    rows = await db.fetch("SELECT state FROM payment_requests ORDER BY created_at, id")
    assert [row["state"] for row in rows] == ["CANCELLED", "PAID"]


async def test_money_that_waits_for_its_buyer_keeps_the_order_as_it_is(
    api: Api, staff_token: str, drain: Drain, advance: Callable[[str], Awaitable[None]], lamp: MadeProduct
) -> None:
    order = await bought(api, (lamp, 1))
    await units(api, staff_token, order, 2)
    shop = {"payment": {**checkout.CARD, "token": "tok_requires_action", "returnUrl": "https://shop.example/back"}}
    assert (await pay(api, order, **shop))["paymentAction"]
    before = await db.fetchrow("SELECT * FROM orders")
    assert codes(await units(api, staff_token, order, 1)) == ["PAYMENT_IN_PROGRESS"]
    assert await db.fetchrow("SELECT * FROM orders") == before
    await advance("PT20M")
    assert codes(await units(api, staff_token, order, 1)) == []
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "AUTHORIZED", "0.00")


async def test_what_gift_cards_paid_too_much_is_back_on_them(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    """65.99 of which two cards pay 30.00 and 20.00, and 15.99 come by card."""
    first, second = await gift_cards.gift_card(3000), await gift_cards.gift_card(2000)
    order = await bought(api, (lamp, 3), cards=[first.code, second.code], payment=checkout.CASH)
    await api.ok(PAID, {"id": order.gid}, token=staff_token)

    async def left() -> int:
        return await gift_cards.balance(first.id) + await gift_cards.balance(second.id)

    payload = await units(api, staff_token, order, 2)
    assert payload["refundAmount"] == {"amount": "20.00"}, "15.99 of it in cash"
    await drain()
    shown = await stands(api, staff_token, order.gid)
    assert (shown["cost"]["giftCards"], shown["cost"]["amountDue"]) == ({"amount": "45.99"}, {"amount": "0.00"})
    assert (shown["paymentStatus"], await left()) == ("PARTIALLY_REFUNDED", 401)
    await units(api, staff_token, order, 1)
    await drain()
    shown = await stands(api, staff_token, order.gid)
    assert (shown["cost"]["giftCards"]["amount"], await left()) == ("25.99", 2401)
    ledger = await db.fetch(
        "SELECT v.id, v.amount_minor FROM orders o, "
        "jsonb_to_recordset(o.stored_value) AS v (id uuid, amount_minor bigint)"
    )
    balances = {row["id"]: row["amount_minor"] for row in ledger}
    for card, worth in ((first, 3000), (second, 2000)):
        assert await gift_cards.balance(card.id) == worth - balances.get(card.id, 0), "the order says which card paid"
    # It costs more again: the cards are not asked a second time, the buyer is.
    await units(api, staff_token, order, 3)
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PENDING", "40.00")
    await pay(api, order)
    await drain()
    await stands(api, staff_token, order.gid)
    assert await left() == 2401
    cancel = "mutation ($id: ID!) { orderCancel(orderId: $id, refund: true) { userErrors { code } } }"
    await api.ok(cancel, {"id": order.gid}, token=staff_token)
    await drain()
    assert (await stands(api, staff_token, order.gid))["paymentStatus"] == "REFUNDED"
    assert await left() == 5000


async def test_giving_back_to_a_card_needs_the_right_to_refund(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    card = await gift_cards.gift_card(9000)
    order = await bought(api, (lamp, 2), cards=[card.code], payment=None)
    weak = await staff.signed_in({Permission.ORDERS_WRITE, Permission.ORDERS_READ})
    assert codes(await units(api, weak, order, 1)) == ["FORBIDDEN"]
    assert await gift_cards.balance(card.id) == 9000 - 4599
    assert codes(await units(api, weak, order, 3)) == [], "what costs more gives nothing back"
    assert codes(await units(api, staff_token, order, 1)) == []
    await drain()
    shown = await stands(api, staff_token, order.gid)
    assert (shown["paymentStatus"], await gift_cards.balance(card.id)) == ("PAID", 9000 - 2599)


async def test_an_order_on_account_is_checked_against_the_limit_again(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    buyer, company_id = await accounts.signed_in(), await companies.company(credit_limit_minor=7000)
    await companies.member(company_id, buyer.id)
    order = await bought(api, (lamp, 1), account=buyer.token, company=company_id, payment=ON_ACCOUNT)
    before = await db.fetchrow("SELECT * FROM orders")
    assert codes(await units(api, staff_token, order, 4)) == ["CREDIT_LIMIT_EXCEEDED"]
    assert await db.fetchrow("SELECT * FROM orders") == before
    for quantity, owed in ((3, 6599), (2, 4599)):
        assert codes(await units(api, staff_token, order, quantity)) == []
        assert await credit.owed_by(company_id, "USD") == owed
        await drain()
        assert status(await stands(api, staff_token, order.gid))[1] == "PENDING"
    assert await ship(api, staff_token, order) == [], "its terms let the money come later"
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PENDING", "45.99")


async def test_what_a_deposit_leaves_is_not_asked_for_with_it(api: Api, staff_token: str, drain: Drain) -> None:
    """50.00 with a deposit of 20.00: however the order is edited, the deposit stays what was agreed."""
    draft = await drafts.created(api, staff_token, deposit=drafts.usd("20"))
    await drafts.marked_complete(api, staff_token, draft["id"])
    order = await of(f"ord_{(await db.fetchval('SELECT id FROM orders')).hex}")
    lamp = await catalogue.product(price_minor=1000, kind="SERVICE", requires_shipping=False)

    async def asked() -> list[int]:
        rows = await db.fetch("SELECT amount_minor FROM payment_requests WHERE state = 'OPEN'")
        return [row["amount_minor"] for row in rows]

    assert await asked() == [2000]
    line = {"orderLineId": order.lines[0], "discount": {"amount": drafts.usd("5"), "reason": "Late"}}
    assert codes(await edit(api, staff_token, order.gid, lines=[line])) == []
    assert (await asked(), status(await stands(api, staff_token, order.gid))[2]) == ([2000], "45.00")
    added = [{"variantId": lamp.variant_gid, "quantity": 1}]
    assert codes(await edit(api, staff_token, order.gid, addLines=added)) == []
    assert (await asked(), status(await stands(api, staff_token, order.gid))[2]) == ([2000], "55.00")
    much = {"amount": drafts.usd("40"), "reason": "Friend"}
    assert codes(await edit(api, staff_token, order.gid, discount=much)) == []
    assert (await asked(), status(await stands(api, staff_token, order.gid))[2]) == ([1500], "15.00")
    await deposits.note(api, staff_token, order.gid)
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("COMPLETED", "PAID", "0.00")


async def test_the_rest_of_a_line_is_taken_off_once_a_part_has_left(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    order = await bought(api, (lamp, 3))
    assert await ship(api, staff_token, order, lines=[{"orderLineId": order.lines[0], "quantity": 1}]) == []
    await drain()
    assert codes(await units(api, staff_token, order, 2)) == []
    assert codes(await units(api, staff_token, order, 1)) == []
    await drain()
    shown = await stands(api, staff_token, order.gid)
    assert (shown["status"], shown["paymentStatus"], shown["fulfillmentStatus"]) == ("COMPLETED", "PAID", "FULFILLED")
    assert shown["payments"] == [
        {"state": "CAPTURED", "amount": {"amount": "65.99"}, "capturedAmount": {"amount": "25.99"}}
    ]
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (49, 0)
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'order.fulfilled'") == 1


async def test_an_edit_that_pays_an_order_of_services_completes_it_with_its_stock(
    api: Api, staff_token: str, drain: Drain
) -> None:
    """Two seats at 25.00, of which 30.00 have come in: one seat less, and 5.00 go back."""
    seat = await catalogue.product(price_minor=2500, stock=10, kind="SERVICE", requires_shipping=False)
    draft = await drafts.created(api, staff_token, lines=[{"variantId": seat.variant_gid, "quantity": 2}])
    await drafts.marked_complete(api, staff_token, draft["id"], paidBy="BANK_TRANSFER", amount=drafts.usd("30"))
    order = await of(f"ord_{(await db.fetchval('SELECT id FROM orders')).hex}")
    assert status(await stands(api, staff_token, order.gid)) == ("OPEN", "PARTIALLY_PAID", "20.00")
    assert (await units(api, staff_token, order, 1))["refundAmount"] == {"amount": "5.00"}
    await drain()
    assert status(await stands(api, staff_token, order.gid)) == ("COMPLETED", "PARTIALLY_REFUNDED", "0.00")
    row = await db.fetchrow("SELECT available, reserved FROM stock_levels")
    assert row is not None
    assert tuple(row.values()) == (9, 0)


async def test_one_mail_tells_of_the_edit_and_of_its_refund(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    order = await in_cash(api, staff_token, lamp, 3)
    await drain()
    await db.execute("DELETE FROM dev_messages")
    await units(api, staff_token, order, 2, reason="One was broken")
    await drain()
    (sent,) = await db.fetch("SELECT template, content FROM dev_messages")
    mail = email.message_from_bytes(sent["content"], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    assert body is not None
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "INV-000002.pdf", "what it costs now"
    invoice_id = await db.fetchval("SELECT id FROM invoices WHERE number = 'INV-000002' AND total_minor = 4599")
    printed = await invoices.print_out(invoice_id)
    assert printed is not None
    assert attached.get_content() == printed.pdf
    text = " ".join(body.get_content().split())
    assert sent["template"] == "order_edited"
    assert "It costs $45.99 now, $20.00 less than before. $20.00 goes back the way you paid;" in text
    await units(api, staff_token, order, 1, notifyCustomer=False)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM dev_messages") == 1, "and none where staff say so"


async def test_a_refund_that_the_gateway_refuses_is_owed_to_the_buyer_and_staff_are_told(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await catalogue.product(price_minor=2500, stock=10, kind="SERVICE", requires_shipping=False)
    lamp = await catalogue.product(price_minor=2000)
    order = await bought(api, (seat, 2), (lamp, 1))
    async with db.unit_of_work():
        await capturing.want_capture(order.id, everything=True)
    await drain()

    async def refuses(*args: Any) -> Any:
        raise GatewayRefusedError("charge_too_old")

    monkeypatch.setattr(TestGateway, "refund", refuses)
    assert (await units(api, staff_token, order, 1))["refundAmount"] == {"amount": "25.00"}
    await drain()
    row = await db.fetchrow("SELECT payment_status, status FROM orders")
    assert row is not None
    assert tuple(row.values()) == ("PAID", "OPEN")
    assert await db.fetchval("SELECT state FROM refunds") == "FAILED"
    assert await db.fetchval("SELECT count(*) FROM messages WHERE template = 'staff_notice'") == 1
