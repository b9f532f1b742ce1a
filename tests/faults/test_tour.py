"""The README's tour, over HTTP against a real `tradewind dev`: from browsing to a delivered parcel, told live."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets

from app.kit.ids import new_id
from tests.faults.dev_shop import DevShop
from tests.faults.processes import until
from tests.patience import patience

pytestmark = pytest.mark.faults

ADDRESS = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "address1": "500 Terry Francois Blvd",
    "city": "San Francisco",
    "provinceCode": "CA",
    "postalCode": "94158",
    "countryCode": "US",
}
DESTINATION = {key: ADDRESS[key] for key in ("countryCode", "provinceCode", "postalCode", "city")}
EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevShop]:
    dev_shop = DevShop(tmp_path_factory.mktemp("tour") / "shop", None)
    try:
        dev_shop.open()
        yield dev_shop
    finally:
        dev_shop.end_by_force()


class Client:
    """GraphQL over HTTP, as a storefront sends it."""

    def __init__(self, shop: DevShop) -> None:
        self.address = f"127.0.0.1:{shop.port}"
        self.token: str | None = None

    async def __call__(self, document: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with httpx2.AsyncClient(timeout=patience(60)) as http:
            response = await http.post(
                f"http://{self.address}/graphql", json={"query": document, "variables": variables}, headers=headers
            )
        body = response.json()
        assert "errors" not in body, body["errors"]
        (answer,) = body["data"].values()
        if isinstance(answer, dict):
            assert not answer.get("userErrors"), answer["userErrors"]
        return answer

    @asynccontextmanager
    async def subscribed(self, document: str, **variables: Any) -> AsyncIterator["asyncio.Queue[Any]"]:
        """What a subscription emits, over graphql-transport-ws."""
        emitted: asyncio.Queue[Any] = asyncio.Queue()
        url = f"ws://{self.address}/graphql"
        protocols = [websockets.Subprotocol("graphql-transport-ws")]
        async with websockets.connect(url, subprotocols=protocols, open_timeout=patience(10)) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": document, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))

            async def read() -> None:
                async for text in socket:
                    message = json.loads(text)
                    if message["type"] == "next":
                        (answer,) = message["payload"]["data"].values()
                        emitted.put_nowait(answer)

            reader = asyncio.create_task(read())
            try:
                yield emitted
            finally:
                reader.cancel()


async def test_from_browsing_to_a_delivered_parcel(shop: DevShop) -> None:
    graphql = Client(shop)

    # Browse
    products = await graphql("""{ products(first: 100) { totalCount nodes {
        id name availableForSale priceRange { min { amount currencyCode } } images(first: 1) { url altText }
        variants(first: 10) { nodes { id availableForSale requiresShipping price { amount } } }
    } } }""")
    assert products["totalCount"] >= 40
    variant = next(
        one
        for product in products["nodes"]
        for one in product["variants"]["nodes"]
        if one["availableForSale"] and one["requiresShipping"]
    )
    async with httpx2.AsyncClient(timeout=patience(5)) as http:
        image = await http.get(products["nodes"][0]["images"][0]["url"])
    assert image.status_code == 200
    assert image.headers["content-type"].startswith("image/")

    # Cart and shipping cost, before anything is known but the destination
    cart = (await graphql(
        """mutation ($lines: [CartLineInput!]!) { cartCreate(input: { lines: $lines }) {
            cart { id totalQuantity cost { subtotal { amount } } } userErrors { code message }
        } }""",
        lines=[{"variantId": variant["id"], "quantity": 2}],
    ))["cart"]  # fmt: skip
    assert cart["totalQuantity"] == 2
    quotes = (await graphql(
        """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) {
            quotes { id carrier service price { amount currencyCode } estimatedDelivery { from to } expiresAt }
            userErrors { code message }
        } }""",
        input={"cartId": cart["id"], "address": DESTINATION},
    ))["quotes"]  # fmt: skip
    quote = quotes[0]
    assert quote["estimatedDelivery"]["from"] <= quote["estimatedDelivery"]["to"]

    # Pay
    placed = await graphql(
        """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
            order { id number status paymentStatus cost { subtotal { amount } shipping { amount } total { amount } } }
            orderToken userErrors { code message field }
        } }""",
        input={
            "cartId": cart["id"],
            "idempotencyKey": new_id().hex,
            "email": EMAIL,
            "phone": "+14155550123",
            "shippingAddress": ADDRESS,
            "shippingQuoteId": quote["id"],
            "payment": {"method": "CARD", "gateway": "test", "token": "tok_success"},
        },
    )
    order, token = placed["order"], placed["orderToken"]
    assert order["cost"]["shipping"]["amount"] == quote["price"]["amount"]

    # Staff
    signed_in = await graphql(
        """mutation { staffLogin(input: { email: "owner@example.com", password: "tradewind-dev" }) {
            accessToken userErrors { code }
        } }"""
    )
    graphql.token = signed_in["accessToken"]

    async def mails() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await graphql(
            """query ($to: String) { devInbox(to: $to) { channel to subject html text purpose } }""", to=EMAIL
        )
        return found

    async def mail_about(words: str) -> bool:
        return any(words in (mail["subject"] or "").lower() for mail in await mails())

    # Told about the order
    await until(lambda: mail_about(order["number"]), 15, "the confirmation arrives")
    (confirmation,) = await mails()
    assert confirmation["purpose"] == "TRANSACTIONAL"
    assert order["cost"]["total"]["amount"] in confirmation["text"]
    assert token in confirmation["html"]

    # Shipped, and followed live
    document = """subscription ($token: String) { orderTracking(token: $token) {
        number fulfillmentStatus shipments { carrier trackingNumber trackingUrl status events { status description } }
    } }"""
    async with graphql.subscribed(document, token=token) as updates, asyncio.timeout(patience(30)):
        first = await updates.get()
        assert (first["number"], first["fulfillmentStatus"], first["shipments"]) == (order["number"], "UNFULFILLED", [])

        fulfillment = (await graphql(
            """mutation ($input: FulfillmentCreateInput!) { fulfillmentCreate(input: $input) {
                fulfillment { id shipments { id carrier } } userErrors { code message }
            } }""",
            input={"orderId": order["id"], "trackingNumber": "1Z5R89390357567127"},
        ))["fulfillment"]  # fmt: skip
        shipped = await updates.get()
        assert shipped["fulfillmentStatus"] == "FULFILLED"
        assert shipped["shipments"][0]["carrier"] == "UPS"
        assert "1Z5R89390357567127" in shipped["shipments"][0]["trackingUrl"]

        # Each is waited for: a notice that its parcel has overtaken is not sent any more.
        await until(lambda: mail_about("on its way"), 15, "the mail that it was shipped")
        for status, words in (("OUT_FOR_DELIVERY", "out for delivery"), ("DELIVERED", "delivered")):
            await graphql(
                """mutation ($input: TrackingEventInput!) { trackingEventAdd(input: $input) {
                    fulfillment { id } userErrors { code message }
                } }""",
                input={"fulfillmentId": fulfillment["id"], "status": status, "externalId": status},
            )
            while (await updates.get())["shipments"][0]["status"] != status:
                pass
            await until(lambda words=words: mail_about(words), 15, f"the mail says {words}")  # type: ignore[misc]
    everything = await mails()
    assert len(everything) == 4
    assert len({mail["subject"] for mail in everything}) == 4, "a mail came twice"

    # Nothing of the order opens by its id or number alone
    graphql.token = None
    assert await graphql("query ($id: ID!) { order(id: $id) { number } }", id=order["id"]) is None
    opened = await graphql(
        """query ($id: ID!, $token: String) { order(id: $id, token: $token) {
            number email lines { nodes { quantity } }
        } }""",
        id=order["id"],
        token=token,
    )
    assert opened == {"number": order["number"], "email": EMAIL, "lines": {"nodes": [{"quantity": 2}]}}
    assert Path(shop.folder).exists()
