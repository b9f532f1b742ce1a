"""What an edit of an order makes due, paid with a card that its customer has saved: by both gateways."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, deposits, drafts
from tests.factories.accounts import Account
from tests.factories.catalogue import MadeProduct
from tests.factories.orders import Bought, bought, codes, edit, stands
from tests.providers.serving import configured, serving
from tests.providers.stripe_server import SECRET, SIGNING_SECRET, StripeServer, signed

Drain = Callable[[], Awaitable[None]]

METHODS = "{ me { paymentMethods { id gateway } } }"
RETURN = "https://shop.example/back"


@pytest.fixture
async def lamp(api: Api) -> MadeProduct:
    """20.00 each; shipping is 5.99."""
    await checkout.shop_that_ships()
    return await catalogue.product(price_minor=2000, stock=50)


@pytest.fixture
async def stripe(api: Api) -> AsyncIterator[StripeServer]:
    async with serving(StripeServer()) as server:
        with configured(
            stripe_secret_key=SECRET,
            stripe_webhook_secrets=[SIGNING_SECRET],
            stripe_api_url=server.url,
            allow_private_addresses=True,
        ):
            yield server


async def edited(
    api: Api, token: str, lamp: MadeProduct, card: dict[str, Any]
) -> tuple[Account, Bought, dict[str, Any]]:
    """An order of one, paid with a card that its customer saves, then made one of two; and that card to pay with."""
    ada = await accounts.signed_in()
    given = {"method": "CARD", "save": True, **card}
    order = await bought(api, (lamp, 1), account=ada.token, payment=given, email=None)
    (saved,) = (await api.ok(METHODS, token=ada.token))["me"]["paymentMethods"]
    again = {"method": "CARD", "savedPaymentMethodId": saved["id"], "returnUrl": RETURN}
    lines = [{"orderLineId": order.lines[0], "quantity": 2}]
    assert codes(await edit(api, token, order.gid, lines=lines)) == []
    return ada, order, again


async def pay(
    api: Api, order: Bought, card: dict[str, Any], account: str | None, key: str | None = None
) -> dict[str, Any]:
    given = {"orderId": order.gid, "payment": card, "idempotencyKey": key or checkout.new_key()}
    payload: dict[str, Any] = (await drafts.ok(api, deposits.PAY, {"input": given}, token=account))[
        "orderPaymentCreate"
    ]
    return payload


async def owes(api: Api, token: str, order: Bought) -> str:
    outstanding: str = (await stands(api, token, order.gid))["outstanding"]["amount"]
    return outstanding


async def footprint() -> tuple[Any, ...]:
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM payments WHERE state = 'CAPTURED'), (SELECT sum(captured_minor) FROM payments), "
        "(SELECT total_minor FROM orders), (SELECT updated_at FROM orders)"
    )
    return tuple(row.values()) if row else ()


async def test_the_balance_is_charged_to_a_saved_card_once(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct
) -> None:
    ada, order, card = await edited(api, staff_token, lamp, {"gateway": "test", "token": "tok_success"})
    key = checkout.new_key()
    for _ in range(2):
        assert (await pay(api, order, card, ada.token, key))["order"]["outstanding"] == {"amount": "0.00"}
    await drain()
    paid = await db.fetch("SELECT amount_minor, captured_minor FROM payments ORDER BY created_at, id")
    assert [tuple(row.values()) for row in paid] == [(2599, 0), (2000, 2000)]
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments") == 2
    assert await invariants.check() == []


async def test_nobody_else_charges_it(api: Api, staff_token: str, drain: Drain, lamp: MadeProduct) -> None:
    _, order, card = await edited(api, staff_token, lamp, {"gateway": "test", "token": "tok_success"})
    eve, before = await accounts.signed_in(), await footprint()
    assert codes(await pay(api, order, card, eve.token)) == ["NOT_FOUND"]
    # Who has the receipt may pay, but not with what the customer keeps.
    given = {"orderId": order.gid, "token": order.token, "payment": card, "idempotencyKey": checkout.new_key()}
    for token in (None, eve.token):
        refused = (await drafts.ok(api, deposits.PAY, {"input": given}, token=token))["orderPaymentCreate"]
        assert refused["order"] is None
        assert [error["field"] for error in refused["userErrors"]] == [["input", "payment", "savedPaymentMethodId"]]
    assert await footprint() == before
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments") == 1
    assert await owes(api, staff_token, order) == "20.00"


async def test_stripe_charges_the_saved_card_of_its_customer(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct, stripe: StripeServer
) -> None:
    visa = {"gateway": "stripe", "token": "pm_card_visa", "returnUrl": RETURN}
    ada, order, card = await edited(api, staff_token, lamp, visa)
    assert (await pay(api, order, card, ada.token))["order"]["outstanding"] == {"amount": "0.00"}
    first, second = stripe.intents.values()
    assert (second["amount"], second["status"], second["customer"]) == (2000, "succeeded", first["customer"])
    assert second["payment_method"] == first["payment_method"]
    await drain()
    assert await invariants.check() == []


async def test_a_bank_that_asks_the_holder_of_a_saved_card_is_answered_and_then_paid_once(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct, stripe: StripeServer
) -> None:
    visa = {"gateway": "stripe", "token": "pm_card_visa", "returnUrl": RETURN}
    ada, order, card = await edited(api, staff_token, lamp, visa)
    stripe.asking |= set(stripe.methods)
    key, before = checkout.new_key(), await footprint()
    answer = await pay(api, order, card, ada.token, key)
    assert (answer["order"], answer["userErrors"]) == (None, [])
    assert answer["paymentAction"]["url"].startswith("https://hooks.stripe.example/")
    assert (await footprint(), await owes(api, staff_token, order)) == (before, "20.00")
    *_, intent = stripe.intents
    stripe.succeed(intent)
    # The webhook and the buyer who comes back settle the same payment.
    headers, body = signed(stripe.events[-1])
    assert (await api.http.post("/webhooks/payments/stripe", content=body, headers=headers)).status_code == 204
    assert (await pay(api, order, card, ada.token, key))["order"]["outstanding"] == {"amount": "0.00"}
    await drain()
    assert await owes(api, staff_token, order) == "0.00"
    assert [one["amount_received"] for one in stripe.intents.values()] == [0, 2000]
    assert await invariants.check() == []


async def test_a_saved_card_that_its_bank_charges_with_its_holder_alone_leaves_the_balance_to_another(
    api: Api, staff_token: str, drain: Drain, lamp: MadeProduct, stripe: StripeServer
) -> None:
    visa = {"gateway": "stripe", "token": "pm_card_visa", "returnUrl": RETURN}
    ada, order, card = await edited(api, staff_token, lamp, visa)
    stripe.refused |= dict.fromkeys(stripe.methods, "authentication_required")
    key, before = checkout.new_key(), await footprint()
    for _ in range(2):
        assert codes(await pay(api, order, card, ada.token, key)) == ["PAYMENT_DECLINED"]
    assert (await footprint(), await owes(api, staff_token, order)) == (before, "20.00")
    assert len(stripe.intents) == 2, "a refusal is the answer for its key"
    other = {"method": "CARD", **visa}
    assert (await pay(api, order, other, ada.token))["order"]["outstanding"] == {"amount": "0.00"}
    await drain()
    assert await invariants.check() == []
