"""Alerts: one message for each request, to whoever asked, when it is true."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.alerts import handlers, service
from app.inventory import reservations
from app.kit import ids
from app.kit.ids import new_id
from app.orders.cancellation import cancel_order
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]

BACK = """mutation ($input: ProductAlertInput!) {
    backInStockSubscribe(input: $input) { alertId userErrors { code field message } } }"""
DROP = """mutation ($input: ProductAlertInput!) {
    priceDropSubscribe(input: $input) { alertId userErrors { code field message } } }"""
CANCEL = "mutation ($id: ID!) { productAlertCancel(alertId: $id) { userErrors { code field } } }"
ADJUST = """mutation ($input: InventoryAdjustInput!) {
    inventoryAdjust(input: $input) { userErrors { code field message } } }"""
REPRICE = """mutation ($id: ID!, $input: ProductInput!) {
    productUpdate(id: $id, input: $input) { product { id } userErrors { code field message } } }"""


@pytest.fixture
async def sold_out(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(price_minor=2000, stock=0)


async def ask(api: Api, document: str, product: MadeProduct, **person: Any) -> str:
    sent = {"variantId": product.variant_gid, **(person or {"email": "ada@example.com"})}
    (payload,) = (await api.ok(document, {"input": sent})).values()
    alert_id: str = payload["alertId"]
    return alert_id


async def restock(api: Api, token: str, product: MadeProduct, units: int = 5) -> None:
    await api.ok(ADJUST, {"input": {"variantId": product.variant_gid, "delta": units}}, token=token)


async def reprice(api: Api, token: str, product: MadeProduct, price: str) -> None:
    variants = [{"id": product.variant_gid, "price": price}]
    await api.ok(REPRICE, {"id": product.gid, "input": {"variants": variants}}, token=token)


async def alerted() -> list[tuple[str, str | None]]:
    rows = await db.fetch(
        """
        SELECT e.type, p.email FROM profile_events e JOIN profiles p ON p.id = e.profile_id
        WHERE e.type LIKE 'alert.%' ORDER BY e.type, p.email
        """
    )
    return [(row["type"], row["email"]) for row in rows]


async def footprint() -> dict[str, Any]:
    return dict(
        await db.fetchrow(
            "SELECT (SELECT count(*) FROM product_alerts) AS alerts, (SELECT count(*) FROM profiles) AS profiles, "
            "(SELECT count(*) FROM events) AS events"
        )
        or {}
    )


async def test_back_in_stock_is_told_once(api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain) -> None:
    await ask(api, BACK, sold_out)
    await ask(api, BACK, sold_out)
    await ask(api, BACK, sold_out, email="bob@example.com")
    await drain()
    assert await alerted() == []
    await restock(api, staff_token, sold_out)
    await drain()
    expected = [("alert.back_in_stock", "ada@example.com"), ("alert.back_in_stock", "bob@example.com")]
    assert await alerted() == expected
    await restock(api, staff_token, sold_out)
    await drain()
    assert await alerted() == expected, "one for each request"
    (event,) = await db.fetch("SELECT payload FROM events WHERE type = 'alert.back_in_stock' ORDER BY id LIMIT 1")
    assert str(sold_out.variant_id) in event["payload"]
    assert "example.com" not in event["payload"], "ids and facts alone"


async def test_what_can_be_bought_needs_no_alert(api: Api, sold_out: MadeProduct) -> None:
    here = await catalogue.product(stock=1)
    beyond = await catalogue.product(stock=0, inventory_policy="CONTINUE")
    before = await footprint()
    for product in (here, beyond):
        (refused,) = await api.refused(BACK, {"input": {"variantId": product.variant_gid, "email": "a@example.com"}})
        assert (refused["code"], refused["field"]) == ("ALERT_NOT_NEEDED", ["input", "variantId"])
    assert await footprint() == before


async def test_a_price_drop_is_one_below_the_price_that_was_seen(
    api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain
) -> None:
    await ask(api, DROP, sold_out)
    await reprice(api, staff_token, sold_out, "20.00")
    await reprice(api, staff_token, sold_out, "25.00")
    await reprice(api, staff_token, sold_out, "20.00")
    await drain()
    assert await alerted() == []
    await reprice(api, staff_token, sold_out, "19.99")
    await drain()
    assert await alerted() == [("alert.price_drop", "ada@example.com")]
    row = await db.fetchrow("SELECT data FROM profile_events WHERE type = 'alert.price_drop'")
    facts = json.loads(row["data"]) if row else {}
    assert (facts["oldPriceMinor"], facts["newPriceMinor"]) == (2000, 1999)


async def test_a_cancelled_request_is_not_told(api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain) -> None:
    alert_id = await ask(api, BACK, sold_out)
    again = await ask(api, BACK, sold_out)
    await api.ok(CANCEL, {"id": again})
    assert await db.fetchval("SELECT cancelled_at IS NULL FROM product_alerts"), "whoever asks again cancels nothing"
    await api.ok(CANCEL, {"id": alert_id})
    await api.ok(CANCEL, {"id": alert_id})
    await restock(api, staff_token, sold_out)
    await drain()
    assert await alerted() == []
    for wrong in (ids.encode("alert", new_id()), f"alert_{new_id().hex}_{'x' * 22}"):
        (refused,) = await api.refused(CANCEL, {"id": wrong})
        assert refused["code"] == "INVALID_ID"


async def test_the_person_of_a_cart_can_be_told(
    api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain
) -> None:
    known, unknown = await carts.cart(email="ada@example.com"), await carts.cart()
    await ask(api, BACK, sold_out, cartId=known.gid)
    before = await footprint()
    for cart_id, code in (
        (unknown.gid, "ALERT_CONTACT_MISSING"),
        (ids.encode_with_secret("cart", known.id, "x" * 22), "NOT_FOUND"),
    ):
        sent = {"variantId": sold_out.variant_gid, "cartId": cart_id}
        (refused,) = await api.refused(BACK, {"input": sent})
        assert refused["code"] == code
    assert await footprint() == before
    await restock(api, staff_token, sold_out)
    await drain()
    assert await alerted() == [("alert.back_in_stock", "ada@example.com")]


async def test_wrong_requests_leave_nothing(api: Api, sold_out: MadeProduct) -> None:
    hidden = await catalogue.product(stock=0, status="DRAFT")
    before = await footprint()
    for sent, code in (
        ({"variantId": hidden.variant_gid, "email": "ada@example.com"}, "NOT_FOUND"),
        ({"variantId": ids.encode("var", new_id()), "email": "ada@example.com"}, "NOT_FOUND"),
        ({"variantId": sold_out.variant_gid, "email": "not an address"}, "INVALID_EMAIL"),
        ({"variantId": sold_out.variant_gid}, "ALERT_CONTACT_MISSING"),
        ({"variantId": sold_out.gid, "email": "ada@example.com"}, "INVALID_ID"),
    ):
        (refused,) = await api.refused(BACK, {"input": sent})
        assert refused["code"] == code
    assert await footprint() == before


async def test_nobody_is_flooded(api: Api, sold_out: MadeProduct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PER_ADDRESS", 2)
    monkeypatch.setattr(service, "MAX_OPEN_ALERTS", 1)
    other = await catalogue.product(stock=0)
    await ask(api, BACK, sold_out)
    await ask(api, BACK, other)
    assert await db.fetchval("SELECT count(*) FROM product_alerts") == 1
    (refused,) = await api.refused(BACK, {"input": {"variantId": other.variant_gid, "email": "ada@example.com"}})
    assert refused["code"] == "RATE_LIMITED"


async def test_everybody_is_told_in_batches(
    api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "BATCH", 2)
    for number in range(5):
        await ask(api, BACK, sold_out, email=f"customer-{number}@example.com")
    await restock(api, staff_token, sold_out)
    await drain()
    assert len(await alerted()) == 5


async def test_stock_that_comes_back_from_an_order(api: Api, sold_out: MadeProduct, drain: Drain) -> None:
    last = await catalogue.product(stock=1)
    await checkout.placed(api, (last, 1))
    await ask(api, BACK, last)
    await drain()
    assert await alerted() == []
    await cancel_order(await db.fetchval("SELECT id FROM orders"), None)
    await drain()
    assert await alerted() == [("alert.back_in_stock", "ada@example.com")]


async def test_stock_that_comes_back_from_a_checkout(api: Api, sold_out: MadeProduct, drain: Drain) -> None:
    """The last unit is held while somebody confirms a payment, which then fails."""
    last = await catalogue.product(stock=1)
    waiting = {
        "method": "CARD",
        "gateway": "test",
        "token": "tok_requires_action",
        "returnUrl": "https://shop.example/back",
    }
    await checkout.complete(api, await checkout.ready_input(api, (last, 1), payment=waiting))
    await ask(api, BACK, last)
    attempt_id = await db.fetchval("SELECT id FROM checkout_attempts")
    async with db.unit_of_work():
        await reservations.release(attempt_id)
    await drain()
    assert await alerted() == [("alert.back_in_stock", "ada@example.com")]


async def test_a_change_between_look_and_commit_is_not_missed(
    api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goods come in after the request has seen that there are none, and before it is written."""
    plain = service._profile

    async def meanwhile(person: service.Person, email: str | None) -> Any:
        await db.execute("UPDATE stock_levels SET available = 3 WHERE variant_id = $1", sold_out.variant_id)
        return await plain(person, email)

    monkeypatch.setattr(service, "_profile", meanwhile)
    await ask(api, BACK, sold_out)
    await drain()
    assert await alerted() == [("alert.back_in_stock", "ada@example.com")]


async def test_who_becomes_known_keeps_what_they_asked_for(
    api: Api, staff_token: str, sold_out: MadeProduct, drain: Drain
) -> None:
    """A number typed in a cart, an alert for it, then the email: the alert is the email's."""
    cart = await carts.cart()
    identify = """mutation ($id: ID!, $identity: BuyerIdentityInput!) {
        cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $identity) { cart { id } userErrors { code } } }"""
    await api.ok(identify, {"id": cart.gid, "identity": {"phone": "+14155550100"}})
    await ask(api, BACK, sold_out, cartId=cart.gid)
    await api.ok(identify, {"id": cart.gid, "identity": {"email": "ada@example.com"}})
    assert await customers.profile(email="ada@example.com") == await db.fetchval(
        "SELECT profile_id FROM product_alerts"
    )
    await restock(api, staff_token, sold_out)
    await drain()
    assert await alerted() == [("alert.back_in_stock", "ada@example.com")]
