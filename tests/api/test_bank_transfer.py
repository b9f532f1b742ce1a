"""Ways to pay for which no gateway is asked: by transfer, on account, and what the shop has turned off."""

import email
import email.policy
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, inventory
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

SETTINGS = """mutation ($input: PaymentSettingsInput!) { paymentSettingsUpdate(input: $input) {
    paymentSettings { bankIban bankBic bankTransfer bankDaysToPay capturePolicy }
    userErrors { code field }
} }"""
TRANSFER = {"method": "BANK_TRANSFER"}
ACCOUNT = {"bankTransfer": True, "bankAccountHolder": "Tradewind Supply", "bankIban": "DE89 3704 0044 0532 0130 00"}
ORDER = """query ($id: ID!, $token: String) { order(id: $id, token: $token) {
    number status paymentStatus purchaseOrderNumber paymentDueAt isPaymentOverdue
    bankTransfer { account { accountHolder iban } reference amount { amount } payBy }
} }"""
PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { order { paymentStatus } userErrors { code } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=5)


async def settings(api: Api, token: str, **given: Any) -> dict[str, Any]:
    changed = await api.ok(SETTINGS, {"input": given}, token=token)
    shown: dict[str, Any] = changed["paymentSettingsUpdate"]["paymentSettings"]
    return shown


async def mails(template: str) -> list[str]:
    """The plain text of those that were sent, the oldest first."""
    rows = await db.fetch("SELECT content FROM dev_messages WHERE template = $1 ORDER BY sent_at", template)
    return [_text(row["content"]) for row in rows]


def _text(content: bytes) -> str:
    part = email.message_from_bytes(content, policy=email.policy.default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def test_an_order_waits_for_its_transfer(api: Api, staff_token: str, product: MadeProduct, drain: Drain) -> None:
    refused = await checkout.complete(api, await checkout.ready_input(api, (product, 2), payment=TRANSFER))
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [
        ("PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "method"])
    ]
    assert (await settings(api, staff_token, **ACCOUNT))["bankIban"] == "DE89370400440532013000"
    bought = await checkout.placed(api, (product, 2), payment=TRANSFER)
    gid, token = bought["order"]["id"], bought["orderToken"]
    assert (bought["order"]["status"], bought["order"]["paymentStatus"]) == ("OPEN", "PENDING")
    seen = (await api.ok(ORDER, {"id": gid, "token": token}))["order"]
    assert seen["bankTransfer"]["account"] == {"accountHolder": "Tradewind Supply", "iban": "DE89370400440532013000"}
    assert seen["bankTransfer"]["reference"] == seen["number"]
    assert seen["bankTransfer"]["amount"]["amount"] == "45.97"
    await drain()
    (mail,) = await mails("order_confirmation")
    assert "DE89 3704 0044 0532 0130 00" in mail
    assert f"Reference: {seen['number']}" in mail
    assert await inventory.available(product.variant_id) == 3

    paid = await api.ok(PAID, {"id": gid}, token=staff_token)
    assert paid["orderMarkAsPaid"]["order"]["paymentStatus"] == "PAID"
    assert (await api.ok(ORDER, {"id": gid, "token": token}))["order"]["bankTransfer"] is None
    assert await invariants.check() == []


async def test_a_transfer_that_does_not_come(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain, advance: Advance
) -> None:
    await settings(api, staff_token, **ACCOUNT, bankDaysToPay=10, bankReminderDays=3)
    late = (await checkout.placed(api, (product, 2), payment=TRANSFER))["order"]["id"]
    paid = (await checkout.placed(api, (product, 1), payment=TRANSFER))["order"]["id"]
    await api.ok(PAID, {"id": paid}, token=staff_token)
    await advance("P6DT23H")
    assert await mails("order_payment_reminder") == []
    await advance("PT2H")
    assert len(await mails("order_payment_reminder")) == 1
    await advance("P2DT20H")
    assert (await api.ok(ORDER, {"id": late}, token=staff_token))["order"]["status"] == "OPEN"
    await advance("PT4H")
    seen = (await api.ok(ORDER, {"id": late}, token=staff_token))["order"]
    assert (seen["status"], seen["paymentStatus"], seen["bankTransfer"]) == ("CANCELLED", "VOIDED", None)
    assert (await api.ok(ORDER, {"id": paid}, token=staff_token))["order"]["status"] == "OPEN"
    assert await inventory.available(product.variant_id) == 4
    assert "did not arrive in time" in (await mails("order_cancelled"))[0]
    assert await invariants.check() == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bankTransfer": True}, ("REQUIRED", ["input", "bankAccountHolder"])),
        ({**ACCOUNT, "bankIban": "DE89 3704 0044 0532 0130 01"}, ("INVALID", ["input", "bankIban"])),
        ({**ACCOUNT, "bankBic": "NOBANK"}, ("INVALID", ["input", "bankBic"])),
        ({"bankDaysToPay": 0}, ("OUT_OF_RANGE", ["input", "bankDaysToPay"])),
        ({"bankDaysToPay": 3, "bankReminderDays": 3}, ("OUT_OF_RANGE", ["input", "bankReminderDays"])),
        ({"bankInstructions": "x" * 2_001}, ("TOO_LONG", ["input", "bankInstructions"])),
    ],
)
async def test_settings_that_cannot_be(
    api: Api, staff_token: str, given: dict[str, Any], problem: tuple[str, list[str]]
) -> None:
    errors = await api.refused(SETTINGS, {"input": given}, token=staff_token)
    assert problem in [(error["code"], error["field"]) for error in errors]
    assert await db.fetchval("SELECT count(*) FROM payment_settings WHERE bank_transfer") == 0


async def test_cash_on_delivery_can_be_turned_off(api: Api, staff_token: str, product: MadeProduct) -> None:
    await settings(api, staff_token, cashOnDelivery=False)
    given = await checkout.ready_input(api, (product, 1), payment=checkout.CASH)
    (error,) = (await checkout.complete(api, given))["userErrors"]
    assert error["code"] == "PAYMENT_METHOD_UNAVAILABLE"
    shown = await api.ok(
        "mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { "
        "checkout { paymentMethods { method bankAccount { iban } } } userErrors { code } } }",
        {"input": {"cartId": given["cartId"]}},
    )
    methods = shown["checkoutCreate"]["checkout"]["paymentMethods"]
    assert [each["method"] for each in methods] == ["CARD", "WALLET", "PAYPAL"]


# --- on account -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Buyer:
    """Who buys for a company."""

    id: uuid.UUID
    company_id: uuid.UUID
    token: str


async def buyer_of(terms_days: int | None = 30) -> _Buyer:
    """Of a company that may owe 100.00 USD."""
    account = await accounts.signed_in(email=f"buyer-{terms_days}@acme.example", verified=True)
    company_id = await companies.company(terms_days=terms_days, credit_limit_minor=10_000)
    await companies.member(company_id, account.id)
    return _Buyer(account.id, company_id, account.token)


async def on_account(api: Api, buyer: _Buyer, product: MadeProduct, number: str | None = "PO-7") -> dict[str, Any]:
    payment = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": number}
    given = await checkout.ready_input(api, (product, 2), payment=payment)
    cart_id = uuid.UUID(hex=given["cartId"].split("_")[1])
    await db.execute(
        "UPDATE carts SET customer_id = $2, company_id = $3 WHERE id = $1", cart_id, buyer.id, buyer.company_id
    )
    return await checkout.complete(api, given, token=buyer.token)


async def test_a_company_buys_on_account_up_to_its_limit(
    api: Api, staff_token: str, product: MadeProduct, advance: Advance
) -> None:
    buyer = await buyer_of()
    first = (await on_account(api, buyer, product))["order"]
    await on_account(api, buyer, product)
    (error,) = (await on_account(api, buyer, product))["userErrors"]
    assert (error["code"], error["field"]) == ("CREDIT_LIMIT_EXCEEDED", ["input", "payment", "method"])
    assert "8.06 USD" in error["message"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 2
    assert await inventory.available(product.variant_id) == 1
    seen = (await api.ok(ORDER, {"id": first["id"]}, token=staff_token))["order"]
    assert (seen["purchaseOrderNumber"], seen["paymentStatus"], seen["isPaymentOverdue"]) == ("PO-7", "PENDING", False)

    await advance("P31D")
    listed = "{ orders(paymentOverdue: true) { nodes { id isPaymentOverdue } } }"
    overdue = (await api.ok(listed, token=staff_token))["orders"]["nodes"]
    assert [each["isPaymentOverdue"] for each in overdue] == [True, True]
    await api.ok(PAID, {"id": first["id"]}, token=staff_token)
    assert len((await api.ok(listed, token=staff_token))["orders"]["nodes"]) == 1
    assert (await on_account(api, buyer, await catalogue.product(stock=5)))["order"], "what is paid is not owed"
    assert await invariants.check() == []


async def test_nobody_else_buys_on_account(api: Api, product: MadeProduct) -> None:
    (error,) = (await on_account(api, await buyer_of(terms_days=None), product))["userErrors"]
    assert (error["code"], error["field"]) == ("PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "method"])
    (error,) = (await on_account(api, await buyer_of(), product, None))["userErrors"]
    assert (error["code"], error["field"]) == ("REQUIRED", ["input", "payment", "purchaseOrderNumber"])
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
