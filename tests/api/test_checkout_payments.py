"""What the gateway may answer: at once, later, twice, or never."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest

from app import db, invariants
from app.payments import test_gateway
from app.payments.gateway import GatewayUnavailableError
from app.payments.registry import gateways
from app.payments.test_gateway import TestGateway
from app.settings import Environment, get_settings
from tests.client import Api
from tests.factories import catalogue, checkout, inventory
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

WEBHOOK = "/webhooks/payments/test"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=5)


@pytest.fixture
def webhooks(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The gateway's webhooks reach the application in process; what was sent is noted."""
    sent: list[dict[str, Any]] = []

    async def post(url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        sent.append({"body": body, "headers": headers})
        return await api.http.post(url, content=body, headers=headers)

    monkeypatch.setattr(test_gateway, "post", post)
    return sent


async def by_card(api: Api, product: MadeProduct, token: str, **more: Any) -> dict[str, Any]:
    return await checkout.ready_input(api, (product, 2), payment={**checkout.CARD, "token": token, **more})


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def transactions() -> list[tuple[str, bool]]:
    rows = await db.fetch("SELECT kind, succeeded FROM payment_transactions ORDER BY created_at")
    return [(row["kind"], row["succeeded"]) for row in rows]


async def test_a_declined_card_lets_go_of_the_stock_and_a_new_key_works(api: Api, product: MadeProduct) -> None:
    given = await by_card(api, product, "tok_declined")
    payload = await checkout.complete(api, given)
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("PAYMENT_DECLINED", ["input", "payment"])
    assert error["message"] == "The card was declined."
    assert await inventory.available(product.variant_id) == 5
    assert await transactions() == [("AUTHORIZE", False)]
    assert await invariants.check() == []

    after = await checkout.footprint()
    assert await checkout.complete(api, given) == payload
    assert await checkout.footprint() == after
    again = {**given, "payment": checkout.CARD, "idempotencyKey": checkout.new_key()}
    assert (await checkout.complete(api, again))["order"]
    assert await inventory.available(product.variant_id) == 3
    assert await invariants.check() == []


async def test_a_token_that_the_gateway_does_not_know_is_declined(api: Api, product: MadeProduct) -> None:
    payload = await checkout.complete(api, await by_card(api, product, "tok_typo"))
    assert codes(payload) == ["PAYMENT_DECLINED"]
    assert "tok_success" in payload["userErrors"][0]["message"]


# --- the shopper has to act -------------------------------------------------------------------------------------------


async def open_page(api: Api, payload: dict[str, Any], decision: str | None = None) -> httpx2.Response:
    url = payload["paymentAction"]["url"]
    if decision is None:
        return await api.http.get(url)
    return await api.http.post(url, data={"decision": decision})


async def test_the_shopper_confirms_and_the_same_key_brings_the_order(
    api: Api, product: MadeProduct, drain: Drain, webhooks: list[Any]
) -> None:
    given = await by_card(api, product, "tok_requires_action", returnUrl="https://shop.example/thanks?a=1&b=2")
    waiting = await checkout.complete(api, given)
    assert (waiting["order"], waiting["userErrors"]) == (None, [])
    action = waiting["paymentAction"]
    assert action["type"] == "REDIRECT"
    left = datetime.fromisoformat(action["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left < timedelta(minutes=16)
    assert await inventory.available(product.variant_id) == 3
    assert await checkout.complete(api, given) == waiting

    page = await open_page(api, waiting)
    assert page.status_code == 200
    assert "57.97" not in page.text
    assert "45.97 USD" in page.text
    assert await checkout.complete(api, given) == waiting, "a GET decided something"
    page = await open_page(api, waiting, "approve")
    assert 'href="https://shop.example/thanks?a=1&amp;b=2"' in page.text

    payload = await checkout.complete(api, given)
    assert payload["order"]["paymentStatus"] == "AUTHORIZED"
    await drain()  # the webhook comes too, to find the work done
    assert len(webhooks) == 1
    assert await checkout.complete(api, given) == payload
    assert (await checkout.footprint())["orders"] == 1
    assert await invariants.check() == []


async def test_the_shopper_confirms_and_never_comes_back(
    api: Api, product: MadeProduct, drain: Drain, webhooks: list[Any]
) -> None:
    given = await by_card(api, product, "tok_requires_action")
    waiting = await checkout.complete(api, given)
    await open_page(api, waiting, "approve")
    await drain()
    assert (await checkout.footprint())["orders"] == 1
    assert (await checkout.complete(api, given))["order"]
    assert await invariants.check() == []


async def test_the_shopper_declines(api: Api, product: MadeProduct, drain: Drain, webhooks: list[Any]) -> None:
    given = await by_card(api, product, "tok_requires_action")
    waiting = await checkout.complete(api, given)
    await open_page(api, waiting, "decline")
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_DECLINED"]
    page = await open_page(api, waiting, "approve")
    assert "Declined." in page.text, "a second click changed the first"
    await drain()
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_DECLINED"]
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_the_shopper_never_decides(
    api: Api, product: MadeProduct, advance: Advance, drain: Drain, webhooks: list[Any]
) -> None:
    given = await by_card(api, product, "tok_requires_action")
    waiting = await checkout.complete(api, given)
    await advance("PT14M")
    assert await checkout.complete(api, given) == waiting
    await advance("PT2M")
    assert await inventory.available(product.variant_id) == 5
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_EXPIRED"]
    assert await db.fetchval("SELECT state FROM payments") == "VOIDED"
    assert await transactions() == [("VOID", True)]
    # Too late now: the gateway was told.
    assert "called off" in (await open_page(api, waiting, "approve")).text
    await drain()
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_EXPIRED"]
    assert (await checkout.footprint())["orders"] == 0
    assert await invariants.check() == []


async def test_a_hold_that_seems_to_have_a_moment_left_ends_all_the_same(
    api: Api, product: MadeProduct, advance: Advance, drain: Drain
) -> None:
    """The clock of the database is set back a little between the timer and the look at its attempt."""
    await checkout.complete(api, await by_card(api, product, "tok_requires_action"))
    await db.execute("UPDATE timers SET due_at = due_at - interval '3 seconds'")
    await advance("PT14M58S")
    assert await db.fetchval("SELECT count(*) FROM timers") == 0
    assert await inventory.available(product.variant_id) == 3
    await advance("PT3S")
    await checkout.watches_due()
    await drain()
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_confirmed_in_the_last_second_is_an_order(
    api: Api, product: MadeProduct, advance: Advance, webhooks: list[Any]
) -> None:
    given = await by_card(api, product, "tok_requires_action")
    waiting = await checkout.complete(api, given)
    await open_page(api, waiting, "approve")
    await db.execute("DELETE FROM events WHERE type = $1", test_gateway.CHANGED)  # this webhook is lost
    await advance("PT16M")
    assert (await checkout.complete(api, given))["order"]
    assert await invariants.check() == []


async def test_another_key_waits_for_the_first_ones_end(api: Api, product: MadeProduct) -> None:
    given = await by_card(api, product, "tok_requires_action")
    await checkout.complete(api, given)
    before = await checkout.footprint()
    other = {**given, "payment": checkout.CARD, "idempotencyKey": checkout.new_key()}
    assert codes(await checkout.complete(api, other)) == ["IN_PROGRESS"]
    assert await checkout.footprint() == before
    # And the cart stays as it is being paid for.
    change = await api.refused(
        "mutation ($id: ID!) { cartClear(cartId: $id) { userErrors { code } } }", {"id": given["cartId"]}
    )
    assert change == [{"code": "CHECKOUT_IN_PROGRESS"}]


async def test_a_page_of_no_payment(api: Api) -> None:
    missing = await api.http.get("/dev/payments/00000000-0000-7000-8000-000000000000")
    assert missing.status_code == 404
    assert (await api.http.get("/dev/payments/1")).status_code == 404


# --- the answer is lost, or comes late --------------------------------------------------------------------------------


async def test_a_lost_answer_is_found_by_asking_again(api: Api, product: MadeProduct) -> None:
    given = await by_card(api, product, "tok_timeout")
    assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
    payload = await checkout.complete(api, given)
    assert payload["order"]["paymentStatus"] == "AUTHORIZED"
    assert await checkout.complete(api, given) == payload
    assert (await checkout.footprint())["asked"] == 1
    assert await invariants.check() == []


async def test_a_lost_answer_is_found_without_the_shopper(api: Api, product: MadeProduct, drain: Drain) -> None:
    given = await by_card(api, product, "tok_timeout")
    assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
    await drain()
    assert (await checkout.footprint())["orders"] == 0, "the watch came before its time"
    await checkout.watches_due()
    await drain()
    assert (await checkout.footprint())["orders"] == 1
    assert (await checkout.complete(api, given))["order"]
    assert await invariants.check() == []


async def test_a_late_webhook_brings_the_order(
    api: Api, product: MadeProduct, drain: Drain, webhooks: list[dict[str, Any]]
) -> None:
    given = await by_card(api, product, "tok_late_webhook")
    for _ in range(2):
        assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
    assert await inventory.available(product.variant_id) == 3
    await drain()
    assert webhooks == []
    await checkout.watches_due()
    await drain()
    assert len(webhooks) == 1
    payload = await checkout.complete(api, given)
    assert payload["order"]

    # Again, and again out of order: harmless.
    for _ in range(2):
        response = await api.http.post(WEBHOOK, content=webhooks[0]["body"], headers=webhooks[0]["headers"])
        assert response.status_code == 204
    await checkout.watches_due()
    await drain()
    assert await checkout.complete(api, given) == payload
    assert (await checkout.footprint())["orders"] == 1
    assert await invariants.check() == []


async def test_a_webhook_that_never_comes(api: Api, product: MadeProduct, advance: Advance, drain: Drain) -> None:
    given = await by_card(api, product, "tok_late_webhook")
    await checkout.complete(api, given)
    await db.execute("DELETE FROM events WHERE type = $1", test_gateway.CHANGED)
    await checkout.watches_due()
    await drain()
    assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
    await advance("PT16M")
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_EXPIRED"]
    assert await inventory.available(product.variant_id) == 5
    assert await db.fetchval("SELECT state FROM test_gateway_payments") == "VOIDED"
    assert await invariants.check() == []


async def test_a_gateway_that_is_away_is_asked_until_it_answers(
    api: Api, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*args: Any) -> Any:
        raise GatewayUnavailableError("connection refused")

    given = await by_card(api, product, "tok_success")
    with monkeypatch.context() as patch:
        for name in ("authorise", "retrieve", "void"):
            patch.setattr(TestGateway, name, away)
        assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
        for _ in range(3):
            await checkout.expire_lease()
            await drain()
            assert codes(await checkout.complete(api, given)) == ["IN_PROGRESS"]
        assert await inventory.available(product.variant_id) == 3, "nobody knows yet, so nothing is given back"
    # It was never asked, and nobody asks behind the shopper's back.
    await checkout.expire_lease()
    await drain()
    assert codes(await checkout.complete(api, given)) == ["PAYMENT_NOT_COMPLETED"]
    assert await inventory.available(product.variant_id) == 5
    assert await db.fetchval("SELECT state FROM payments") == "VOIDED"
    assert await invariants.check() == []


async def test_an_unsigned_webhook_is_not_believed(api: Api, product: MadeProduct) -> None:
    await checkout.complete(api, await by_card(api, product, "tok_late_webhook"))
    payment = await db.fetchval("SELECT id FROM payments")
    before = await checkout.footprint()
    body = orjson.dumps({"type": "payment.changed", "payment": str(payment)})
    good = test_gateway.signed_headers(body)
    yesterday = test_gateway.signed_headers(body, datetime.now(UTC) - timedelta(days=1))
    for headers, content in (
        ({}, body),
        (yesterday, body),
        (good, body + b" "),
        ({**good, "webhook-id": "another"}, body),
        ({**good, "webhook-signature": "v1,AAAA"}, body),
        ({**good, "webhook-timestamp": "now"}, body),
        *((test_gateway.signed_headers(wrong), wrong) for wrong in (b"{}", b"[", b"null", b'{"payment": 5}')),
    ):
        response = await api.http.post(WEBHOOK, content=content, headers=headers)
        assert response.status_code == 400, headers
    assert await checkout.footprint() == before
    assert (await api.http.post("/webhooks/payments/stripe", content=body, headers=good)).status_code == 404
    assert (await api.http.post(WEBHOOK, content=b"x" * 200_000, headers=good)).status_code == 413
    unknown = orjson.dumps({"type": "payment.changed", "payment": "0" * 32})
    response = await api.http.post(WEBHOOK, content=unknown, headers=test_gateway.signed_headers(unknown))
    assert response.status_code == 204
    assert await checkout.footprint() == before


def test_production_has_no_gateway_that_gives_goods_away(monkeypatch: pytest.MonkeyPatch) -> None:
    production = get_settings().model_copy(update={"environment": Environment.PRODUCTION})
    monkeypatch.setattr("app.payments.registry.get_settings", lambda: production)
    gateways.cache_clear()
    try:
        assert gateways() == {}
    finally:
        gateways.cache_clear()
