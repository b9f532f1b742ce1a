"""Buying while signed in: the account's addresses, its email, its history."""

from typing import Any

import pytest

from app import db
from tests.api.test_address_book import create
from tests.client import Api
from tests.factories import accounts, catalogue, checkout
from tests.factories import cart as carts
from tests.factories.checkout import ADDRESS

KEYS = ("shippingAddress", "billingAddress", "email")
ORDER = """query ($id: ID!) { order(id: $id) { email
    shippingAddress { lastName address1 } billingAddress { lastName } } }"""
CHECKOUT_FIELDS = (
    "{ checkout { id email shippingAddress { lastName } billingAddress { lastName } } userErrors { code field } }"
)
BEGIN = f"mutation ($input: CheckoutCreateInput!) {{ checkoutCreate(input: $input) {CHECKOUT_FIELDS} }}"
CHANGE = f"""mutation ($id: ID!, $input: CheckoutUpdateInput!) {{
    checkoutUpdate(checkoutId: $id, input: $input) {CHECKOUT_FIELDS} }}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def ready(api: Api, **changed: Any) -> dict[str, Any]:
    """Without email and addresses."""
    pen = await catalogue.product()
    return await checkout.ready_input(api, (pen, 1), **{**dict.fromkeys(KEYS), **changed})


async def orders() -> int:
    return await db.fetchval("SELECT count(*) FROM orders")  # type: ignore[no-any-return]


async def test_an_order_in_one_request_with_what_the_account_has(api: Api) -> None:
    ada = await accounts.signed_in("ada@example.com")
    home = await create(api, ada)
    office = await create(api, ada, {**ADDRESS, "lastName": "King", "address1": "2 Mission Street"})
    given = await ready(api, shippingAddressId=office["id"], billingAddressId=home["id"])
    placed = await checkout.complete(api, given, token=ada.token)
    order = (await api.ok(ORDER, {"id": placed["order"]["id"]}, token=ada.token))["order"]
    assert order == {
        "email": "ada@example.com",
        "shippingAddress": {"lastName": "King", "address1": "2 Mission Street"},
        "billingAddress": {"lastName": "Lovelace"},
    }
    assert await checkout.complete(api, given, token=ada.token) == placed


async def test_an_answer_stays_when_the_address_is_gone_or_the_shopper_signed_out(api: Api) -> None:
    ada = await accounts.signed_in()
    home = await create(api, ada)
    given = await ready(api, shippingAddressId=home["id"])
    placed = await checkout.complete(api, given, token=ada.token)
    assert placed["order"]
    await db.execute("DELETE FROM customer_addresses")
    assert await checkout.complete(api, given, token=ada.token) == placed
    assert await checkout.complete(api, given) == placed
    other = {**given, "shippingAddressId": "cadd_" + "0" * 32}
    errors = (await checkout.complete(api, other, token=ada.token))["userErrors"]
    assert [error["code"] for error in errors] == ["IDEMPOTENCY_KEY_REUSED"]


async def test_an_address_of_somebody_else_is_not_there(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    home = await create(api, ada)
    for wrong in (home["id"], "cadd_" + "0" * 32):
        given = await ready(api, shippingAddressId=wrong, billingAddressId=wrong)
        errors = (await checkout.complete(api, given, token=bob.token))["userErrors"]
        assert [(one["code"], one["field"]) for one in errors[:2]] == [
            ("NOT_FOUND", ["input", "shippingAddressId"]),
            ("NOT_FOUND", ["input", "billingAddressId"]),
        ]
    assert await orders() == 0


async def test_a_session_that_ended_is_no_answer_for_ever(api: Api) -> None:
    ada = await accounts.signed_in()
    given = await ready(api, shippingAddressId=(await create(api, ada))["id"])
    errors = (await checkout.complete(api, given))["userErrors"]
    assert [(one["code"], one["field"]) for one in errors] == [("UNAUTHENTICATED", ["input", "shippingAddressId"])]
    assert await db.fetchval("SELECT count(*) FROM checkout_attempts") == 0
    assert (await checkout.complete(api, given, token=ada.token))["order"]


async def test_an_address_is_typed_or_chosen(api: Api) -> None:
    ada = await accounts.signed_in()
    home = await create(api, ada)
    given = await ready(api, shippingAddress=ADDRESS, shippingAddressId=home["id"])
    errors = (await checkout.complete(api, given, token=ada.token))["userErrors"]
    assert [(one["code"], one["field"]) for one in errors] == [("INVALID", ["input", "shippingAddressId"])]
    assert await orders() == 0


async def test_an_email_that_is_typed_comes_before_the_accounts(api: Api) -> None:
    ada = await accounts.signed_in()
    given = await ready(api, email="office@example.com", shippingAddress=ADDRESS)
    placed = await checkout.complete(api, given, token=ada.token)
    order = (await api.ok(ORDER, {"id": placed["order"]["id"]}, token=ada.token))["order"]
    assert order["email"] == "office@example.com"


async def test_a_checkout_keeps_the_accounts_address_as_it_was(api: Api) -> None:
    ada, bob = await accounts.signed_in("ada@example.com"), await accounts.signed_in()
    home = await create(api, ada)
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    begun = await api.ok(BEGIN, {"input": {"cartId": cart.gid, "shippingAddressId": home["id"]}}, token=ada.token)
    shown = begun["checkoutCreate"]["checkout"]
    assert (shown["email"], shown["shippingAddress"]) == ("ada@example.com", {"lastName": "Lovelace"})
    await db.execute("DELETE FROM customer_addresses WHERE customer_id = $1", ada.id)
    bobs = await create(api, bob, {**ADDRESS, "lastName": "King"})
    before = await db.fetch("SELECT * FROM checkouts")
    for token, wrong, code in ((ada.token, bobs["id"], "NOT_FOUND"), (None, bobs["id"], "UNAUTHENTICATED")):
        change = {"id": shown["id"], "input": {"billingAddressId": wrong}}
        errors = await api.refused(CHANGE, change, token=token)
        assert [(one["code"], one["field"]) for one in errors] == [(code, ["input", "billingAddressId"])]
    assert await db.fetch("SELECT * FROM checkouts") == before
    change = {"id": shown["id"], "input": {"billingAddressId": bobs["id"], "email": None}}
    changed = (await api.ok(CHANGE, change, token=bob.token))["checkoutUpdate"]["checkout"]
    # Who takes the email out means it.
    assert (changed["email"], changed["billingAddress"]) == (None, {"lastName": "King"})
