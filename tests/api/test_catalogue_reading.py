"""What storefronts read of the catalogue: exactly what they select, and nothing that is not theirs to see."""

import pytest

from app import db
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, inventory, shop, staff

LIST_PAGE = """
    query ($first: Int, $after: String) {
      products(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        edges {
          cursor
          node {
            id slug name description vendor tags availableForSale
            seo { title description }
            featuredImage { url altText }
            images(first: 2) { url altText width height }
            priceRange { min { amount currencyCode } max { amount } }
            compareAtPriceRange { min { amount } }
            options { name values }
            variants(first: 10) {
              nodes {
                id sku name price { amount currencyCode } compareAtPrice { amount } availableForSale availableQuantity
                selectedOptions { name value } image { url } product { slug }
              }
            }
            collections(first: 3) { nodes { name products(first: 2) { nodes { name } } } }
          }
        }
      }
    }
"""


async def test_a_list_page_is_one_statement_at_1_and_at_100_products(api: Api) -> None:
    await shop.shop()
    made = [
        await catalogue.product(options={"Size": ["S", "M"]}, images=["https://cdn.example/1.jpg"]) for _ in range(100)
    ]
    await catalogue.collection(products=made[:3])
    counts = []
    for first in (1, 100):
        with db.counted_statements() as statements:
            page = (await api.ok(LIST_PAGE, {"first": first}))["products"]
        assert len(page["edges"]) == first
        assert page["totalCount"] == 100
        assert [len(edge["node"]["variants"]["nodes"]) for edge in page["edges"]] == [2] * first
        counts.append(len(statements))
    assert counts == [1, 1]


async def test_a_product_shows_everything_that_was_selected(api: Api) -> None:
    await shop.shop(currency="EUR")
    made = await catalogue.product(
        name="Oxford shirt",
        slug="oxford-shirt",
        options={"Size": ["S", "M"], "Color": ["Navy"]},
        variants=[
            {"option_values": ["S", "Navy"], "price_minor": 4990, "sku": "OX-S", "compare_at_price_minor": 5990},
            {"option_values": ["M", "Navy"], "price_minor": 5190, "stock": 0},
        ],
        images=["/media/shirt.webp", "https://cdn.example/back.jpg"],
        vendor="Harbor",
        tags=["Cotton", "Men"],
        description="Crisp.",
    )
    await catalogue.collection(name="Shirts", slug="shirts", products=[made])
    await catalogue.collection(name="Secret", products=[made], is_published=False)

    found = await api.ok(
        """
        query ($id: ID!) {
          product(id: $id) {
            slug name status kind vendor tags description descriptionHtml availableForSale
            priceRange { min { amount currencyCode } max { amount } }
            compareAtPriceRange { min { amount } max { amount } }
            options { name values }
            one: images(first: 1) { url } all: images { url altText }
            variants {
              nodes {
                name price { amount } compareAtPrice { amount } availableForSale availableQuantity sku cost { amount }
                stockLevels { available } selectedOptions { name value } image { url }
              }
            }
            medium: variantBySelectedOptions(options: [{name: "Color", value: "Navy"}, {name: "Size", value: "M"}]) {
              name
            }
            incomplete: variantBySelectedOptions(options: [{name: "Size", value: "M"}]) { name }
            unknown: variantBySelectedOptions(options: [{name: "Size", value: "XL"}, {name: "Color", value: "Navy"}]) {
              name
            }
            collections { nodes { name } totalCount }
          }
        }
        """,
        {"id": made.gid},
    )

    images = [{"url": "http://testserver/media/shirt.webp"}, {"url": "https://cdn.example/back.jpg"}]
    assert found["product"] == {
        "slug": "oxford-shirt",
        "name": "Oxford shirt",
        "status": "ACTIVE",
        "kind": "PHYSICAL",
        "vendor": "Harbor",
        "tags": ["Cotton", "Men"],
        "description": "Crisp.",
        "descriptionHtml": "<p>Crisp.</p>",
        "availableForSale": True,
        "priceRange": {"min": {"amount": "49.90", "currencyCode": "EUR"}, "max": {"amount": "51.90"}},
        "compareAtPriceRange": {"min": {"amount": "59.90"}, "max": {"amount": "59.90"}},
        "options": [{"name": "Size", "values": ["S", "M"]}, {"name": "Color", "values": ["Navy"]}],
        "one": images[:1],
        "all": [{**images[0], "altText": "Oxford shirt 1"}, {**images[1], "altText": "Oxford shirt 2"}],
        "variants": {
            "nodes": [
                {
                    "name": "S / Navy",
                    "price": {"amount": "49.90"},
                    "compareAtPrice": {"amount": "59.90"},
                    "availableForSale": True,
                    "availableQuantity": 10,
                    "sku": "OX-S",
                    "cost": None,
                    "stockLevels": None,
                    "selectedOptions": [{"name": "Size", "value": "S"}, {"name": "Color", "value": "Navy"}],
                    "image": images[0],
                },
                {
                    "name": "M / Navy",
                    "price": {"amount": "51.90"},
                    "compareAtPrice": None,
                    "availableForSale": False,
                    "availableQuantity": 0,
                    "sku": None,
                    "cost": None,
                    "stockLevels": None,
                    "selectedOptions": [{"name": "Size", "value": "M"}, {"name": "Color", "value": "Navy"}],
                    "image": images[0],
                },
            ]
        },
        "medium": {"name": "M / Navy"},
        "incomplete": None,
        "unknown": None,
        "collections": {"nodes": [{"name": "Shirts"}], "totalCount": 1},
    }


async def test_aliases_and_fragments_each_get_their_own_page(api: Api) -> None:
    await shop.shop()
    await catalogue.product(slug="shirt", options={"Size": ["S", "M", "L"]})
    found = await api.ok(
        """
        query ($two: Int, $no: Boolean!) {
          product(slug: "shirt") {
            a: variants(first: 1) { nodes { name } }
            b: variants(first: $two) { nodes { ...names } }
            c: variants(first: 3) @include(if: $no) { nodes { name } }
            ... on Product { d: variants(last: 1) { nodes { price { amount } name } } }
          }
        }
        fragment names on ProductVariant { name sku }
        """,
        {"two": 2, "no": False},
    )
    assert found["product"] == {
        "a": {"nodes": [{"name": "S"}]},
        "b": {"nodes": [{"name": "S", "sku": None}, {"name": "M", "sku": None}]},
        "d": {"nodes": [{"price": {"amount": "19.99"}, "name": "L"}]},
    }


async def test_exact_stock_is_shown_up_to_the_shops_limit_and_to_staff(api: Api, staff_token: str) -> None:
    await shop.shop(available_quantity_limit=5)
    few, many = await catalogue.product(stock=3), await catalogue.product(stock=5)
    too_many, uncounted = await catalogue.product(stock=6), await catalogue.product(stock=None)
    beyond = await catalogue.product(stock=0, inventory_policy="CONTINUE")
    never = await catalogue.product(stock=None, track_inventory=True)
    elsewhere = await catalogue.product(stock=2)
    await inventory.stock(elsewhere.variant_id, 2, warehouse_id=await inventory.warehouse(code="EAST"))
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { availableForSale availableQuantity } } }"
    ids = {"ids": [made.variant_gid for made in (few, many, too_many, uncounted, beyond, elsewhere, never)]}

    async def stock(token: str | None) -> list[tuple[bool, int | None]]:
        nodes = (await api.ok(query, ids, token=token))["nodes"]
        return [(node["availableForSale"], node["availableQuantity"]) for node in nodes]

    assert await stock(None) == [(True, 3), (True, 5), (True, None), (True, None), (True, 0), (True, 4), (False, 0)]
    assert await stock(staff_token) == [(True, 3), (True, 5), (True, 6), (True, None), (True, 0), (True, 4), (False, 0)]
    curious = await staff.signed_in({Permission.ORDERS_READ})
    assert await stock(curious) == await stock(None)


EVERYWHERE = """
    query ($product: ID!, $variant: ID!, $slug: String!, $collection: ID!, $secret: ID!) {
      products { nodes { id } totalCount }
      product(id: $product) { id }
      bySlug: product(slug: $slug) { id }
      node(id: $product) { id }
      nodes(ids: [$product, $variant]) { id }
      collection(id: $collection) { products { nodes { id } totalCount } }
      secret: collection(id: $secret) { id }
      secretNode: node(id: $secret) { id }
      collections { totalCount }
    }
"""


@pytest.mark.parametrize("status", ["DRAFT", "ARCHIVED"])
async def test_what_is_not_on_sale_is_there_for_staff_who_may_read_products_and_for_nobody_else(
    api: Api, status: str
) -> None:
    await shop.shop()
    hidden = await catalogue.product(status=status)
    collection_id = await catalogue.collection(products=[hidden])
    secret_id = await catalogue.collection(is_published=False)
    variables = {
        "product": hidden.gid,
        "variant": hidden.variant_gid,
        "slug": hidden.slug,
        "collection": f"coll_{collection_id.hex}",
        "secret": f"coll_{secret_id.hex}",
    }
    nothing = {
        "products": {"nodes": [], "totalCount": 0},
        "product": None,
        "bySlug": None,
        "node": None,
        "nodes": [None, None],
        "collection": {"products": {"nodes": [], "totalCount": 0}},
        "secret": None,
        "secretNode": None,
        "collections": {"totalCount": 1},
    }
    assert await api.ok(EVERYWHERE, variables) == nothing
    assert await api.ok(EVERYWHERE, variables, token=await staff.signed_in({Permission.ORDERS_READ})) == nothing

    reader = await staff.signed_in({Permission.PRODUCTS_READ})
    found = await api.ok(EVERYWHERE, variables, token=reader)
    mine, its_variant, its_collection = {"id": hidden.gid}, {"id": hidden.variant_gid}, {"id": variables["secret"]}
    assert found == {
        "products": {"nodes": [mine], "totalCount": 1},
        "product": mine,
        "bySlug": mine,
        "node": mine,
        "nodes": [mine, its_variant],
        "collection": {"products": {"nodes": [mine], "totalCount": 1}},
        "secret": its_collection,
        "secretNode": its_collection,
        "collections": {"totalCount": 2},
    }


async def test_staff_see_costs_and_stock_by_warehouse(api: Api, staff_token: str) -> None:
    await shop.shop()
    made = await catalogue.product(cost_minor=700, stock=4)
    query = """
        query ($id: ID!) {
          node(id: $id) {
            ... on ProductVariant {
              cost { amount } stockLevels { available reserved onHand backordered warehouse { code isDefault } }
            }
          }
        }
    """
    await inventory.stock(made.variant_id, 4, reserved=2, backordered=1)
    found = await api.ok(query, {"id": made.variant_gid}, token=staff_token)
    level = {"available": 4, "reserved": 2, "onHand": 6, "backordered": 1}
    assert found["node"] == {
        "cost": {"amount": "7.00"},
        "stockLevels": [{**level, "warehouse": {"code": "MAIN", "isDefault": True}}],
    }
    assert (await api.ok(query, {"id": made.variant_gid}))["node"] == {"cost": None, "stockLevels": None}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("shirt", ["Blue Shirt", "Shirt 100%"]),
        ("SHIRT blue", ["Blue Shirt"]),
        ("100%", ["Shirt 100%"]),
        ("%", ["Shirt 100%"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("AB-1", ["Sofa"]),
        ("ab-1", []),
        ("sofa shirt", []),
        ("  ", ["Blue Shirt", "Shirt 100%", "snake_case", "back\\slash", "Sofa"]),
    ],
)
async def test_a_search_takes_words_of_the_name_or_an_sku(api: Api, words: str, expected: list[str]) -> None:
    await shop.shop()
    for name in ("Blue Shirt", "Shirt 100%", "snake_case", "back\\slash"):
        await catalogue.product(name=name)
    await catalogue.product(name="Sofa", sku="AB-1")
    await catalogue.product(name="Hidden shirt", status="DRAFT")
    query = "query ($query: String) { products(query: $query) { nodes { name } totalCount } }"
    found = (await api.ok(query, {"query": words}))["products"]
    assert [node["name"] for node in found["nodes"]] == expected
    assert found["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 101", "OUT_OF_RANGE"),
        ("first: -1", "OUT_OF_RANGE"),
        ("first: 1, last: 1", "INVALID"),
        ('after: "nonsense"', "INVALID"),
        ('query: "a\\u0000b"', "INVALID"),
    ],
)
async def test_arguments_that_make_no_sense_are_refused_with_a_code(api: Api, arguments: str, code: str) -> None:
    await shop.shop()
    result = await api.query(f"{{ products({arguments}) {{ nodes {{ id }} }} }}")
    assert result.codes == [code]


async def test_a_product_is_asked_for_by_its_id_or_its_slug(api: Api) -> None:
    await shop.shop()
    made = await catalogue.product()
    for arguments, code in [
        ("", "INVALID"),
        (f'(id: "{made.gid}", slug: "{made.slug}")', "INVALID"),
        (f'(id: "{made.variant_gid}")', "INVALID_ID"),
    ]:
        assert (await api.query(f"{{ product{arguments} {{ id }} }}")).codes == [code]
    assert (await api.ok('{ product(slug: "no-such") { id } collection(slug: "none") { id } }')) == {
        "product": None,
        "collection": None,
    }


async def test_only_totals_can_be_asked_for(api: Api) -> None:
    await shop.shop()
    await catalogue.product()
    found = await api.ok("{ products(first: 0) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }")
    assert found["products"] == {
        "totalCount": 1,
        "nodes": [],
        "pageInfo": {"hasNextPage": True, "endCursor": None},
    }
