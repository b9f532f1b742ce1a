"""An order's mails and texts over its whole life, through the public API alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.client import Api
from tests.factories import catalogue, shipping, shop

Drain = Callable[[], Awaitable[None]]

EMAIL = "ada@customer.example"
PHONE = "+14155550188"
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "address1": "1 Engine Way",
    "city": "Springfield",
    "provinceCode": "IL",
    "postalCode": "62704",
    "countryCode": "US",
}
INBOX = "query ($to: String) { devInbox(to: $to) { subject html text headers } }"


@pytest.fixture
async def variant_id(api: Api) -> str:
    """A sweater at 64.50 of which ten are there, in a shop that ships to the US by UPS Ground."""
    await shop.shop()
    await shipping.zone("US")
    await catalogue.product(name="Harbour sweater", price_minor=6450, stock=10)
    data = await api.ok("{ products(first: 1) { nodes { variants(first: 1) { nodes { id } } } } }")
    found: str = data["products"]["nodes"][0]["variants"]["nodes"][0]["id"]
    return found


async def complete(api: Api, variant_id: str, **more: Any) -> dict[str, Any]:
    """A guest's three requests; returns the payload of checkoutComplete, whatever it says."""
    lines = [{"variantId": variant_id, "quantity": 2, "attributes": [{"key": "Engraving", "value": "For <Ada>"}]}]
    created = await api.ok(
        "mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } userErrors { code } } }",
        {"input": {"lines": lines}},
    )
    cart_id = created["cartCreate"]["cart"]["id"]
    quoted = await api.ok(
        """
        query ($input: ShippingQuotesInput!) {
          shippingQuotes(input: $input) { quotes { id } userErrors { code message } }
        }
        """,
        {"input": {"cartId": cart_id, "address": {"countryCode": "US", "provinceCode": "IL", "postalCode": "62704"}}},
    )
    placed = await api.query(
        """
        mutation ($input: CheckoutCompleteInput!) {
          checkoutComplete(input: $input) { order { id number } orderToken userErrors { code message field } }
        }
        """,
        {
            "input": {
                "cartId": cart_id,
                "idempotencyKey": f"key-{cart_id[-12:]}",
                "email": EMAIL,
                "shippingAddress": ADDRESS,
                "shippingQuoteId": quoted["shippingQuotes"]["quotes"][0]["id"],
                "payment": {"method": "CARD", "gateway": "test", "token": "tok_success"},
                **more,
            }
        },
    )
    assert placed.data is not None, placed.errors
    payload: dict[str, Any] = placed.data["checkoutComplete"]
    return payload


async def place_order(api: Api, variant_id: str, **more: Any) -> dict[str, Any]:
    payload = await complete(api, variant_id, **more)
    assert payload["userErrors"] == []
    return payload


async def inbox(api: Api, staff_token: str, to: str = EMAIL) -> list[dict[str, Any]]:
    """Oldest first."""
    mails: list[dict[str, Any]] = (await api.ok(INBOX, {"to": to}, token=staff_token))["devInbox"]
    return mails[::-1]


async def test_the_confirmation_says_what_was_bought_and_opens_the_order(
    api: Api, staff_token: str, drain: Drain, variant_id: str
) -> None:
    payload = await place_order(api, variant_id)
    await drain()
    (mail,) = await inbox(api, staff_token)
    number = payload["order"]["number"]
    assert mail["subject"] == f"Order {number} confirmed"
    for part in (mail["text"], mail["html"]):
        for expected in (
            "Harbour sweater", "$64.50", "$129.00", "$5.99", "$134.99", "UPS Ground", "Ada Lovelace", "1 Engine Way",
            "Springfield, IL 62704", payload["orderToken"],
        ):  # fmt: skip
            assert expected in part, expected
    assert "Engraving: For <Ada>" in mail["text"]
    assert "Engraving: For &lt;Ada&gt;" in mail["html"]
    assert mail["headers"]["To"] == EMAIL

    token = payload["orderToken"]
    tracked = await api.ok("query ($token: String) { orderTracking(token: $token) { number } }", {"token": token})
    assert tracked["orderTracking"]["number"] == number


async def test_each_step_on_the_way_is_told_by_mail_and_by_text(
    api: Api, staff_token: str, drain: Drain, variant_id: str
) -> None:
    payload = await place_order(api, variant_id, phone=PHONE)
    await drain()
    fulfilled = await api.ok(
        """
        mutation ($input: FulfillmentCreateInput!) {
          fulfillmentCreate(input: $input) { fulfillment { id } userErrors { code message } }
        }
        """,
        {"input": {"orderId": payload["order"]["id"], "trackingNumber": "1Z999AA10123456784"}},
        token=staff_token,
    )
    await drain()
    for status in ("IN_TRANSIT", "OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", "DELIVERED"):
        event = {"fulfillmentId": fulfilled["fulfillmentCreate"]["fulfillment"]["id"], "status": status}
        await api.ok(
            """
            mutation ($input: TrackingEventInput!) {
              trackingEventAdd(input: $input) { fulfillment { id } userErrors { code message } }
            }
            """,
            {"input": {**event, "location": "Springfield"}},
            token=staff_token,
        )
        await drain()
    number = payload["order"]["number"]
    mails = await inbox(api, staff_token)
    assert [mail["subject"] for mail in mails] == [
        f"Order {number} confirmed",
        f"Order {number} is on its way",
        f"Order {number} is out for delivery",
        f"Order {number} was delivered",
    ]
    assert "1Z999AA10123456784" in mails[1]["text"]
    assert "ups.com" in mails[1]["html"]
    assert "Springfield" in mails[3]["text"]
    texts = [text["text"] for text in await inbox(api, staff_token, PHONE)]
    assert len(texts) == 4
    assert all(text.startswith("Tradewind Supply: ") and number in text for text in texts)


async def test_a_cancelled_order_is_told_once_and_says_what_becomes_of_the_money(
    api: Api, staff_token: str, drain: Drain, variant_id: str
) -> None:
    payload = await place_order(api, variant_id)
    await drain()
    cancel = """
        mutation ($id: ID!) {
          orderCancel(orderId: $id, reason: "Water damage") { order { id } userErrors { code } }
        }
    """
    await api.ok(cancel, {"id": payload["order"]["id"]}, token=staff_token)
    await api.refused(cancel, {"id": payload["order"]["id"]}, token=staff_token)
    await drain()
    mails = await inbox(api, staff_token)
    assert len(mails) == 2
    assert mails[1]["subject"] == f"Order {payload['order']['number']} was cancelled"
    assert "Water damage" in mails[1]["text"]
    assert "Your card is not charged" in mails[1]["text"]


async def test_a_refused_checkout_writes_to_nobody(api: Api, staff_token: str, drain: Drain, variant_id: str) -> None:
    declined = {"method": "CARD", "gateway": "test", "token": "tok_declined"}
    payload = await complete(api, variant_id, payment=declined)
    assert [error["code"] for error in payload["userErrors"]] == ["PAYMENT_DECLINED"]
    await drain()
    assert await inbox(api, staff_token) == []
    assert (await api.ok("{ messages { totalCount } }", token=staff_token))["messages"]["totalCount"] == 0
