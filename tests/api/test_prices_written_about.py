"""Prices in messages are those of whoever reads them: of their market, of their account's groups, of their company."""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.messaging import merge_values
from app.messaging.merge_values import Subject
from app.messaging.models import MessageChannel
from app.settings import Settings
from tests.client import Api
from tests.factories import accounts, catalogue, companies, customers, markets, shop
from tests.factories import cart as carts
from tests.factories.accounts import Account
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]
DROP = "mutation ($i: ProductAlertInput!) { priceDropSubscribe(input: $i) { alertId userErrors { code } } }"
CHOOSE = "mutation ($c: ID!, $k: ID) { cartCompanyUpdate(cartId: $c, companyId: $k) { userErrors { code } } }"


@pytest.fixture
async def pen(api: Api) -> MadeProduct:
    await shop.shop()
    return await catalogue.product(name="Pen", price_minor=10_00)


async def written(
    profile_id: uuid.UUID, settings: Settings, *uses: str, cart_id: uuid.UUID | None = None, **context: Any
) -> dict[str, Any]:
    """As a message about this prints it."""
    subject = Subject(profile_id, MessageChannel.EMAIL, "ada@example.com", context, cart_id=cart_id)
    return await merge_values.build(subject, trigger=None, language="en", uses=frozenset(uses), settings=settings)


async def price(profile_id: uuid.UUID, product: MadeProduct, settings: Settings, **about: Any) -> str | None:
    values = await written(profile_id, settings, "product.price", productId=str(product.id), **about)
    return values["product"]["price"] if "product" in values else None


async def german(amount: str | None = None, pen: MadeProduct | None = None) -> uuid.UUID:
    euros = await markets.price_list("EUR", rate="0.9")
    if pen and amount:
        await markets.prices(euros, pen.variant_id, {1: (amount, "EUR")})
    return await markets.market("eu", ("DE",), euros)


async def profile_of(account: Account) -> uuid.UUID:
    found: uuid.UUID = await db.fetchval("SELECT profile_id FROM customers WHERE id = $1", account.id)
    return found


async def in_group(account: Account, product: MadeProduct, amount: str) -> uuid.UUID:
    """A list that the account buys by."""
    list_id = await companies.prices(product.variant_id, amount)
    await markets.group([list_id], [account.id])
    return list_id


async def test_the_market_is_where_the_reader_last_shopped_or_else_lives(pen: MadeProduct, settings: Settings) -> None:
    ada = await customers.profile(email="ada@example.com")
    assert await price(ada, pen, settings) == "$10.00"
    market = await german("7.50", pen)
    assert await price(ada, pen, settings) == "$10.00"
    await db.execute("UPDATE profiles SET country_code = 'DE' WHERE id = $1", ada)
    assert await price(ada, pen, settings) == "€7.50"
    # The last cart says more than a country, the cart that it is about more than the last one, the trigger most.
    home = await db.fetchval("SELECT id FROM markets WHERE is_default")
    first, last = await carts.cart((pen.variant_id, 1)), await carts.cart((pen.variant_id, 1))
    marked = (
        "UPDATE carts SET profile_id = $2, market_id = $3, updated_at = now() - $4 * interval '1 hour' WHERE id = $1"
    )
    await db.execute(marked, first.id, ada, market, 2)
    await db.execute(marked, last.id, ada, home, 1)
    assert await price(ada, pen, settings) == "$10.00"
    assert await price(ada, pen, settings, cart_id=first.id) == "€7.50"
    assert await price(ada, pen, settings, cart_id=last.id, marketId=str(market)) == "€7.50"
    # An order since then is where they last shopped.
    await customers.past_order(ada, (pen.variant_id, 1), market_id=market)
    assert await price(ada, pen, settings) == "€7.50"


async def test_the_reader_s_group_has_its_price(pen: MadeProduct, settings: Settings) -> None:
    buyer = await accounts.signed_in("ada@example.com")
    await in_group(buyer, pen, "8.00")
    ada, bob = await profile_of(buyer), await customers.profile(email="bob@example.com")
    assert (await price(ada, pen, settings), await price(bob, pen, settings)) == ("$8.00", "$10.00")
    await customers.viewed(ada, pen.id)
    blocks = (await written(ada, settings, "blocks.viewed"))["blocks"]
    assert [one["price"] for one in blocks["viewed"]] == ["$8.00"]


async def test_what_the_reader_s_market_hides_is_not_written_about(pen: MadeProduct, settings: Settings) -> None:
    market = await german()
    ada = await customers.profile(email="ada@example.com")
    await db.execute("UPDATE profiles SET country_code = 'DE' WHERE id = $1", ada)
    others = [await catalogue.product(name=name, price_minor=10_00) for name in ("Ink", "Nib")]
    for one in (pen, *others):
        await customers.viewed(ada, one.id)
    await db.execute("INSERT INTO market_hidden_products (market_id, product_id) VALUES ($1, $2)", market, pen.id)
    assert await price(ada, pen, settings) is None
    blocks = (await written(ada, settings, "blocks.viewed", "blocks.recommended"))["blocks"]
    assert {one["name"] for one in blocks["viewed"]} == {"Ink", "Nib"}
    assert "Pen" not in {one["name"] for one in blocks["recommended"]}


async def test_all_blocks_cost_one_statement_for_prices_and_one_for_the_reader(
    pen: MadeProduct, settings: Settings
) -> None:
    ada = await customers.profile(email="ada@example.com")
    for name in ("Ink", "Nib", "Cap"):
        await customers.viewed(ada, (await catalogue.product(name=name)).id)
    uses = ("blocks.viewed", "blocks.recommended", "blocks.bought_together")
    with db.counted_statements() as at_home:
        await written(ada, settings, *uses)
    await german()
    await written(ada, settings, *uses)
    with db.counted_statements() as abroad:
        shown = await written(ada, settings, *uses)
    assert sum(map(len, shown["blocks"].values())) >= 4
    assert sum("AS compare_at_minor" in statement for statement in abroad) == 1
    assert len(abroad) == len(at_home) + 1


async def drops(api: Api, drain: Drain, settings: Settings) -> list[tuple[int, int, str]]:
    """Of each alert that was told: the old and the new price, and what the mail says."""
    await drain()
    told = []
    rows = await db.fetch(
        "SELECT profile_id, product_id, data FROM profile_events WHERE type = 'alert.price_drop' ORDER BY id"
    )
    for row in rows:
        facts = {**json.loads(row["data"]), "productId": str(row["product_id"])}
        values = await written(row["profile_id"], settings, "alert.new_price", "product.price", **facts)
        assert values["alert"]["new_price"] == values["product"]["price"]
        told.append((facts["oldPriceMinor"], facts["newPriceMinor"], values["alert"]["new_price"]))
    return told


async def test_an_alert_is_about_the_price_of_the_group(
    api: Api, drain: Drain, pen: MadeProduct, settings: Settings
) -> None:
    buyer = await accounts.signed_in("ada@example.com")
    list_id = await in_group(buyer, pen, "8.00")
    for email in ("ada@example.com", "bob@example.com"):
        await api.ok(DROP, {"i": {"variantId": pen.variant_gid, "email": email}})
    assert await drops(api, drain, settings) == []
    # Less for everybody is no less for the group.
    await db.execute("UPDATE product_variants SET price_minor = 900 WHERE id = $1", pen.variant_id)
    await markets.prices(list_id, pen.variant_id, {1: ("8.00", "USD")})
    assert await drops(api, drain, settings) == [(10_00, 9_00, "$9.00")]
    await markets.prices(list_id, pen.variant_id, {1: ("7.00", "USD")})
    assert (await drops(api, drain, settings))[1:] == [(8_00, 7_00, "$7.00")]


async def test_who_comes_into_a_group_is_told_of_its_lower_price(
    api: Api, drain: Drain, pen: MadeProduct, settings: Settings
) -> None:
    buyer = await accounts.signed_in("ada@example.com")
    await api.ok(DROP, {"i": {"variantId": pen.variant_gid, "email": "ada@example.com"}})
    assert await drops(api, drain, settings) == []
    await in_group(buyer, pen, "8.00")
    assert await drops(api, drain, settings) == [(10_00, 8_00, "$8.00")]


async def test_an_alert_out_of_a_companys_cart_is_about_the_companys_price(
    api: Api, drain: Drain, pen: MadeProduct, settings: Settings
) -> None:
    list_id = await companies.prices(pen.variant_id, "6.00")
    company_id = await companies.company(price_list_id=list_id)
    buyer = await accounts.signed_in("ada@example.com")
    member_id = await companies.member(company_id, buyer.id)
    cart = await carts.cart((pen.variant_id, 1))
    await api.ok(CHOOSE, {"c": cart.gid, "k": ids.encode("comp", company_id)}, token=buyer.token)
    await db.execute("UPDATE carts SET profile_id = $2 WHERE id = $1", cart.id, await profile_of(buyer))
    await api.ok(DROP, {"i": {"variantId": pen.variant_gid, "cartId": cart.gid}})
    await markets.prices(list_id, pen.variant_id, {1: ("5.00", "USD")})
    assert await drops(api, drain, settings) == [(6_00, 5_00, "$5.00")]
    # Who left it since is told of nothing that the company pays.
    await api.ok(DROP, {"i": {"variantId": pen.variant_gid, "cartId": cart.gid}})
    await db.execute("DELETE FROM company_members WHERE id = $1", member_id)
    await markets.prices(list_id, pen.variant_id, {1: ("4.00", "USD")})
    await drain()
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'alert.price_drop'") == 1
    assert await db.fetchval("SELECT count(*) FROM product_alerts WHERE triggered_at IS NULL") == 1
