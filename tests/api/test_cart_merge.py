"""`cartMerge`: everything of one cart in another, or nothing."""

from typing import Any

import pytest

from app import db
from app.cart.rules import MAX_LINES, MAX_QUANTITY
from tests.api.cart_operations import ADD, ANSWER, BUYER, CREATE, DETAILS, codes, payload, read, refused
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, discounts
from tests.factories.shop import shop

MERGE = f"mutation ($id: ID!, $into: ID!) {{ cartMerge(cartId: $id, intoCartId: $into) {ANSWER} }}"
CODES = f"mutation ($id: ID!, $codes: [String!]!) {{ cartDiscountCodesUpdate(cartId: $id, codes: $codes) {ANSWER} }}"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


def lines_of(cart: dict[str, Any]) -> list[tuple[str, int]]:
    return [(line["variant"]["id"], line["quantity"]) for line in cart["lines"]["nodes"]]


async def merge(api: Api, source: carts.MadeCart, target: carts.MadeCart) -> dict[str, Any]:
    answer = await payload(api, MERGE, id=source.gid, into=target.gid)
    assert answer["cart"]["id"] == target.gid
    return answer


async def test_alike_lines_add_up_and_others_follow(api: Api) -> None:
    pen, ink, cap = [await catalogue.product(stock=20) for _ in range(3)]
    source = await carts.cart((ink.variant_id, 3), (cap.variant_id, 1))
    target = await carts.cart((pen.variant_id, 1), (ink.variant_id, 2))
    engraved = [{"key": "engraving", "value": "Ada"}]
    await payload(api, ADD, id=source.gid, lines=[{"variantId": pen.variant_gid, "attributes": engraved}])
    answer = await merge(api, source, target)
    assert lines_of(answer["cart"]) == [
        (pen.variant_gid, 1),
        (ink.variant_gid, 5),
        (cap.variant_gid, 1),
        (pen.variant_gid, 1),
    ]
    assert answer["cart"]["lines"]["nodes"][3]["attributes"] == engraved
    assert answer["warnings"] == []
    assert await read(api, target.gid) == answer["cart"]


async def test_the_emptied_cart_stays_open_and_can_be_merged_again(api: Api) -> None:
    pen = await catalogue.product(stock=20)
    source, target = await carts.cart((pen.variant_id, 2)), await carts.cart()
    await merge(api, source, target)
    assert (await read(api, source.gid))["lines"]["totalCount"] == 0
    # A tab that knows nothing of it adds a line.
    late = await payload(api, ADD, id=source.gid, lines=[{"variantId": pen.variant_gid, "quantity": 3}])
    assert late["cart"]["totalQuantity"] == 3
    for _ in range(2):
        assert lines_of((await merge(api, source, target))["cart"]) == [(pen.variant_gid, 5)]


async def test_what_the_target_has_stays_and_what_it_lacks_comes(api: Api) -> None:
    source, target = await carts.cart(), await carts.cart()
    await payload(
        api, DETAILS, id=source.gid, input={"note": "Mine", "attributes": [_attribute("a", "1"), _attribute("b", "2")]}
    )
    await payload(
        api, BUYER, id=source.gid, buyer={"email": "ada@example.com", "phone": "+442079460018", "countryCode": "GB"}
    )
    await payload(api, DETAILS, id=target.gid, input={"attributes": [_attribute("b", "9")]})
    cart = (await merge(api, source, target))["cart"]
    assert cart["note"] == "Mine"
    assert cart["attributes"] == [_attribute("b", "9"), _attribute("a", "1")]
    assert cart["buyerIdentity"] == {"email": "ada@example.com", "phone": "+442079460018", "countryCode": "GB"}
    half = await carts.cart(email="ada@example.com")
    assert (await merge(api, source, half))["cart"]["buyerIdentity"]["phone"] == "+442079460018"
    other = await carts.cart(email="bob@example.com", country_code="US")
    await payload(api, DETAILS, id=other.gid, input={"note": "Other"})
    cart = (await merge(api, source, other))["cart"]
    # Nobody's number is put beside somebody else's email.
    assert cart["buyerIdentity"] == {"email": "bob@example.com", "phone": None, "countryCode": "US"}
    assert cart["note"] == "Other"


async def test_codes_of_both_are_in_the_merged_cart(api: Api) -> None:
    await discounts.discount(code="TEN")
    pen = await catalogue.product(price_minor=1000)
    source, target = await carts.cart((pen.variant_id, 1)), await carts.cart()
    await payload(api, CODES, id=source.gid, codes=["ten", "SAVE"])
    await payload(api, CODES, id=target.gid, codes=["Save"])
    cart = (await merge(api, source, target))["cart"]
    assert cart["cost"]["discount"]["amount"] == "1.00"
    shown = await api.ok("query ($id: ID!) { cart(id: $id) { discountCodes { code applicable } } }", {"id": target.gid})
    assert shown["cart"]["discountCodes"] == [
        {"code": "Save", "applicable": False},
        {"code": "ten", "applicable": True},
    ]


async def test_more_than_is_in_stock_is_kept_and_said(api: Api) -> None:
    pen = await catalogue.product(stock=4)
    source, target = await carts.cart((pen.variant_id, 3)), await carts.cart((pen.variant_id, 3))
    answer = await merge(api, source, target)
    assert lines_of(answer["cart"]) == [(pen.variant_gid, 6)]
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["field"], warning["availableQuantity"]) == ("QUANTITY_UNAVAILABLE", ["cartId"], 4)


async def test_a_cart_and_itself(api: Api) -> None:
    pen = await catalogue.product()
    cart = await carts.cart((pen.variant_id, 2))
    errors = await refused(api, MERGE, id=cart.gid, into=cart.gid)
    assert codes(errors) == [("INVALID", ["intoCartId"])]


async def test_a_cart_that_is_not_there_and_one_without_its_secret(api: Api) -> None:
    pen = await catalogue.product()
    cart, other = await carts.cart((pen.variant_id, 2)), await carts.cart((pen.variant_id, 1))
    await carts.complete(other.id)
    forged = carts.MadeCart(other.id, cart.secret, []).gid
    unknown = carts.MadeCart(pen.id, cart.secret, []).gid
    for wrong in (forged, unknown):
        answers = [
            await refused(api, MERGE, id=wrong, into=cart.gid),
            await refused(api, MERGE, id=cart.gid, into=wrong),
        ]
        assert [codes(errors) for errors in answers] == [
            [("NOT_FOUND", ["cartId"])],
            [("NOT_FOUND", ["intoCartId"])],
        ]


@pytest.mark.parametrize(
    ("begin", "code"), [(carts.begin_payment, "CHECKOUT_IN_PROGRESS"), (carts.complete, "CART_COMPLETED")]
)
async def test_neither_may_be_ordered_or_paid_for(api: Api, begin: Any, code: str) -> None:
    pen = await catalogue.product()
    cart, other = await carts.cart((pen.variant_id, 2)), await carts.cart((pen.variant_id, 1))
    await begin(other.id)
    assert codes(await refused(api, MERGE, id=other.gid, into=cart.gid)) == [(code, ["cartId"])]
    assert codes(await refused(api, MERGE, id=cart.gid, into=other.gid)) == [(code, ["intoCartId"])]


async def test_too_many_lines_are_refused_whole(api: Api) -> None:
    pen, ink = await catalogue.product(stock=None), await catalogue.product(stock=None)
    source, target = await carts.cart((ink.variant_id, 1)), await carts.cart()
    filled = [{"variantId": pen.variant_gid, "attributes": [_attribute("n", str(n))]} for n in range(MAX_LINES)]
    await payload(api, ADD, id=target.gid, lines=filled)
    assert codes(await refused(api, MERGE, id=source.gid, into=target.gid)) == [("TOO_MANY", ["cartId"])]


async def test_too_many_units_of_a_line_are_refused_whole(api: Api) -> None:
    pen, ink = await catalogue.product(stock=None), await catalogue.product(stock=None)
    source = await carts.cart((ink.variant_id, 1), (pen.variant_id, 1))
    target = await carts.cart((pen.variant_id, MAX_QUANTITY))
    assert codes(await refused(api, MERGE, id=source.gid, into=target.gid)) == [("OUT_OF_RANGE", ["cartId"])]


async def test_too_many_attributes_and_codes_are_refused_whole(api: Api) -> None:
    source, target = await carts.cart(), await carts.cart()
    for cart, letter in ((source, "a"), (target, "b")):
        await payload(
            api, DETAILS, id=cart.gid, input={"attributes": [_attribute(f"{letter}{n}", "1") for n in range(13)]}
        )
        await payload(api, CODES, id=cart.gid, codes=[f"{letter}{n}" for n in range(6)])
    assert codes(await refused(api, MERGE, id=source.gid, into=target.gid)) == [("TOO_MANY", ["cartId"])] * 2


async def test_consent_that_was_given_in_the_source_holds(api: Api) -> None:
    made = await payload(
        api,
        CREATE,
        input={
            "buyerIdentity": {
                "email": "ada@example.com",
                "marketingConsent": [{"channel": "EMAIL", "granted": True}],
            }
        },
    )
    before = await db.fetch("SELECT * FROM consents ORDER BY id")
    assert before
    target = await carts.cart()
    await payload(api, MERGE, id=made["cart"]["id"], into=target.gid)
    assert await db.fetch("SELECT * FROM consents ORDER BY id") == before


async def test_the_people_of_both_carts_are_told(api: Api) -> None:
    pen = await catalogue.product()
    source = await carts.cart((pen.variant_id, 1), email="ada@example.com")
    target = await carts.cart(email="bob@example.com")
    await db.execute("DELETE FROM events")
    await merge(api, source, target)
    told = await db.fetch("SELECT payload ->> 'cartId' AS cart_id FROM events WHERE type = 'cart.updated'")
    assert {row["cart_id"] for row in told} == {str(source.id), str(target.id)}


def _attribute(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}
