"""Guests who buy, in three requests, and ask again with the same key until they have an answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from app.kit.ids import new_id
from tests.factories import catalogue, shipping, shop
from tests.patience import patience

Post = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any] | None]]
"""Sends a document with variables; None when the connection broke."""

ADDRESS = {
    "lastName": "Lovelace",
    "address1": "500 Terry Francois Blvd",
    "city": "San Francisco",
    "provinceCode": "CA",
    "postalCode": "94158",
    "countryCode": "US",
}
DESTINATION = {key: ADDRESS[key] for key in ("countryCode", "provinceCode", "postalCode", "city")}
CREATE = """
mutation ($lines: [CartLineInput!]!) {
  cartCreate(input: { lines: $lines }) { cart { id } userErrors { code message } }
}
"""
QUOTES = """
query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) { quotes { id } userErrors { code } } }
"""
COMPLETE = """
mutation ($input: CheckoutCompleteInput!) {
  checkoutComplete(input: $input) { order { id number } orderToken userErrors { code message } }
}
"""
UNDECIDED = {"IN_PROGRESS"}


async def open_shop(stock: int) -> str:
    """A shop with one thing to sell; returns the variant's id."""
    await shop.shop()
    await shipping.zone("US")
    return (await catalogue.product(name="Storm lantern", price_minor=4900, stock=stock)).variant_gid


class NoAnswerError(Exception):
    """The connection broke, or whoever answered could not help."""


@dataclass
class Guest:
    variant: str
    post: Post
    payment: dict[str, Any] = field(
        default_factory=lambda: {"method": "CARD", "gateway": "test", "token": "tok_success"}
    )
    key: str = field(default_factory=lambda: new_id().hex)
    email: str = field(default_factory=lambda: f"{new_id().hex}@guest.example")
    variables: dict[str, Any] = field(default_factory=dict)
    number: str | None = None
    token: str | None = None
    errors: list[str] = field(default_factory=list)

    async def fill_cart(self) -> None:
        created = await self._answer(CREATE, {"lines": [{"variantId": self.variant, "quantity": 1}]})
        cart_id = created["cart"]["id"]
        quoted = await self._answer(QUOTES, {"input": {"cartId": cart_id, "address": DESTINATION}})
        self.variables = {
            "input": {
                "cartId": cart_id,
                "idempotencyKey": self.key,
                "email": self.email,
                "shippingAddress": ADDRESS,
                "shippingQuoteId": quoted["quotes"][0]["id"],
                "payment": self.payment,
            }
        }

    async def _answer(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = await self.post(document, variables)
        if body is None:
            raise NoAnswerError
        assert "errors" not in body, body
        (answer,) = body["data"].values()
        assert not answer["userErrors"], answer
        found: dict[str, Any] = answer
        return found

    async def try_to_pay(self, post: Post | None = None) -> bool:
        """One request. True once there is a final answer: an order, or a refusal."""
        body = await (post or self.post)(COMPLETE, self.variables)
        if body is None:
            return False
        assert "errors" not in body, body
        answer = body["data"]["checkoutComplete"]
        codes = [error["code"] for error in answer["userErrors"]]
        if codes and set(codes) <= UNDECIDED:
            return False
        self.errors = codes
        if answer["order"]:
            self.number, self.token = answer["order"]["number"], answer["orderToken"]
        return True

    def take_new_key(self) -> None:
        """To try again what is refused for good under the old one."""
        self.key = self.variables["input"]["idempotencyKey"] = new_id().hex

    async def pay(self, post: Post | None = None, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + patience(seconds)
        while not await self.try_to_pay(post):
            assert time.monotonic() < deadline, "no final answer"
            await asyncio.sleep(0.2)
