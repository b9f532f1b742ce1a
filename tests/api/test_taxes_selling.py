"""What shoppers are charged: carts, checkouts and orders bear the taxes of docs/taxes.md."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

from app import db
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, shipping, shop, staff, taxes
from tests.factories import cart as carts
from tests.unit.tax.worked import EXAMPLES

pytestmark = pytest.mark.usefixtures("clean_database")

COST = """cost { subtotal { amount } shipping { amount } tax { amount } taxIncluded taxEstimated total { amount }
    taxLines { name amount { amount } reverseCharge } }"""
CART = f"query ($id: ID!) {{ cart(id: $id) {{ {COST} buyerIdentity {{ taxId taxIdStatus }} }} }}"
IDENTITY = f"""mutation ($id: ID!, $who: BuyerIdentityInput!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $who) {{
        cart {{ {COST} buyerIdentity {{ taxId taxIdStatus }} }} userErrors {{ code field }}
    }} }}"""
CHECKOUT = f"""mutation ($input: CheckoutCreateInput!) {{
    checkoutCreate(input: $input) {{ checkout {{ id {COST} }} userErrors {{ code field message }} }} }}"""
QUOTED = f"""mutation ($id: ID!, $input: CheckoutUpdateInput!) {{
    checkoutUpdate(checkoutId: $id, input: $input) {{ checkout {{ {COST} }} userErrors {{ code field message }} }} }}"""
COMPLETE = f"""mutation ($input: CheckoutCompleteInput!) {{ checkoutComplete(input: $input) {{
    order {{ id taxId reverseCharge {COST} }} orderToken userErrors {{ code field message }} }} }}"""

ADDRESSES = {
    "DE": {"address1": "Unter den Linden 1", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"},
    "FR": {"address1": "1 rue de Rivoli", "city": "Paris", "postalCode": "75001", "countryCode": "FR"},
    "CH": {"address1": "Bahnhofstrasse 1", "city": "Zürich", "postalCode": "8001", "countryCode": "CH"},
    "NY": {
        "address1": "350 5th Avenue", "city": "New York", "provinceCode": "NY", "postalCode": "10118",
        "countryCode": "US",
    },
    "CA": {
        "address1": "1 Market Street", "city": "San Francisco", "provinceCode": "CA", "postalCode": "94103",
        "countryCode": "US",
    },
}  # fmt: skip
FIGURES = {example.key: example for example in EXAMPLES}
FRENCH_BUSINESS = "FR 40 303 265 045"


def address(place: str) -> dict[str, str]:
    return {"lastName": "Lovelace", **ADDRESSES[place]}


async def german_shop(*, included: bool = True, **settings: object) -> None:
    await shop.shop(currency="EUR", countries=("DE", "FR", "CH"))
    await db.execute("UPDATE markets SET prices_include_tax = $1", included)
    await taxes.settings(home_country_code="DE", tax_id="DE136695976", **settings)
    await taxes.zone("DE", standard=[("VAT 19 %", "19")], reduced=[("VAT 7 %", "7")])
    await taxes.zone("FR", standard=[("VAT 20 %", "20")], reduced=[("VAT 5.5 %", "5.5")])
    await shipping.zone("DE", "FR", "CH", methods=[{"rate": {"kind": "FLAT", "price_minor": 600}}])


async def american_shop() -> None:
    await shop.shop()
    await taxes.zone(
        {"country": "US", "provinces": ["NY"]},
        standard=[("New York State", "4"), ("New York City", "4.5"), ("Metropolitan Commuter District", "0.375")],
    )
    await taxes.zone({"country": "US", "provinces": ["CA"]}, shipping="NOT_TAXED", standard=[("California", "7.25")])
    await shipping.zone("US")


async def bought(price_minor: int, quantity: int = 1, tax_class: str | None = None, **more: Any) -> tuple[Any, int]:
    made = await catalogue.product(price_minor=price_minor, **more)
    if tax_class:
        class_id = await taxes.tax_class(tax_class)
        await db.execute("UPDATE products SET tax_class_id = $1 WHERE id = $2", class_id, made.id)
    return made.variant_id, quantity


@dataclass
class Shown:
    """A cost as a storefront has it."""

    cost: dict[str, Any]

    @property
    def taxes(self) -> tuple[tuple[str, str], ...]:
        return tuple((line["name"], line["amount"]["amount"]) for line in self.cost["taxLines"])

    @property
    def total(self) -> str:
        amount: str = self.cost["total"]["amount"]
        return amount


async def checked_out(api: Api, cart: carts.MadeCart, place: str) -> tuple[Shown, dict[str, Any]]:
    """What the checkout shows, and the input that completes it."""
    there = address(place)
    destination = {name: there[name] for name in ("countryCode", "provinceCode", "postalCode", "city") if name in there}
    given = {"cartId": cart.gid, "email": "ada@example.com", "shippingAddress": there}
    made = (await api.ok(CHECKOUT, {"input": given}))["checkoutCreate"]["checkout"]
    chosen = {"shippingQuoteId": await checkout.quote_for(api, cart.gid, destination)}
    seen = (await api.ok(QUOTED, {"id": made["id"], "input": chosen}))["checkoutUpdate"]["checkout"]
    complete = {**given, **chosen, "idempotencyKey": checkout.new_key(), "payment": checkout.CARD}
    return Shown(seen["cost"]), complete


async def ordered(api: Api, given: dict[str, Any]) -> Shown:
    payload = (await api.ok(COMPLETE, {"input": given}))["checkoutComplete"]
    return Shown(payload["order"]["cost"])


async def test_rates_of_two_classes_and_shipping_in_proportion(api: Api) -> None:
    await german_shop()
    cart = await carts.cart(await bought(100_00), await bought(50_00, tax_class="reduced"))
    example = FIGURES["eu-mixed-shipping"]
    seen, given = await checked_out(api, cart, "DE")
    placed = await ordered(api, given)
    for shown in (seen, placed):
        assert (shown.taxes, shown.total) == (example.taxes, example.total)
        assert (shown.cost["taxIncluded"], shown.cost["taxEstimated"]) == (True, False)
    row = await db.fetchrow("SELECT total_minor, amount_due_minor, tax_minor, reverse_charge FROM orders")
    assert dict(row or {}) == {
        "total_minor": 156_00, "amount_due_minor": 156_00, "tax_minor": 20_01, "reverse_charge": False,
    }  # fmt: skip
    assert await db.fetchval("SELECT sum(amount_minor) FROM payments") == 156_00


@pytest.mark.parametrize(("place", "key"), [("NY", "us-new-york"), ("CA", "us-california")])
async def test_sales_tax_is_that_of_the_state(api: Api, place: str, key: str) -> None:
    await american_shop()
    cart = await carts.cart(await bought(24_99, 2))
    seen, given = await checked_out(api, cart, place)
    placed = await ordered(api, given)
    for shown in (seen, placed):
        assert (shown.taxes, shown.total) == (FIGURES[key].taxes, FIGURES[key].total)
        assert not shown.cost["taxIncluded"]


async def test_a_business_elsewhere_in_the_union_accounts_for_the_tax(api: Api) -> None:
    await german_shop()
    await db.execute('UPDATE shipping_methods SET rate = \'{"kind": "FLAT", "price_minor": 0}\'')
    cart = await carts.cart(await bought(119_00))
    identity = {"countryCode": "FR", "taxId": FRENCH_BUSINESS}
    changed = (await api.ok(IDENTITY, {"id": cart.gid, "who": identity}))["cartBuyerIdentityUpdate"]["cart"]
    assert changed["buyerIdentity"] == {"taxId": "FR40303265045", "taxIdStatus": "ACCEPTED"}
    example = FIGURES["eu-reverse-charge"]
    seen, given = await checked_out(api, cart, "FR")
    placed = await ordered(api, given)
    for shown in (Shown(changed["cost"]), seen, placed):
        assert (shown.taxes, shown.total) == (example.taxes, example.total)
        assert [line["reverseCharge"] for line in shown.cost["taxLines"]] == [True]
    row = await db.fetchrow("SELECT tax_id, reverse_charge, total_minor, tax_minor FROM orders")
    assert tuple((row or {}).values()) == ("FR40303265045", True, 100_00, 0)


async def test_the_order_says_who_accounts_for_the_tax(api: Api) -> None:
    await german_shop()
    who = {"countryCode": "FR", "taxId": FRENCH_BUSINESS}
    for identity, expected in ((who, ("FR40303265045", True)), ({"countryCode": "FR"}, (None, False))):
        cart = await carts.cart(await bought(119_00))
        await api.ok(IDENTITY, {"id": cart.gid, "who": identity})
        _, given = await checked_out(api, cart, "FR")
        order = (await api.ok(COMPLETE, {"input": given}))["checkoutComplete"]["order"]
        assert (order["taxId"], order["reverseCharge"]) == expected


async def test_a_number_and_its_worth_survive_a_merge(api: Api) -> None:
    await german_shop()
    into, other = await carts.cart(), await carts.cart(await bought(119_00))
    await api.ok(IDENTITY, {"id": other.gid, "who": {"countryCode": "FR", "taxId": FRENCH_BUSINESS}})
    merge = f"""mutation ($id: ID!, $into: ID!) {{ cartMerge(cartId: $id, intoCartId: $into) {{
        cart {{ {COST} buyerIdentity {{ taxId taxIdStatus }} }} userErrors {{ code message }} }} }}"""
    merged = (await api.ok(merge, {"id": other.gid, "into": into.gid}))["cartMerge"]["cart"]
    assert merged["buyerIdentity"] == {"taxId": "FR40303265045", "taxIdStatus": "ACCEPTED"}
    assert Shown(merged["cost"]).total == "100.00"


async def test_the_same_price_at_every_rate_and_less_of_it_where_no_tax_is_due(api: Api) -> None:
    await german_shop()
    await db.execute('UPDATE shipping_methods SET rate = \'{"kind": "FLAT", "price_minor": 0}\'')
    for place, key in (("FR", "eu-gross-stays"), ("CH", "eu-export")):
        cart = await carts.cart(await bought(119_00))
        shown, _ = await checked_out(api, cart, place)
        assert (shown.taxes, shown.total) == (FIGURES[key].taxes, FIGURES[key].total)
    await db.execute("UPDATE tax_settings SET gross_price_stays = false")
    shown, _ = await checked_out(api, await carts.cart(await bought(119_00)), "FR")
    assert (shown.taxes, shown.total) == (FIGURES["eu-net-stays"].taxes, FIGURES["eu-net-stays"].total)


async def test_a_cart_estimates_by_what_it_knows(api: Api) -> None:
    """Nothing on top while nobody knows where it goes; the home country's inside the prices."""
    await american_shop()
    await taxes.zone("US", standard=[("Country", "1")])
    nowhere = await carts.cart(await bought(100_00))
    shown = Shown((await api.ok(CART, {"id": nowhere.gid}))["cart"]["cost"])
    assert (shown.taxes, shown.total, shown.cost["taxEstimated"]) == ((), "100.00", True)
    somewhere = await carts.cart(await bought(100_00), country_code="US")
    shown = Shown((await api.ok(CART, {"id": somewhere.gid}))["cart"]["cost"])
    assert (shown.taxes, shown.total, shown.cost["taxEstimated"]) == ((("Country", "1.00"),), "101.00", True)
    await db.execute("UPDATE markets SET prices_include_tax = true")
    await taxes.settings(home_country_code="US")
    shown = Shown((await api.ok(CART, {"id": nowhere.gid}))["cart"]["cost"])
    assert (shown.taxes, shown.total) == ((("Country", "0.99"),), "100.00")


async def test_changed_rates_are_charged_at_once_and_never_a_total_that_nobody_saw(api: Api) -> None:
    await american_shop()
    cart = await carts.cart(await bought(100_00))
    seen, given = await checked_out(api, cart, "CA")
    await db.execute("UPDATE tax_rates SET percentage = 10 WHERE name = 'California'")
    expected = {"amount": seen.total, "currencyCode": "USD"}
    (error,) = await api.refused(COMPLETE, {"input": {**given, "expectedTotal": expected}})
    assert error["code"] == "TOTAL_CHANGED"
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    placed = await ordered(api, {**given, "idempotencyKey": checkout.new_key()})
    assert placed.taxes == (("California", "10.00"),)


async def test_who_is_exempt_pays_nothing_as_long_as_the_certificate_holds(api: Api) -> None:
    await american_shop()
    ada = await accounts.signed_in("ada@shopper.example")
    made = await catalogue.product(price_minor=24_99)
    create = f"mutation ($input: CartInput!) {{ cartCreate(input: $input) {{ cart {{ id {COST} }} }} }}"
    identity = {"countryCode": "US"}
    await taxes.zone("US", standard=[("Country", "1")])
    given = {"lines": [{"variantId": made.variant_gid, "quantity": 2}], "buyerIdentity": identity}

    async def total() -> tuple[tuple[tuple[str, str], ...], str]:
        answer = await api.ok(create, {"input": given}, token=ada.token)
        shown = Shown(answer["cartCreate"]["cart"]["cost"])
        again = Shown((await api.ok(CART, {"id": answer["cartCreate"]["cart"]["id"]}, token=ada.token))["cart"]["cost"])
        assert (shown.taxes, shown.total) == (again.taxes, again.total)
        return shown.taxes, shown.total

    assert await total() == ((("Country", "0.50"),), "50.48")
    today = dt.datetime.now(dt.UTC).date()
    exemption = await taxes.exemption(ada.id, country_code="US", valid_until=today)
    assert await total() == ((("Tax exempt, certificate ST-120 88", "0.00"),), "49.98")
    await db.execute("UPDATE tax_exemptions SET valid_until = $1", today - dt.timedelta(days=2))
    assert await total() == ((("Country", "0.50"),), "50.48")
    await db.execute("UPDATE tax_exemptions SET valid_until = NULL, country_code = 'CA' WHERE id = $1", exemption)
    assert await total() == ((("Country", "0.50"),), "50.48")


async def test_what_is_not_taxable_bears_none(api: Api) -> None:
    await american_shop()
    await taxes.zone("US", standard=[("Country", "10")])
    untaxed = await bought(10_00, taxable=False)
    cart = await carts.cart(untaxed, await bought(10_00), country_code="US")
    shown = Shown((await api.ok(CART, {"id": cart.gid}))["cart"]["cost"])
    assert (shown.taxes, shown.total) == ((("Country", "1.00"),), "21.00")


async def test_what_is_not_shipped_is_taxed_where_the_buyer_is_billed(api: Api) -> None:
    await german_shop()
    cart = await carts.cart(await bought(119_00, kind="DIGITAL", requires_shipping=False), country_code="DE")
    given = {
        "cartId": cart.gid, "email": "ada@example.com", "billingAddress": address("FR"), "payment": checkout.CARD,
        "idempotencyKey": checkout.new_key(),
    }  # fmt: skip
    placed = await ordered(api, given)
    assert placed.taxes == (("VAT 20 %", "19.83"),)


async def test_a_shop_without_taxes_asks_for_none_and_pays_no_statement(api: Api) -> None:
    await shop.shop()
    cart = await carts.cart(await bought(10_00), country_code="US")
    await api.ok(CART, {"id": cart.gid})
    with db.counted_statements() as statements:
        shown = Shown((await api.ok(CART, {"id": cart.gid}))["cart"]["cost"])
    assert len(statements) == 1
    assert (shown.taxes, shown.cost["taxEstimated"], shown.total) == ((), False, "10.00")


async def test_a_shop_with_taxes_pays_no_statement_either(api: Api) -> None:
    await german_shop()
    cart = await carts.cart(await bought(10_00), country_code="DE")
    await api.ok(CART, {"id": cart.gid})
    with db.counted_statements() as statements:
        await api.ok(CART, {"id": cart.gid})
    assert len(statements) == 1


async def test_an_unverified_form_is_refused_and_nothing_changes(api: Api) -> None:
    await german_shop()
    cart = await carts.cart(await bought(10_00), country_code="DE")
    before = await db.fetchrow("SELECT * FROM carts")
    for wrong in ("DE136695977", "nonsense", "", "9" * 100):
        who = {"email": "ada@example.com", "taxId": wrong}
        assert await api.refused(IDENTITY, {"id": cart.gid, "who": who}) == [
            {"code": "INVALID_TAX_ID", "field": ["buyerIdentity", "taxId"]}
        ]
    create = "mutation ($input: CartInput!) { cartCreate(input: $input) { cart { id } userErrors { code field } } }"
    assert await api.refused(create, {"input": {"buyerIdentity": {"taxId": "DE1"}}}) == [
        {"code": "INVALID_TAX_ID", "field": ["input", "buyerIdentity", "taxId"]}
    ]
    assert dict(before or {}) == dict(await db.fetchrow("SELECT * FROM carts") or {})


async def test_staff_change_rates_and_the_next_cart_has_them(api: Api) -> None:
    await american_shop()
    token = await staff.owner()
    cart = await carts.cart(await bought(100_00), country_code="US")
    assert Shown((await api.ok(CART, {"id": cart.gid}))["cart"]["cost"]).taxes == ()
    class_id = (await api.ok("query { taxClasses { id code } }", token=token))["taxClasses"][0]["id"]
    rate = {"taxClassId": class_id, "name": "Federal", "percentage": "3"}
    zone = {"name": "US", "locations": [{"country": "US"}], "rates": [rate]}
    await api.ok(
        "mutation ($input: TaxZoneInput!) { taxZoneCreate(input: $input) { userErrors { code } } }",
        {"input": zone},
        token=token,
    )
    assert Shown((await api.ok(CART, {"id": cart.gid}))["cart"]["cost"]).taxes == (("Federal", "3.00"),)
