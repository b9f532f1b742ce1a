"""Carts: made at once or not at all, described, and changed by whoever buys."""

import uuid

import pytest

from app import db
from app.kit import ids
from tests.api.cart_operations import BUYER, CREATE, DETAILS, ENGRAVED, codes, payload, read, refused
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.factories.shop import shop


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def test_a_cart_is_made_with_everything_at_once(api: Api) -> None:
    shirt = await catalogue.product(name="Shirt", price_minor=2550, options={"Size": ["S", "M"]})
    book = await catalogue.product(name="Book", price_minor=999, stock=None, kind="DIGITAL", requires_shipping=False)
    answer = await payload(
        api,
        CREATE,
        input={
            "lines": [
                {"variantId": shirt.variant_gids[1], "quantity": 2, "attributes": ENGRAVED},
                {"variantId": book.variant_gid},
            ],
            "buyerIdentity": {"email": "Ada@Example.COM", "phone": "020 7946 0018", "countryCode": "GB"},
            "note": "Leave it at the door.\nThank you 👩‍🚀",
            "attributes": [{"key": "source", "value": "kiosk"}],
        },
    )
    cart = answer["cart"]
    assert answer["warnings"] == []
    assert cart["state"] == "OPEN"
    assert cart["totalQuantity"] == 3
    assert cart["note"] == "Leave it at the door.\nThank you 👩‍🚀"
    assert cart["attributes"] == [{"key": "source", "value": "kiosk"}]
    assert cart["buyerIdentity"] == {"email": "Ada@example.com", "phone": "+442079460018", "countryCode": "GB"}
    first, second = cart["lines"]["nodes"]
    assert (first["quantity"], first["attributes"], first["warnings"]) == (2, ENGRAVED, [])
    assert first["variant"] == {
        "id": shirt.variant_gids[1],
        "name": "M",
        "price": {"amount": "25.50"},
        "selectedOptions": [{"name": "Size", "value": "M"}],
        "product": {"name": "Shirt"},
    }
    assert first["cost"] == {
        "unitPrice": {"amount": "25.50", "currencyCode": "USD"},
        "subtotal": {"amount": "51.00"},
        "discount": {"amount": "0.00"},
        "total": {"amount": "51.00"},
    }
    assert (second["quantity"], second["variant"]["name"]) == (1, "Book")
    assert cart["cost"] == {
        "subtotal": {"amount": "60.99", "currencyCode": "USD"},
        "discount": {"amount": "0.00"},
        "shipping": {"amount": "0.00"},
        "tax": {"amount": "0.00"},
        "taxIncluded": False,
        "total": {"amount": "60.99"},
    }
    assert await read(api, cart["id"]) == cart


async def test_an_empty_cart(api: Api) -> None:
    cart = (await payload(api, CREATE))["cart"]
    assert (cart["totalQuantity"], cart["lines"]["nodes"], cart["cost"]["total"]["amount"]) == (0, [], "0.00")
    assert cart["buyerIdentity"] == {"email": None, "phone": None, "countryCode": None}
    assert await read(api, cart["id"]) == cart


async def test_the_currency_is_the_shops(api: Api) -> None:
    await shop(currency="JPY")
    tea = await catalogue.product(price_minor=1990)
    cart = (await payload(api, CREATE, input={"lines": [{"variantId": tea.variant_gid, "quantity": 3}]}))["cart"]
    assert cart["cost"]["subtotal"] == {"amount": "5970", "currencyCode": "JPY"}


async def test_what_is_wrong_with_a_new_cart_is_told_at_once_and_no_cart_is_made(api: Api) -> None:
    product, draft = await catalogue.product(stock=3), await catalogue.product(status="DRAFT")
    sold_out = await catalogue.product(stock=0)
    errors = await refused(
        api,
        CREATE,
        input={
            "lines": [
                {"variantId": product.variant_gid, "quantity": 0},
                {"variantId": draft.variant_gid},
                {"variantId": ids.encode("var", uuid.uuid4())},
                {"variantId": sold_out.variant_gid},
                {"variantId": product.variant_gid, "attributes": [{"key": "", "value": "x"}]},
                {"variantId": product.variant_gid},
            ],
            "buyerIdentity": {"email": "nobody", "countryCode": "XX", "phone": "+1"},
            "note": "x" * 5001,
            "attributes": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        },
    )
    assert codes(errors) == [
        ("OUT_OF_RANGE", ["input", "lines", "0", "quantity"]),
        ("NOT_FOUND", ["input", "lines", "1", "variantId"]),
        ("NOT_FOUND", ["input", "lines", "2", "variantId"]),
        ("INSUFFICIENT_STOCK", ["input", "lines", "3", "quantity"]),
        ("REQUIRED", ["input", "lines", "4", "attributes", "0", "key"]),
        ("INVALID_COUNTRY", ["input", "buyerIdentity", "countryCode"]),
        ("INVALID_EMAIL", ["input", "buyerIdentity", "email"]),
        ("INVALID_PHONE", ["input", "buyerIdentity", "phone"]),
        ("INVALID", ["input", "attributes", "1", "key"]),
        ("TOO_LONG", ["input", "note"]),
    ]
    # A draft looks like nothing at all.
    assert errors[1]["message"] == errors[2]["message"]
    assert (errors[3]["__typename"], errors[3]["availableQuantity"]) == ("InsufficientStockError", 0)
    assert await db.fetchval("SELECT count(*) FROM carts") == 0


async def test_malformed_ids_are_named(api: Api) -> None:
    product = await catalogue.product()
    lines = [{"variantId": product.gid}, {"variantId": product.variant_gid}, {"variantId": "var_1"}]
    errors = await refused(api, CREATE, input={"lines": lines})
    assert codes(errors) == [
        ("INVALID_ID", ["input", "lines", "0", "variantId"]),
        ("INVALID_ID", ["input", "lines", "2", "variantId"]),
    ]


@pytest.mark.parametrize("text", ["nul \x00", "bell \x07"])
async def test_text_that_cannot_be_kept_is_refused(api: Api, text: str) -> None:
    made = await carts.cart()
    assert codes(await refused(api, DETAILS, id=made.gid, input={"note": text})) == [("INVALID", ["input", "note"])]


async def test_a_price_cannot_be_sent(api: Api) -> None:
    product = await catalogue.product()
    line = {"variantId": product.variant_gid, "price": "0.01"}
    assert (await api.query(CREATE, {"input": {"lines": [line]}})).errors
    assert await db.fetchval("SELECT count(*) FROM carts") == 0


async def test_details_change_only_where_they_are_given(api: Api) -> None:
    made = await carts.cart()
    attributes = [{"key": "source", "value": "kiosk"}]
    await payload(api, DETAILS, id=made.gid, input={"note": "Hello", "attributes": attributes})
    cart = (await payload(api, DETAILS, id=made.gid, input={}))["cart"]
    assert (cart["note"], cart["attributes"]) == ("Hello", attributes)
    cart = (await payload(api, DETAILS, id=made.gid, input={"note": None}))["cart"]
    assert (cart["note"], cart["attributes"]) == (None, attributes)
    cart = (await payload(api, DETAILS, id=made.gid, input={"attributes": None}))["cart"]
    assert (cart["note"], cart["attributes"]) == (None, [])
    assert await read(api, made.gid) == cart


async def test_the_buyer_is_checked_and_kept(api: Api) -> None:
    made = await carts.cart()
    await payload(api, BUYER, id=made.gid, buyer={"email": "ada@example.com", "countryCode": "de"})
    # A national number is read as one of the country that the cart has.
    cart = (await payload(api, BUYER, id=made.gid, buyer={"phone": "030 901820"}))["cart"]
    assert cart["buyerIdentity"] == {"email": "ada@example.com", "phone": "+4930901820", "countryCode": "DE"}
    cart = (await payload(api, BUYER, id=made.gid, buyer={"email": None}))["cart"]
    assert cart["buyerIdentity"] == {"email": None, "phone": "+4930901820", "countryCode": "DE"}
    assert await read(api, made.gid) == cart
    errors = await refused(api, BUYER, id=made.gid, buyer={"email": "a@b\r\nBcc: x@y.test", "countryCode": "ZZ"})
    assert codes(errors) == [
        ("INVALID_COUNTRY", ["buyerIdentity", "countryCode"]),
        ("INVALID_EMAIL", ["buyerIdentity", "email"]),
    ]


async def test_a_country_that_the_shop_does_not_ship_to_is_kept_with_a_warning(api: Api) -> None:
    made = await carts.cart()
    answer = await payload(api, BUYER, id=made.gid, buyer={"countryCode": "BR"})
    assert answer["cart"]["buyerIdentity"]["countryCode"] == "BR"
    assert [(one["code"], one["field"]) for one in answer["warnings"]] == [
        ("COUNTRY_NOT_SERVED", ["buyerIdentity", "countryCode"])
    ]
    answer = await payload(api, CREATE, input={"buyerIdentity": {"countryCode": "BR"}})
    assert [one["field"] for one in answer["warnings"]] == [["input", "buyerIdentity", "countryCode"]]
