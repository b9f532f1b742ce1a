"""What a real server writes while somebody shops: nothing about them, and nothing that opens anything."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets
from websockets.typing import Subprotocol

from app import db
from app.staff import service as staff
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.live_server import LiveServer
from tests.patience import patience

pytestmark = pytest.mark.long

EMAIL, PHONE, PASSWORD = "canary.8842@customer.example", "+14155550188", "canary-password-8842"
LOGIN = """mutation ($email: String!, $password: String!) {
    staffLogin(input: { email: $email, password: $password }) { accessToken refreshToken userErrors { code } }
}"""
QUOTES = "query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) { quotes { id } } }"
TRACK = "($token: String) { orderTracking(token: $token) { number } }"
FAULT = """CREATE FUNCTION refuse_canary() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'refused: %', NEW.note USING DETAIL = NEW.note;
END $$"""


@pytest.fixture
async def carts_that_fail(clean_database: None) -> AsyncIterator[None]:
    """Writing a cart with a note fails in the database, with the note in the error's text."""
    await db.execute(FAULT)
    await db.execute(
        "CREATE TRIGGER refuse_canary BEFORE INSERT ON carts FOR EACH ROW WHEN (NEW.note IS NOT NULL) "
        "EXECUTE FUNCTION refuse_canary()"
    )
    yield
    await db.execute("DROP FUNCTION refuse_canary CASCADE")


@pytest.mark.usefixtures("carts_that_fail")
async def test_a_shopping_tour_leaves_nothing_private_in_the_log(tmp_path: Path) -> None:
    await checkout.shop_that_ships()
    await staff.create_owner("canary.owner@shop.example", "Olive", PASSWORD)
    product = await catalogue.product()
    cart = await carts.cart((product.variant_id, 1))
    log = tmp_path / "server.log"
    server = LiveServer(
        log=log, LOG_LEVEL="DEBUG", TRADEWIND_ENV="production", SMTP_URL="smtp://localhost", TRUSTED_PROXIES="1"
    )
    names = [checkout.ADDRESS[name] for name in ("lastName", "address1", "postalCode")]
    secrets = [cart.secret, EMAIL, PHONE, PASSWORD, "203.0.113.77", *names]
    with server:
        headers = {"X-Forwarded-For": "203.0.113.77", "User-Agent": "canary-agent"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=patience(5)) as client:

            async def ask(query: str, variables: dict[str, Any], **more: str) -> dict[str, Any]:
                sent = {"query": query, "variables": variables}
                answer: dict[str, Any] = (await client.post("/graphql", json=sent, headers=more)).json()
                return answer

            signed_in = await ask(LOGIN, {"email": "canary.owner@shop.example", "password": PASSWORD})
            tokens = signed_in["data"]["staffLogin"]
            secrets += [tokens["accessToken"], tokens["refreshToken"], "canary.owner@shop.example"]
            await ask(LOGIN, {"email": EMAIL, "password": "canary-wrong-password"})
            await ask("{ staffMe { name } }", {}, Authorization=f"Bearer {tokens['accessToken']}")
            quotes = await ask(QUOTES, {"input": {"cartId": cart.gid, "address": checkout.DESTINATION}})
            bought = await ask(checkout.COMPLETE, {"input": {
                "cartId": cart.gid, "idempotencyKey": "canary-key", "email": EMAIL, "phone": PHONE,
                "shippingAddress": checkout.ADDRESS, "payment": checkout.CASH,
                "shippingQuoteId": quotes["data"]["shippingQuotes"]["quotes"][0]["id"],
            }})  # fmt: skip
            order_token = bought["data"]["checkoutComplete"]["orderToken"]
            assert order_token
            secrets += [order_token, "canary-key"]
            parameters = {"query": f"query {TRACK}", "variables": json.dumps({"token": order_token})}
            assert (await client.get("/graphql", params=parameters)).json()["data"]["orderTracking"]
            failed = await ask('mutation { cartCreate(input: { note: "canary-note" }) { cart { id } } }', {})
            assert failed["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
            uploaded = await client.post(
                "/uploads",
                content=b"canary-content",
                headers={"Authorization": f"Bearer {tokens['accessToken']}", "X-Filename": "canary.csv"},
            )
            assert uploaded.status_code == 201
            lost = await client.get(f"/orders/{order_token}?canary-parameter")
            assert lost.status_code == 404
        protocol = Subprotocol("graphql-transport-ws")
        url = f"{server.url.replace('http', 'ws')}/graphql?canary-parameter"
        async with websockets.connect(url, subprotocols=[protocol], open_timeout=patience(10)) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": "Bearer canary"}}))
            subscribe = {"query": f"subscription {TRACK}", "variables": {"token": order_token}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": subscribe}))
            for _ in range(2):
                await asyncio.wait_for(socket.recv(), patience(5))
    logged = log.read_text()
    assert logged.count('"event": "request"') >= 9, "it logs its requests"
    assert "23514" in logged or "P0001" in logged, "it logs the fault"
    assert [secret for secret in [*secrets, "canary"] if secret in logged.replace("refuse_canary", "")] == []
