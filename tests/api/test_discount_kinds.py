"""What discounts can be: what each kind takes off a cart, and what a code says that takes nothing off yet."""

from typing import Any

import pytest

from app import db, invariants
from app.kit import ids
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers, segments
from tests.factories.catalogue import MadeProduct

CREATE = """mutation ($input: DiscountInput!) { discountCreate(input: $input) {
    discount { id discountClass percentage amount { amount } appliesOnEachItem fixedPrice { amount } priority
        tiers { minimumQuantity minimumSubtotal { amount } percentage fixedPrice { amount } }
        buyXGetY { buyQuantity getQuantity percentage usesPerOrder buys { productIds } gets { collectionIds } }
        freeShipping { maximumPrice { amount } } appliesTo { productIds collectionIds tags excludedTags }
        requires { minimumQuantity firstOrder segmentIds marketIds countryCodes }
        combinesWith { productDiscounts orderDiscounts shippingDiscounts } }
    userErrors { code field message } } }"""
CART = """{ discountCodes { code applicable reason message } discounts { name amount { amount } }
    cost { discount { amount } total { amount } } lines { nodes { cost { discount { amount } } } } }"""
CODES = f"""mutation ($id: ID!, $codes: [String!]!) {{
    cartDiscountCodesUpdate(cartId: $id, codes: $codes) {{ cart {CART} userErrors {{ code }} }} }}"""
SHOW = f"query ($id: ID!) {{ cart(id: $id) {CART} }}"
DOLLARS = {"currencyCode": "USD"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def mug(_shop: None) -> MadeProduct:
    return await catalogue.product(price_minor=1000, stock=500, tags=["Kitchen"])


@pytest.fixture
async def lamp(_shop: None) -> MadeProduct:
    return await catalogue.product(price_minor=3000, stock=500)


def dollars(amount: str) -> dict[str, str]:
    return {"amount": amount, **DOLLARS}


async def create(api: Api, token: str, **given: Any) -> dict[str, Any]:
    data = await api.ok(CREATE, {"input": {"name": given.get("code", "Sale"), **given}}, token=token)
    return data["discountCreate"]["discount"]  # type: ignore[no-any-return]


async def shown(api: Api, *lines: tuple[MadeProduct, int], codes: list[str] | None = None) -> dict[str, Any]:
    cart = await carts.cart(*((product.variant_id, quantity) for product, quantity in lines))
    if codes is None:
        return (await api.ok(SHOW, {"id": cart.gid}))["cart"]  # type: ignore[no-any-return]
    payload = (await api.ok(CODES, {"id": cart.gid, "codes": codes}))["cartDiscountCodesUpdate"]
    return payload["cart"]  # type: ignore[no-any-return]


def off(cart: dict[str, Any]) -> list[str]:
    return [line["cost"]["discount"]["amount"] for line in cart["lines"]["nodes"]]


def said(cart: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    return [(one["reason"], one["message"]) for one in cart["discountCodes"]]


async def test_items_by_product_collection_and_tag_without_what_is_excluded(
    api: Api, staff_token: str, mug: MadeProduct, lamp: MadeProduct
) -> None:
    collection = await catalogue.collection(products=[lamp])
    made = await create(
        api,
        staff_token,
        percentage="10",
        appliesTo={"collectionIds": [ids.encode("coll", collection)], "tags": ["KITCHEN"]},
    )
    assert (made["discountClass"], made["appliesTo"]["tags"]) == ("PRODUCT", ["KITCHEN"])
    other = await catalogue.product(price_minor=5000)
    assert off(await shown(api, (mug, 1), (lamp, 1), (other, 1))) == ["1.00", "3.00", "0.00"]
    await db.execute("UPDATE discounts SET status = 'DISABLED'")
    await create(api, staff_token, amount=dollars("2"), appliesOnEachItem=True, appliesTo={"excludedTags": ["kitchen"]})
    assert off(await shown(api, (mug, 3), (lamp, 2))) == ["0.00", "4.00"]


async def test_a_fixed_price_and_tiers(api: Api, staff_token: str, mug: MadeProduct, lamp: MadeProduct) -> None:
    await create(
        api, staff_token, code="SEVEN", fixedPrice=dollars("7"), appliesTo={"productIds": [mug.gid]}, priority=5
    )
    assert off(await shown(api, (mug, 3), (lamp, 1), codes=["SEVEN"])) == ["9.00", "0.00"]
    tiers = [
        {"minimumQuantity": 3, "percentage": "10"},
        {"minimumQuantity": 6, "fixedPrice": dollars("8")},
    ]
    await create(api, staff_token, code="MORE", tiers=tiers, appliesTo={"productIds": [mug.gid]})
    assert said(await shown(api, (mug, 2), codes=["MORE"])) == [
        ("MINIMUM_QUANTITY_NOT_REACHED", "Add one more of what the offer is for to get it.")
    ]
    assert off(await shown(api, (mug, 3), codes=["MORE"])) == ["3.00"]
    assert off(await shown(api, (mug, 7), codes=["MORE"])) == ["14.00"]


async def test_buy_two_get_the_cheapest_for_half(
    api: Api, staff_token: str, mug: MadeProduct, lamp: MadeProduct
) -> None:
    offer = {"buyQuantity": 2, "percentage": "50", "usesPerOrder": 1}
    made = await create(api, staff_token, code="HALF", buyXGetY=offer)
    assert made["buyXGetY"] == {
        **offer,
        "getQuantity": 1,
        "buys": None,
        "gets": None,
    }
    assert off(await shown(api, (lamp, 2), (mug, 4), codes=["HALF"])) == ["0.00", "5.00"]
    assert said(await shown(api, (mug, 2), codes=["HALF"])) == [
        ("MINIMUM_QUANTITY_NOT_REACHED", "Add one more of what the offer is for to get it.")
    ]


async def test_free_shipping_is_counted_with_the_order(
    api: Api, staff_token: str, mug: MadeProduct, drain: Any
) -> None:
    await create(api, staff_token, code="SHIP", freeShipping={"maximumPrice": dollars("50")}, usageLimit=1)
    given = await checkout.ready_input(api, (mug, 1))
    entered = await api.ok(CODES, {"id": given["cartId"], "codes": ["SHIP"]})
    assert said(entered["cartDiscountCodesUpdate"]["cart"]) == [(None, None)]
    order = (await checkout.complete(api, given))["order"]
    assert order["cost"]["total"]["amount"] == "10.00"
    (use,) = await db.fetch("SELECT state, amount_minor FROM discount_redemptions")
    assert tuple(use.values()) == ("REDEEMED", 599)
    assert said(await shown(api, (mug, 1), codes=["SHIP"])) == [("USED_UP", "This offer is used up.")]
    await drain()
    assert await invariants.check() == []


async def test_a_code_says_what_it_asks_for(api: Api, staff_token: str, mug: MadeProduct, lamp: MadeProduct) -> None:
    ten = {"percentage": "10"}
    segment = await segments.segment("vip", "true")
    await create(api, staff_token, code="LAMPS", appliesTo={"productIds": [lamp.gid]}, **ten)
    await create(api, staff_token, code="FIVE", requires={"minimumQuantity": 5}, **ten)
    await create(api, staff_token, code="VIP", requires={"segmentIds": [ids.encode("seg", segment)]}, **ten)
    await create(api, staff_token, code="SWISS", requires={"countryCodes": ["CH"]}, **ten)
    await create(api, staff_token, code="BIG", minimumSubtotal=dollars("25.50"), **ten)
    cart = await shown(api, (mug, 2), codes=["LAMPS", "FIVE", "VIP", "SWISS", "BIG"])
    assert said(cart) == [
        ("NO_ELIGIBLE_ITEMS", "Nothing in the cart is part of this offer."),
        ("MINIMUM_QUANTITY_NOT_REACHED", "Add 3 more of what the offer is for to get it."),
        ("BUYER_UNKNOWN", "Enter your email address: it is for some customers only."),
        ("OTHER_COUNTRY", "It is for orders to other countries."),
        ("MINIMUM_NOT_REACHED", "Add items for 5.50 USD more to get it."),
    ]
    assert cart["cost"]["total"]["amount"] == "20.00"


async def test_segments_and_first_orders_go_by_the_buyer(api: Api, staff_token: str, mug: MadeProduct) -> None:
    ada = await customers.profile(email="ada@example.com")
    segment = await segments.segment("vip", "true")
    await db.execute(
        """
        INSERT INTO segment_memberships (segment_id, profile_id, member, changed_at) VALUES ($1, $2, true, now())
        ON CONFLICT (segment_id, profile_id) DO UPDATE SET member = true
        """,
        segment,
        ada,
    )
    await create(
        api,
        staff_token,
        code="VIP",
        percentage="10",
        requires={"segmentIds": [ids.encode("seg", segment)], "firstOrder": True},
    )
    bought: dict[str, str] = {}
    for email in ("eve@example.com", "ada@example.com", "ada@example.com"):
        given = await checkout.ready_input(api, (mug, 1), email=email)
        await api.ok(CODES, {"id": given["cartId"], "codes": ["VIP"]})
        answer = await checkout.complete(api, given)
        bought[email] = bought.get(email, "") + (answer["userErrors"] or [{"code": " ORDER"}])[0]["code"]
    assert bought == {
        "eve@example.com": "DISCOUNT_NOT_YOURS",
        "ada@example.com": " ORDERDISCOUNT_EXISTING_CUSTOMER",
    }


async def test_what_goes_together_and_what_goes_first(api: Api, staff_token: str, mug: MadeProduct) -> None:
    together = {"productDiscounts": True, "orderDiscounts": True, "shippingDiscounts": True}
    await create(api, staff_token, name="Mugs", fixedPrice=dollars("9"), combinesWith=together)
    await create(api, staff_token, name="All", percentage="10", combinesWith=together)
    await create(api, staff_token, code="ALONE", percentage="30", combinesWith={})
    cart = await shown(api, (mug, 2))
    assert [(one["name"], one["amount"]["amount"]) for one in cart["discounts"]] == [("Mugs", "2.00"), ("All", "1.80")]
    cart = await shown(api, (mug, 2), codes=["ALONE"])
    assert [(one["name"], one["amount"]["amount"]) for one in cart["discounts"]] == [("ALONE", "6.00")]
    await create(api, staff_token, name="First", amount=dollars("1"), combinesWith=together, priority=10)
    cart = await shown(api, (mug, 2), codes=["ALONE"])
    assert cart["discountCodes"][0]["reason"] == "NOT_COMBINABLE"
    assert [one["name"] for one in cart["discounts"]] == ["Mugs", "First", "All"]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"percentage": "10", "fixedPrice": dollars("1")}, "INVALID", "percentage"),
        ({"percentage": "10", "appliesOnEachItem": True}, "INVALID", "appliesOnEachItem"),
        ({"tiers": []}, "OUT_OF_RANGE", "tiers"),
        ({"tiers": [{"minimumQuantity": 2, "percentage": "0"}]}, "OUT_OF_RANGE", "tiers.0.percentage"),
        ({"tiers": [{"percentage": "5"}]}, "INVALID", "tiers.0.minimumQuantity"),
        (
            {"tiers": [{"minimumQuantity": 2, "percentage": "5"}, {"minimumQuantity": 2, "percentage": "9"}]},
            "INVALID",
            "tiers.1.minimumQuantity",
        ),
        ({"buyXGetY": {"buyQuantity": 0}}, "OUT_OF_RANGE", "buyXGetY.buyQuantity"),
        ({"buyXGetY": {"buyQuantity": 1, "percentage": "101"}}, "OUT_OF_RANGE", "buyXGetY.percentage"),
        (
            {"buyXGetY": {"buyQuantity": 1, "gets": {"productIds": [f"prod_{'0' * 32}"]}}},
            "NOT_FOUND",
            "buyXGetY.gets.productIds.0",
        ),
        ({"freeShipping": {}, "appliesTo": {"tags": ["x"]}}, "INVALID", "appliesTo"),
        ({"freeShipping": {"maximumPrice": dollars("0")}}, "OUT_OF_RANGE", "freeShipping.maximumPrice"),
        ({"percentage": "10", "appliesTo": {"tags": ["x", " "]}}, "REQUIRED", "appliesTo.tags.1"),
        ({"percentage": "10", "appliesTo": {"variantIds": ["nope"]}}, "INVALID_ID", "appliesTo.variantIds.0"),
        ({"percentage": "10", "requires": {"marketIds": [f"mkt_{'0' * 32}"]}}, "NOT_FOUND", "requires.marketIds.0"),
        ({"percentage": "10", "priority": 1001}, "OUT_OF_RANGE", "priority"),
        ({"percentage": "10", "code": "X", "automatic": True}, "INVALID", "automatic"),
    ],
)
async def test_wrong_rules_are_refused_where_they_are_wrong(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: str
) -> None:
    (error,) = await api.refused(CREATE, {"input": {"name": "New", **given}}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", *field.split(".")])
    assert await db.fetchval("SELECT count(*) FROM discounts") == 0


async def test_one_kind_turns_into_another_and_the_rest_stays(api: Api, staff_token: str, mug: MadeProduct) -> None:
    made = await create(
        api, staff_token, code="X", amount=dollars("2"), appliesOnEachItem=True, appliesTo={"productIds": [mug.gid]}
    )
    update = CREATE.replace("($input: DiscountInput!)", "($id: ID!, $input: DiscountUpdateInput!)").replace(
        "discountCreate(input", "discountUpdate(id: $id, input"
    )
    change = {"amount": None, "percentage": "15", "requires": {"countryCodes": ["DE", "AT"]}}
    changed = (await api.ok(update, {"id": made["id"], "input": change}, token=staff_token))["discountUpdate"]
    assert changed["discount"] == {
        **made,
        "amount": None,
        "appliesOnEachItem": False,
        "percentage": "15",
        "requires": {
            "minimumQuantity": None,
            "firstOrder": False,
            "segmentIds": [],
            "marketIds": [],
            "countryCodes": ["AT", "DE"],
        },
    }
    plain = {"appliesTo": None, "requires": None}
    await api.ok(update, {"id": made["id"], "input": plain}, token=staff_token)
    row = await db.fetchrow("SELECT percentage, amount_minor, rule FROM discounts")
    assert row is not None
    assert tuple(row.values()) == (15, None, None)
