"""How often the database is asked, however many lines there are; and that a cart's amounts always add up."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, markets
from tests.factories.catalogue import MadeProduct
from tests.factories.shop import shop

LINES = """lines { nodes { id quantity warnings { code } cost { unitPrice { amount } total { amount } }
    variant { id sku selectedOptions { name value } image { url } availableQuantity product { name } } } }"""
CART = f"{{ id totalQuantity cost {{ subtotal {{ amount }} total {{ amount }} }} {LINES} }}"
READ = f"query ($id: ID!) {{ cart(id: $id) {CART} }}"
BARE = "query ($id: ID!) { cart(id: $id) { totalQuantity lines { nodes { quantity cost { total { amount } } } } } }"
ANSWER = f"{{ cart {CART} userErrors {{ code field }} }}"
CREATE = f"mutation ($lines: [CartLineInput!]!) {{ cartCreate(input: {{lines: $lines}}) {ANSWER} }}"
ADD = f"mutation ($id: ID!, $lines: [CartLineInput!]!) {{ cartLinesAdd(cartId: $id, lines: $lines) {ANSWER} }}"
UPDATE = (
    f"mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{ cartLinesUpdate(cartId: $id, lines: $lines) {ANSWER} }}"
)


@pytest.fixture
async def products(api: Api) -> list[MadeProduct]:
    await shop()
    options = {"Size": [str(n) for n in range(50)]}
    return [await catalogue.product(options=options, images=["/one.webp"]) for _ in range(2)]


async def count(api: Api, document: str, **variables: Any) -> int:
    with db.counted_statements() as statements:
        await api.ok(document, variables)
    return len(statements)


@pytest.mark.parametrize("number", [1, 100])
async def test_statements_do_not_grow_with_the_cart(api: Api, products: list[MadeProduct], number: int) -> None:
    variants = [variant for product in products for variant in product.variant_gids][:number]
    lines = [{"variantId": variant} for variant in variants]
    assert await count(api, CREATE, lines=lines) == 3
    made = await carts.cart()
    assert await count(api, ADD, id=made.gid, lines=lines) == 3
    assert await count(api, READ, id=made.gid) == 2
    assert await count(api, BARE, id=made.gid) == 1
    cart = (await api.ok(READ, {"id": made.gid}))["cart"]
    update = [{"id": line["id"], "quantity": 2} for line in cart["lines"]["nodes"]]
    assert await count(api, UPDATE, id=made.gid, lines=update) == 3


PLAIN = "{ lines { nodes { variant { id name sku price { amount currencyCode } requiresShipping } } } }"


async def test_what_a_cart_knows_of_its_variants_is_not_read_again(api: Api) -> None:
    """And it says what the catalogue says; where the viewer's prices are other ones, those are read."""
    await shop(countries=("US", "DE"))
    pen = await catalogue.product(price_minor=1000)
    lines = [{"variantId": pen.variant_gid, "quantity": 20}]
    create = f"mutation ($lines: [CartLineInput!]!) {{ cartCreate(input: {{lines: $lines}}) {{ cart {PLAIN} }} }}"
    german = create.replace(") {", ") @inContext(country: DE) {", 1)
    variant = "query ($id: ID!) {{ node(id: $id) {{ ... on ProductVariant {{ {} }} }} }}"
    fields = PLAIN.split("variant {")[1].removesuffix(" } } } }")

    async def shown(document: str, asking: str) -> int:
        with db.counted_statements() as statements:
            made = await api.ok(document, {"lines": lines})
        (node,) = made["cartCreate"]["cart"]["lines"]["nodes"]
        assert node["variant"] == (await api.ok(asking, {"id": pen.variant_gid}))["node"]
        return len(statements)

    asked = variant.format(fields)
    assert await shown(create, asked) == 2
    list_id = await markets.price_list("EUR", rate="0.9")
    await markets.prices(list_id, pen.variant_id, {10: ("4.00", "EUR")})
    await markets.market("eu", ("DE",), list_id)
    in_germany = asked.replace(") {", ") @inContext(country: DE) {", 1)
    assert await shown(german, in_germany) == 3, "one unit costs more than one of twenty"


async def test_telling_of_a_known_cart_is_one_transaction_and_one_statement_more(
    api: Api, products: list[MadeProduct]
) -> None:
    """Its event and the line of its person's timeline; a cart of nobody pays for neither."""
    lines = [{"variantId": products[0].variant_gid}]
    known = await carts.cart(email="ada@example.com")
    with db.counted_statements() as statements:
        await api.ok(ADD, {"id": known.gid, "lines": lines})
    kinds = [statement.split()[0].rstrip(";") for statement in statements]
    assert [kind for kind in kinds if kind in {"BEGIN", "COMMIT"}] == ["BEGIN", "COMMIT"]
    assert len(statements) == 3 + 2 + 1


def sums(cart: dict[str, Any]) -> None:
    def amount(of: dict[str, Any], name: str) -> Decimal:
        return Decimal(of[name]["amount"])

    lines = cart["lines"]["nodes"]
    for line in lines:
        assert amount(line["cost"], "total") == amount(line["cost"], "unitPrice") * line["quantity"]
    assert cart["totalQuantity"] == sum(line["quantity"] for line in lines)
    assert amount(cart["cost"], "subtotal") == sum(amount(line["cost"], "total") for line in lines)
    assert amount(cart["cost"], "total") == amount(cart["cost"], "subtotal")


@pytest.mark.parametrize("seed", range(6))
async def test_totals_are_the_sums_of_their_lines(api: Api, seed: int) -> None:
    chance = Random(seed)
    await shop(currency=chance.choice(["USD", "JPY", "KWD"]))
    made = [
        await catalogue.product(
            price_minor=chance.choice([0, 1, 99, 10**12 + 7]) + chance.randrange(10_000), stock=None
        )
        for _ in range(chance.randint(1, 8))
    ]
    cart = await carts.cart(*((product.variant_id, chance.randint(1, 10_000)) for product in made))
    sums((await api.ok(READ, {"id": cart.gid}))["cart"])
