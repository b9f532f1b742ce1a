"""What storefronts show beside a product: bought together with it, or related to it."""

import itertools
from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import catalogue, customers, orders, shop
from tests.factories.catalogue import MadeProduct

BOUGHT_TOGETHER = """
    query ($id: ID!, $first: Int) {
      product(id: $id) { recommendations(intent: BOUGHT_TOGETHER, first: $first) { id } }
    }
"""
RELATED = "query ($id: ID!) { product(id: $id) { recommendations { id } } }"
LIST_PAGE = "query ($first: Int) { products(first: $first) { nodes { name %s } } }"
BESIDE_EACH = "recommendations(intent: BOUGHT_TOGETHER, first: 4) { name variants(first: 1) { nodes { sku } } }"


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def order(*products: MadeProduct) -> None:
    buyer = await customers.profile()
    await customers.past_order(buyer, *((product.variant_id, 1) for product in products))


async def beside(api: Api, product: MadeProduct, document: str = BOUGHT_TOGETHER, **variables: Any) -> list[str]:
    found = await api.ok(document, {"id": product.gid, **variables})
    return [one["id"] for one in found["product"]["recommendations"]]


async def test_bought_together_is_counted_from_orders_most_often_first(api: Api) -> None:
    sweater, hat, scarf, socks = [await catalogue.product() for _ in range(4)]
    await order(sweater, scarf)
    await order(sweater, hat)
    await order(sweater, hat)
    await order(scarf, socks)
    assert await beside(api, sweater) == [hat.gid, scarf.gid]
    assert await beside(api, sweater, first=1) == [hat.gid]
    assert await beside(api, sweater, first=0) == []
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED'")
    assert await beside(api, sweater) == []


async def test_related_ones_follow_where_too_few_were_bought_together(api: Api) -> None:
    sweater = await catalogue.product(product_type="Knitwear", tags=["Wool", "Blue"])
    same_type = await catalogue.product(product_type="Knitwear")
    same_tag = await catalogue.product(tags=["Wool"])
    same_collection = await catalogue.product()
    alike_in_all = await catalogue.product(product_type="Knitwear", tags=["Blue"])
    bought, foreign = [await catalogue.product() for _ in range(2)]
    await catalogue.collection(products=[sweater, same_collection, alike_in_all, bought])
    await catalogue.collection(products=[foreign])

    related = [alike_in_all.gid, same_type.gid, bought.gid, same_collection.gid, same_tag.gid]
    assert await beside(api, sweater, RELATED) == related
    assert await beside(api, foreign, RELATED) == []

    await order(sweater, bought)
    assert await beside(api, sweater) == [bought.gid, *[gid for gid in related if gid != bought.gid]]
    assert await beside(api, sweater, first=3) == [bought.gid, alike_in_all.gid, same_type.gid]


@pytest.mark.parametrize("off_sale", ["ARCHIVED", "DRAFT", "sold out", "removed"])
async def test_only_what_can_be_bought_is_suggested_to_shoppers_and_to_staff(
    api: Api, staff_token: str, off_sale: str
) -> None:
    sweater, hat, scarf = [await catalogue.product(product_type="Knitwear") for _ in range(3)]
    await order(sweater, hat, scarf)
    if off_sale == "sold out":
        await db.execute("UPDATE stock_levels SET available = 0 WHERE variant_id = $1", hat.variant_id)
    elif off_sale == "removed":
        await db.execute("UPDATE product_variants SET removed_at = now() WHERE id = $1", hat.variant_id)
    else:
        await db.execute("UPDATE products SET status = $2 WHERE id = $1", hat.id, off_sale)
    for document in (BOUGHT_TOGETHER, RELATED):
        for token in (None, staff_token):
            found = await api.ok(document, {"id": sweater.gid}, token=token)
            assert found["product"]["recommendations"] == [{"id": scarf.gid}]


async def test_a_list_with_recommendations_is_one_statement_at_1_and_at_24_products(api: Api) -> None:
    made = [await catalogue.product(product_type="Knitwear") for _ in range(24)]
    for one, another in itertools.pairwise(made):
        await order(one, another)
    counts = []
    for first in (1, 24):
        with db.counted_statements() as statements:
            page = await api.ok(LIST_PAGE % BESIDE_EACH, {"first": first})
        assert [len(node["recommendations"]) for node in page["products"]["nodes"]] == [4] * first
        counts.append(len(statements))
    assert counts == [1, 1]


async def test_a_list_without_them_does_not_pay_for_them(api: Api) -> None:
    await catalogue.product()
    with db.counted_statements() as statements:
        await api.ok(LIST_PAGE % "tags")
    assert len(statements) == 1
    assert "order_lines" not in statements[0]
    with db.counted_statements() as statements:
        await api.ok(LIST_PAGE % BESIDE_EACH)
    assert "order_lines" in statements[0]


async def test_two_sets_of_arguments_are_two_answers(api: Api) -> None:
    sweater, hat, scarf = [await catalogue.product(product_type="Knitwear") for _ in range(3)]
    await order(sweater, hat)
    found = await api.ok(
        """
        query ($id: ID!) {
          product(id: $id) {
            together: recommendations(intent: BOUGHT_TOGETHER, first: 1) { id }
            related: recommendations(intent: RELATED, first: 1) { id priceRange { min { amount } } }
            null: recommendations(intent: null, first: null) { id }
          }
        }
        """,
        {"id": sweater.gid},
    )
    assert found["product"]["together"] == [{"id": hat.gid}]
    assert found["product"]["related"] == [{"id": scarf.gid, "priceRange": {"min": {"amount": "19.99"}}}]
    assert found["product"]["null"] == [{"id": scarf.gid}, {"id": hat.gid}]


async def test_a_cart_shows_what_goes_with_its_lines(api: Api) -> None:
    sweater, hat = [await catalogue.product() for _ in range(2)]
    await order(sweater, hat)
    made = await api.ok(
        """
        mutation ($input: CartInput) {
          cartCreate(input: $input) {
            cart { lines { nodes { variant { product { recommendations(intent: BOUGHT_TOGETHER) { id } } } } } }
          }
        }
        """,
        {"input": {"lines": [{"variantId": sweater.variant_gid}]}},
    )
    product = made["cartCreate"]["cart"]["lines"]["nodes"][0]["variant"]["product"]
    assert product["recommendations"] == [{"id": hat.gid}]


@pytest.mark.parametrize("first", [-1, 25])
async def test_a_number_out_of_range_is_refused(api: Api, first: int) -> None:
    made = await catalogue.product()
    assert (await api.query(BOUGHT_TOGETHER, {"id": made.gid, "first": first})).codes == ["OUT_OF_RANGE"]


@pytest.mark.parametrize(
    "below",
    [
        "recommendations { name }",
        "variants { nodes { product { recommendations { name } } } }",
        "collections { nodes { products { nodes { ... on Product { recommendations { name } } } } } }",
        "... on Product { related: recommendations { name } }",
    ],
)
async def test_recommendations_of_recommendations_are_refused(api: Api, below: str) -> None:
    answer = await api.query(f"{{ products {{ nodes {{ recommendations {{ {below} }} }} }} }}")
    assert answer.codes == ["QUERY_TOO_COMPLEX"]
    assert answer.errors[0]["message"] == "Recommendations have no recommendations of their own."
    spread = "{ products { nodes { ...Shown } } } fragment Shown on Product { recommendations { id ...Shown } }"
    assert (await api.query(spread)).errors


async def test_a_query_cannot_ask_for_the_recommendations_of_thousands_of_products(api: Api) -> None:
    of_page = "products(first: %d) { nodes { recommendations(first: 1) { id } } }"
    answer = await api.query(f"{{ collections(first: 10) {{ nodes {{ {of_page % 100} }} }} }}")
    assert answer.codes == ["QUERY_TOO_COMPLEX"]
    await api.ok(f"{{ {of_page % 100} }}")
