"""What an account saved to pay with again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.payments.gateway import GatewayUnavailableError
from app.payments.saved_methods import MAX_SAVED
from app.payments.test_gateway import TestGateway
from tests.api.test_address_book import create
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, staff
from tests.factories.accounts import Account

Drain = Callable[[], Awaitable[None]]

FIELDS = "id method gateway brand last4 expiryMonth expiryYear"
METHODS = f"{{ me {{ paymentMethods {{ {FIELDS} }} }} }}"
DELETE = "mutation ($id: ID!) { customerPaymentMethodDelete(id: $id) { deletedId userErrors { code field } } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
SAVED = ["input", "payment", "savedPaymentMethodId"]


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


def card(token: str = "tok_success", **more: Any) -> dict[str, Any]:
    return {"method": "CARD", "gateway": "test", "token": token, **more}


def by_saved(saved: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"method": "CARD", "savedPaymentMethodId": saved["id"], **more}


async def ready(api: Api, payment: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return await checkout.ready_input(api, (await catalogue.product(), 1), payment=payment, **changed)


async def buy(api: Api, account: Account, payment: dict[str, Any]) -> dict[str, Any]:
    return await checkout.complete(api, await ready(api, payment), token=account.token)


async def methods(api: Api, account: Account) -> list[dict[str, Any]]:
    return (await api.ok(METHODS, token=account.token))["me"]["paymentMethods"]  # type: ignore[no-any-return]


async def saved_by(api: Api, account: Account, token: str = "tok_success") -> dict[str, Any]:
    """One more saved method; the newest is first."""
    assert (await buy(api, account, card(token, save=True)))["order"]
    return (await methods(api, account))[0]


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_a_card_is_saved_and_pays_again_in_one_request(api: Api) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    assert {name: saved[name] for name in ("method", "gateway", "brand", "last4", "expiryMonth")} == {
        "method": "CARD",
        "gateway": "test",
        "brand": "visa",
        "last4": "4242",
        "expiryMonth": 12,
    }
    home = await create(api, ada)
    given = await ready(api, by_saved(saved), email=None, shippingAddress=None, shippingAddressId=home["id"])
    placed = await checkout.complete(api, given, token=ada.token)
    assert placed["order"]["paymentStatus"] == "AUTHORIZED"
    assert await checkout.complete(api, given, token=ada.token) == placed
    assert await methods(api, ada) == [saved]
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments") == 2
    assert await invariants.check() == []


async def test_nothing_is_saved_that_nobody_asked_to_save_or_that_was_declined(api: Api) -> None:
    ada = await accounts.signed_in()
    assert (await buy(api, ada, card()))["order"]
    assert codes(await buy(api, ada, card("tok_declined", save=True))) == [("PAYMENT_DECLINED", ["input", "payment"])]
    assert await methods(api, ada) == []


async def test_the_gateways_reference_is_never_shown(api: Api, staff_token: str) -> None:
    ada = await accounts.signed_in()
    await saved_by(api, ada)
    reference = await db.fetchval("SELECT reference FROM saved_payment_methods")
    everything = await api.http.post(
        "/graphql",
        json={"query": METHODS},
        headers={"Authorization": f"Bearer {ada.token}"},
    )
    assert reference not in everything.text
    assert not await db.fetchval("SELECT count(*) FROM events WHERE payload::text LIKE '%' || $1 || '%'", reference)


async def test_a_card_that_asks_its_holder_is_saved_once_they_agreed_and_asks_again(api: Api) -> None:
    ada = await accounts.signed_in()
    given = await ready(api, card("tok_requires_action", save=True))
    assert (await checkout.complete(api, given, token=ada.token))["paymentAction"]
    assert await methods(api, ada) == []
    await db.execute("UPDATE test_gateway_payments SET state = 'AUTHORIZED'")
    assert (await checkout.complete(api, given, token=ada.token))["order"]
    (saved,) = await methods(api, ada)
    assert (await buy(api, ada, by_saved(saved)))["paymentAction"]


async def bought() -> tuple[int, int]:
    """Orders, and how often the gateway was asked."""
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM test_gateway_payments) AS asked"
    )
    assert row
    return row["orders"], row["asked"]


async def test_somebody_elses_is_not_charged(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    saved = await saved_by(api, ada)
    before = await bought()
    assert codes(await buy(api, bob, by_saved(saved))) == [("NOT_FOUND", SAVED)]
    assert await bought() == before


async def test_a_deleted_one_is_not_charged(api: Api) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    await api.ok(DELETE, {"id": saved["id"]}, token=ada.token)
    before = await bought()
    assert codes(await buy(api, ada, by_saved(saved))) == [("NOT_FOUND", SAVED)]
    assert await bought() == before
    assert await methods(api, ada) == []
    assert (await api.ok(NODE, {"id": saved["id"]}, token=ada.token))["node"] is None
    assert (await api.refused(DELETE, {"id": saved["id"]}, token=ada.token))[0]["code"] == "NOT_FOUND"


async def test_nobody_deletes_somebody_elses(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    saved = await saved_by(api, ada)
    before = await db.fetch("SELECT * FROM saved_payment_methods")
    errors = await api.refused(DELETE, {"id": saved["id"]}, token=bob.token)
    assert [(error["code"], error["field"]) for error in errors] == [("NOT_FOUND", ["id"])]
    assert (await api.refused(DELETE, {"id": saved["id"]}))[0]["code"] == "UNAUTHENTICATED"
    assert await db.fetch("SELECT * FROM saved_payment_methods") == before


async def test_nobody_sees_somebody_elses(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    saved = await saved_by(api, ada)
    assert await methods(api, bob) == []
    for token in (bob.token, None, await staff.signed_in(set())):
        assert (await api.ok(NODE, {"id": saved["id"]}, token=token))["node"] is None
    assert (await api.ok(NODE, {"id": saved["id"]}, token=ada.token))["node"] == {"id": saved["id"]}


async def test_who_is_not_signed_in_saves_and_charges_nothing(api: Api) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    for payment, field in ((by_saved(saved), SAVED), (card(save=True), ["input", "payment", "save"])):
        given = await ready(api, payment)
        assert codes(await checkout.complete(api, given)) == [("UNAUTHENTICATED", field)]
        # Nothing stays under the key: signed in again, the same request goes through.
        assert (await checkout.complete(api, given, token=ada.token))["order"]


async def test_another_way_to_pay_beside_it_is_refused(api: Api) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    orders = await db.fetchval("SELECT count(*) FROM orders")
    wrong = [
        (by_saved(saved, token="tok_success"), "INVALID", SAVED),
        (by_saved(saved, save=True), "INVALID", SAVED),
        (by_saved(saved, gateway="other"), "PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "gateway"]),
        ({**by_saved(saved), "method": "CASH_ON_DELIVERY"}, "PAYMENT_METHOD_UNAVAILABLE", None),
        ({"method": "CASH_ON_DELIVERY", "save": True}, "PAYMENT_METHOD_UNAVAILABLE", ["input", "payment", "save"]),
    ]
    for payment, code, field in wrong:
        (error,) = (await buy(api, ada, payment))["userErrors"]
        assert (error["code"], field or error["field"]) == (code, error["field"])
    assert await db.fetchval("SELECT count(*) FROM orders") == orders


async def test_the_key_covers_what_is_charged_and_what_is_saved(api: Api) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    given = await ready(api, by_saved(saved))
    assert (await checkout.complete(api, given, token=ada.token))["order"]
    for payment in ({**by_saved(saved), "savedPaymentMethodId": "pm_" + "0" * 32}, card(), card(save=True)):
        again = await checkout.complete(api, {**given, "payment": payment}, token=ada.token)
        assert codes(again) == [("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])]


async def test_an_account_keeps_so_many_and_no_more(api: Api) -> None:
    ada = await accounts.signed_in()
    await db.execute(
        """
        INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at)
        SELECT gen_random_uuid(), $1, 'test', 'CARD', n::text, business_now() FROM generate_series(2, $2) AS n
        """,
        ada.id,
        MAX_SAVED,
    )
    answers = await asyncio.gather(*(buy(api, ada, card(save=True)) for _ in range(2)))
    # Both may have found room; the payment goes through, and what is too much is not kept.
    assert any(answer["order"] for answer in answers)
    assert len(await methods(api, ada)) == MAX_SAVED
    assert codes(await buy(api, ada, card(save=True))) == [("TOO_MANY", ["input", "payment", "save"])]


async def test_the_gateway_forgets_what_was_deleted(api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    await api.ok(DELETE, {"id": saved["id"]}, token=ada.token)
    forget = TestGateway.forget

    async def away(self: TestGateway, reference: str) -> None:
        raise GatewayUnavailableError("away")

    monkeypatch.setattr(TestGateway, "forget", away)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == 1
    monkeypatch.setattr(TestGateway, "forget", forget)
    await checkout.watches_due()
    await drain()
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == 0
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments WHERE forgotten_at IS NOT NULL") == 1


async def test_the_gateway_forgets_what_an_account_does_not_keep_in_the_end(api: Api, drain: Drain) -> None:
    """It was asked to save with the authorisation; since then the account was deleted, or has no room any more."""
    for what in ("DELETE FROM customers WHERE id = $1", _FILL):
        ada = await accounts.signed_in()
        given = await ready(api, card("tok_requires_action", save=True))
        assert (await checkout.complete(api, given, token=ada.token))["paymentAction"]
        await db.execute(what, ada.id)
        await db.execute("UPDATE test_gateway_payments SET state = 'AUTHORIZED' WHERE state <> 'AUTHORIZED'")
        assert (await checkout.complete(api, given))["order"]
        await drain()
    payments = await db.fetch("SELECT forgotten_at FROM test_gateway_payments")
    assert [row["forgotten_at"] is not None for row in payments] == [True, True]
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods WHERE deleted_at IS NOT NULL") == 0
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == MAX_SAVED
    assert await invariants.check() == []


_FILL = f"""
    INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at)
    SELECT gen_random_uuid(), $1, 'test', 'CARD', n::text, business_now() FROM generate_series(1, {MAX_SAVED}) AS n
"""


async def test_a_card_that_was_saved_again_meanwhile_is_kept(api: Api, drain: Drain) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    await api.ok(DELETE, {"id": saved["id"]}, token=ada.token)
    await db.execute(
        """
        INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at)
        SELECT gen_random_uuid(), customer_id, gateway, method, reference, created_at FROM saved_payment_methods
        """
    )
    await drain()
    (again,) = await methods(api, ada)
    assert again["id"] != saved["id"]
    assert (await buy(api, ada, by_saved(again)))["order"]


async def test_a_purchase_that_was_cut_off_is_charged_to_the_saved_card_when_asked_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await accounts.signed_in()
    saved = await saved_by(api, ada)
    authorise = TestGateway.authorise

    async def away(self: TestGateway, request: Any) -> Any:
        raise GatewayUnavailableError("away")

    monkeypatch.setattr(TestGateway, "authorise", away)
    given, late = await ready(api, by_saved(saved)), await ready(api, by_saved(saved))
    for one in (given, late):
        assert [code for code, _ in codes(await checkout.complete(api, one, token=ada.token))] == ["IN_PROGRESS"]
    monkeypatch.setattr(TestGateway, "authorise", authorise)
    assert (await checkout.complete(api, given, token=ada.token))["order"]
    await api.ok(DELETE, {"id": saved["id"]}, token=ada.token)
    answer = await checkout.complete(api, late, token=ada.token)
    assert codes(answer) == [("PAYMENT_NOT_COMPLETED", ["input", "payment"])]
    assert await invariants.check() == []
