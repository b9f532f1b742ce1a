"""Discounts for some: what is read of products and buyers, and that nobody else pays for it."""

from typing import Any

import pytest

from app import db
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, discounts
from tests.factories import cart as carts
from tests.factories.catalogue import MadeProduct

CART = "{ cost { total { amount } } discountCodes { code reason } discounts { name discountClass } }"
SHOW = f"query ($id: ID!) {{ cart(id: $id) {CART} }}"
CREATE_CART = f"mutation ($input: CartInput!) {{ cartCreate(input: $input) {{ cart {CART} userErrors {{ code }} }} }}"
ADD = f"""mutation ($id: ID!, $lines: [CartLineInput!]!) {{
    cartLinesAdd(cartId: $id, lines: $lines) {{ cart {CART} userErrors {{ code }} }} }}"""
MERGE = f"""mutation ($id: ID!, $into: ID!) {{
    cartMerge(cartId: $id, intoCartId: $into) {{ cart {CART} userErrors {{ code }} }} }}"""
CREATE = "mutation ($input: DiscountInput!) { discountCreate(input: $input) { discount { id } userErrors { code } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def mug(_shop: None) -> MadeProduct:
    return await catalogue.product(price_minor=1000, tags=["Kitchen"])


async def create(api: Api, token: str, **given: Any) -> None:
    await api.ok(CREATE, {"input": {"name": given.get("code", "Sale"), "percentage": "10", **given}}, token=token)


def total(shown: dict[str, Any]) -> str:
    return shown["cost"]["total"]["amount"]  # type: ignore[no-any-return]


async def test_what_a_cart_is_about_to_hold_is_known_in_the_same_statement(
    api: Api, staff_token: str, mug: MadeProduct
) -> None:
    await create(api, staff_token, appliesTo={"tags": ["kitchen"]})
    line = [{"variantId": mug.variant_gid}]
    created = await api.ok(CREATE_CART, {"input": {"lines": line}})
    assert total(created["cartCreate"]["cart"]) == "9.00"
    cart = await carts.cart()
    with db.counted_statements() as statements:
        added = await api.ok(ADD, {"id": cart.gid, "lines": line})
    assert (total(added["cartLinesAdd"]["cart"]), len(statements)) == ("9.00", 2)
    with db.counted_statements() as statements:
        shown = await api.ok(SHOW, {"id": cart.gid})
    assert (total(shown["cart"]), len(statements)) == ("9.00", 1)


async def test_merging_carts_knows_the_products_of_both(api: Api, staff_token: str, mug: MadeProduct) -> None:
    await create(api, staff_token, code="KITCHEN", appliesTo={"tags": ["kitchen"]})
    source = await carts.cart((mug.variant_id, 1))
    other = await catalogue.product(price_minor=500)
    target = await carts.cart((other.variant_id, 1))
    await api.ok(
        'mutation ($id: ID!) { cartDiscountCodesUpdate(cartId: $id, codes: ["KITCHEN"]) { userErrors { code } } }',
        {"id": target.gid},
    )
    merged = (await api.ok(MERGE, {"id": source.gid, "into": target.gid}))["cartMerge"]["cart"]
    assert (total(merged), merged["discountCodes"]) == ("14.00", [{"code": "KITCHEN", "reason": None}])
    assert merged["discounts"] == [{"name": "KITCHEN", "discountClass": "PRODUCT"}]


async def test_a_customer_group_is_of_accounts_and_no_address_that_is_typed_opens_it(
    api: Api, staff_token: str, mug: MadeProduct
) -> None:
    group = new_id()
    await db.execute(
        "INSERT INTO customer_groups (id, name, created_at, updated_at) VALUES ($1, 'Trade', now(), now())", group
    )
    ada = await accounts.signed_in("ada@example.com")
    await db.execute(
        "INSERT INTO customer_group_members (group_id, customer_id, added_at) VALUES ($1, $2, now())", group, ada.id
    )
    await create(api, staff_token, code="TRADE", requires={"customerGroupIds": [ids.encode("cgrp", group)]})
    given = {"lines": [{"variantId": mug.variant_gid}], "discountCodes": ["TRADE"]}
    typed = {**given, "buyerIdentity": {"email": "ada@example.com"}}
    guest = (await api.ok(CREATE_CART, {"input": typed}))["cartCreate"]["cart"]
    assert (total(guest), guest["discountCodes"][0]["reason"]) == ("10.00", "NOT_IN_CUSTOMER_GROUP")
    signed_in = (await api.ok(CREATE_CART, {"input": given}, token=ada.token))["cartCreate"]["cart"]
    assert (total(signed_in), signed_in["discountCodes"][0]["reason"]) == ("9.00", None)


async def test_a_market_is_the_carts(api: Api, staff_token: str, mug: MadeProduct) -> None:
    home = await db.fetchval("SELECT id FROM markets WHERE is_default")
    other = new_id()
    await db.execute(
        """
        INSERT INTO markets (id, code, name, created_at, updated_at) VALUES ($1, 'far', 'Far away', now(), now())
        """,
        other,
    )
    await create(api, staff_token, name="Here", requires={"marketIds": [ids.encode("mkt", home)]})
    await create(api, staff_token, code="THERE", percentage="50", requires={"marketIds": [ids.encode("mkt", other)]})
    given = {"lines": [{"variantId": mug.variant_gid}], "discountCodes": ["THERE"]}
    cart = (await api.ok(CREATE_CART, {"input": given}))["cartCreate"]["cart"]
    assert (total(cart), cart["discountCodes"][0]["reason"]) == ("9.00", "OTHER_MARKET")


async def test_whoever_is_known_is_looked_up_once_and_only_where_it_matters(
    api: Api, staff_token: str, mug: MadeProduct
) -> None:
    cart = await carts.cart((mug.variant_id, 1), email="ada@example.com")

    async def statements() -> int:
        with db.counted_statements() as counted:
            await api.ok(SHOW, {"id": cart.gid})
        return len(counted)

    await discounts.discount()
    assert await statements() == 1
    await create(api, staff_token, name="First", requires={"firstOrder": True}, usageLimitPerCustomer=1)
    assert await statements() == 2
