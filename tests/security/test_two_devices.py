"""One shopper on two devices of the running production profile: nothing is lost between them, nothing stays behind."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api.account_operations import (
    CREATE,
    EMAIL_CONFIRM,
    EMAIL_UPDATE,
    LOGIN,
    LOGOUT,
    OTHER_PASSWORD,
    PASSWORD,
    REFRESH,
    RESET,
    RESET_SEND,
    VERIFY,
    codes,
)
from tests.client import Api
from tests.factories import account_mails, catalogue, checkout
from tests.factories import cart as carts

pytestmark = pytest.mark.long

Drain = Callable[[], Awaitable[None]]
ADA, NEW = "ada@example.com", "ada@new.example"
SIGN_UP = CREATE.replace("$input: CustomerCreateInput!", "$input: CustomerCreateInput!, $cart: ID").replace(
    "input: $input", "input: $input, cartId: $cart"
)
MINE = "{ me { email cart { id totalQuantity } carts { id } orders(first: 10) { totalCount } } }"


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await checkout.shop_that_ships()


async def sign_in(api: Api, cart: str | None = None) -> dict[str, Any]:
    variables = {"input": {"email": ADA, "password": PASSWORD}, "cart": cart}
    payload: dict[str, Any] = (await api.ok(LOGIN, variables))["customerLogin"]
    return payload


async def mine(api: Api, token: str) -> tuple[str | None, int, int]:
    """The cart, what is in it, and how many orders there are."""
    me = (await api.ok(MINE, token=token))["me"]
    cart = me["cart"] or {"id": None, "totalQuantity": 0}
    assert [one["id"] for one in me["carts"]] == ([cart["id"]] if cart["id"] else [])
    return cart["id"], cart["totalQuantity"], me["orders"]["totalCount"]


async def test_the_cart_and_the_orders_follow_whoever_signs_in(outside: Api, drain: Drain) -> None:
    pen, ink = await catalogue.product(stock=50), await catalogue.product(stock=50)
    as_guest = await checkout.ready_input(outside, (pen, 1), payment=checkout.CASH, email=ADA)
    assert (await checkout.complete(outside, as_guest))["order"]
    on_phone = (await carts.cart((pen.variant_id, 2))).gid
    phone = (await outside.ok(SIGN_UP, {"input": {"email": ADA, "password": PASSWORD}, "cart": on_phone}))[
        "customerCreate"
    ]
    assert await mine(outside, phone["accessToken"]) == (on_phone, 2, 0)
    await drain()
    link = (await account_mails.last(ADA, "account_verify_email")).token
    await outside.ok(VERIFY, {"token": link}, token=phone["accessToken"])
    assert await mine(outside, phone["accessToken"]) == (on_phone, 2, 1)

    on_desk = (await carts.cart((ink.variant_id, 1), (pen.variant_id, 1))).gid
    desk = await sign_in(outside, on_desk)
    assert (desk["cartId"], desk["warnings"]) == (on_phone, [])
    assert await mine(outside, desk["accessToken"]) == await mine(outside, phone["accessToken"]) == (on_phone, 4, 1)
    await outside.ok(LOGOUT, token=desk["accessToken"])
    assert (await outside.ok(MINE, token=desk["accessToken"]))["me"] is None
    assert (await outside.refused(REFRESH, {"token": desk["refreshToken"]}))[0]["code"] == "INVALID_TOKEN"
    # Again, with nothing, with what an old tab still has, and with the account's own.
    for cart in (None, on_desk, on_phone):
        desk = await sign_in(outside, cart)
        assert await mine(outside, desk["accessToken"]) == (on_phone, 4, 1)

    quote = await checkout.quote_for(outside, on_phone)
    given = {**as_guest, "cartId": on_phone, "idempotencyKey": checkout.new_key(), "shippingQuoteId": quote}
    assert (await checkout.complete(outside, given, token=desk["accessToken"]))["order"]
    assert await mine(outside, phone["accessToken"]) == (None, 0, 2)


async def test_a_new_address_takes_the_orders_along_and_the_old_one_opens_nothing(outside: Api, drain: Drain) -> None:
    token = (await outside.ok(SIGN_UP, {"input": {"email": ADA, "password": PASSWORD}}))["customerCreate"][
        "accessToken"
    ]
    await drain()
    await outside.ok(VERIFY, {"token": (await account_mails.last(ADA, "account_verify_email")).token}, token=token)
    given = await checkout.ready_input(outside, ((await catalogue.product()), 1), payment=checkout.CASH, email=ADA)
    assert (await checkout.complete(outside, given))["order"]
    await outside.ok(RESET_SEND, {"email": ADA})
    await outside.ok(EMAIL_UPDATE, {"email": NEW, "password": PASSWORD}, token=token)
    await drain()
    reset = (await account_mails.last(ADA, "account_reset_password")).token
    change = (await account_mails.last(NEW, "account_change_email")).token
    await outside.ok(EMAIL_CONFIRM, {"token": change}, token=token)
    await drain()
    answer = await outside.query(RESET, {"token": reset, "password": OTHER_PASSWORD})
    assert answer.data
    assert codes(answer.data["customerPasswordReset"]) == ["INVALID_LINK"]
    assert (await mine(outside, token))[2] == 1
    # Whoever orders with the old address from now on is somebody else.
    again = await checkout.ready_input(outside, ((await catalogue.product()), 1), payment=checkout.CASH, email=ADA)
    assert (await checkout.complete(outside, again))["order"]
    await drain()
    assert (await mine(outside, token))[2] == 1
