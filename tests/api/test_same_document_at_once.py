"""One document, sent by many people at once: each is answered what is theirs, whatever is kept of the document."""

import asyncio
import random
from typing import Any

from tests.api.account_operations import sign_up
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, markets
from tests.factories.shop import shop

DOCUMENT = """query ($id: ID!, $slug: String!, $cart: ID!, $country: CountryCode, $first: Int!, $short: Boolean = false)
@inContext(country: $country) {
    me { email }
    product(id: $id) {
        name @skip(if: $short)
        variants(first: $first) { nodes { price { amount currencyCode } } }
    }
    again: product(slug: $slug) { priceRange { min { currencyCode } } }
    cart(id: $cart) { id lines { nodes { quantity variant { id price { amount currencyCode } } } } }
}"""
FOUND = "query ($id: ID!) { product(id: $id) { slug } }"


async def test_everybody_is_answered_what_is_theirs(api: Api) -> None:
    await shop(countries=("US", "DE", "FR"))
    await markets.market("de", ("DE",), await markets.price_list("EUR", rate="0.5"))
    sizes = {"Size": ["S", "M"]}
    products = [await catalogue.product(name=f"Lamp {n}", price_minor=1000 * n, options=sizes) for n in (1, 2, 3)]
    slugs = [(await api.ok(FOUND, {"id": made.gid}))["product"]["slug"] for made in products]
    tokens = [None, *[(await sign_up(api, email=f"p{n}@example.com"))["accessToken"] for n in (1, 2)]]
    made = [await carts.cart((products[n].variant_id, n + 1), country_code="US") for n in range(3)]
    generator = random.Random(20261122)

    async def ask(who: int, which: int, country: str | None, first: int, short: bool | None) -> None:
        asked = products[which]
        variables: dict[str, Any] = {"id": asked.gid, "slug": slugs[which], "cart": made[which].gid, "first": first}
        variables |= {} if country is None else {"country": country}
        variables |= {} if short is None else {"short": short}
        answer = await api.ok(DOCUMENT, variables, token=tokens[who])
        assert (answer["me"] or {}).get("email") == (f"p{who}@example.com" if who else None)
        currency, unit = ("EUR", 5) if country == "DE" else ("USD", 10)
        assert ("name" in answer["product"]) is not bool(short)
        assert len(answer["product"]["variants"]["nodes"]) == first
        shown = answer["product"]["variants"]["nodes"][0]["price"]
        assert (shown["amount"], shown["currencyCode"]) == (f"{unit * (which + 1)}.00", currency)
        assert answer["again"]["priceRange"]["min"]["currencyCode"] == currency
        assert answer["cart"]["id"] == made[which].gid
        (line,) = answer["cart"]["lines"]["nodes"]
        assert (line["quantity"], line["variant"]["id"]) == (which + 1, asked.variant_gid)
        assert line["variant"]["price"] == shown

    for _ in range(3):
        await asyncio.gather(
            *(
                ask(
                    generator.randrange(3),
                    generator.randrange(3),
                    generator.choice((None, "US", "DE", "FR")),
                    generator.choice((1, 2)),
                    generator.choice((None, True, False)),
                )
                for _ in range(20)
            )
        )
