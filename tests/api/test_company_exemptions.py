"""Companies that pay no tax: by their certificate, in whatever their members buy for them, and in nothing else."""

from typing import Any

import pytest

from app import db
from app.kit import ids
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies, staff, taxes
from tests.factories.accounts import Account

CREATE = """mutation ($input: TaxExemptionInput!) { taxExemptionCreate(input: $input) {
    taxExemption { id customerId companyId certificateNumber } userErrors { code field }
} }"""
CHOOSE = """mutation ($cart: ID!, $company: ID) { cartCompanyUpdate(cartId: $cart, companyId: $company) {
    cart { cost { total { amount } taxLines { name } } } userErrors { code }
} }"""
LIST = "query ($company: ID) { taxExemptions(companyId: $company) { nodes { certificateNumber } totalCount } }"
EXEMPT = "Tax exempt, certificate ST-120 88"


@pytest.fixture
async def token(api: Api) -> str:
    await checkout.shop_that_ships()
    await taxes.zone("US", standard=[("Country", "10")])
    return await staff.signed_in({Permission.TAXES_WRITE})


async def note(api: Api, token: str, **given: Any) -> dict[str, Any]:
    result = await api.query(CREATE, {"input": {"certificateNumber": "ST-120 88", **given}}, token=token)
    assert result.data, result.errors
    payload: dict[str, Any] = result.data["taxExemptionCreate"]
    return payload


async def a_buyer(company_id: Any) -> Account:
    buyer = await accounts.signed_in()
    await companies.member(company_id, buyer.id)
    return buyer


async def chosen(api: Api, cart: str, company: str | None, buyer: Account) -> tuple[str, list[str]]:
    """The cart's total, and its taxes by name."""
    answer = await api.ok(CHOOSE, {"cart": cart, "company": company}, token=buyer.token)
    cost = answer["cartCompanyUpdate"]["cart"]["cost"]
    return cost["total"]["amount"], [line["name"] for line in cost["taxLines"]]


async def test_what_is_bought_for_it_bears_no_tax(api: Api, token: str) -> None:
    company_id = await companies.company()
    buyer, company = await a_buyer(company_id), ids.encode("comp", company_id)
    given = await checkout.ready_input(api, (await catalogue.product(price_minor=10_00, stock=9), 1))
    await db.execute("UPDATE carts SET country_code = 'US'")
    assert await chosen(api, given["cartId"], company, buyer) == ("11.00", ["Country"])
    noted = await note(api, token, companyId=company)
    assert noted["userErrors"] == []
    assert (noted["taxExemption"]["companyId"], noted["taxExemption"]["customerId"]) == (company, None)
    assert await chosen(api, given["cartId"], company, buyer) == ("10.00", [EXEMPT])
    # Whoever buys it for themselves pays.
    assert await chosen(api, given["cartId"], None, buyer) == ("11.00", ["Country"])
    await chosen(api, given["cartId"], company, buyer)
    placed = await checkout.complete(api, given, token=buyer.token)
    assert placed["userErrors"] == []
    order = await db.fetchrow("SELECT tax_minor, tax_lines ->> 0 LIKE '%ST-120 88%' AS named FROM orders")
    assert order is not None
    assert (order["tax_minor"], order["named"]) == (0, True)
    listed = (await api.ok(LIST, {"company": company}, token=token))["taxExemptions"]
    assert listed == {"nodes": [{"certificateNumber": "ST-120 88"}], "totalCount": 1}
    none = await api.ok(LIST, {"company": ids.encode("comp", await companies.company())}, token=token)
    assert none["taxExemptions"]["totalCount"] == 0


async def test_a_members_own_exemption_is_not_the_companys(api: Api, token: str) -> None:
    company_id = await companies.company()
    buyer, company = await a_buyer(company_id), ids.encode("comp", company_id)
    assert (await note(api, token, customerId=ids.encode("cus", buyer.id)))["userErrors"] == []
    given = await checkout.ready_input(api, (await catalogue.product(price_minor=10_00, stock=9), 1))
    await db.execute("UPDATE carts SET country_code = 'US', customer_id = $1", buyer.id)
    assert await chosen(api, given["cartId"], None, buyer) == ("10.00", [EXEMPT])
    assert await chosen(api, given["cartId"], company, buyer) == ("11.00", ["Country"])


async def test_an_exemption_is_of_one_of_the_two(api: Api, token: str) -> None:
    customer, company = (
        ids.encode("cus", (await accounts.signed_in()).id),
        ids.encode("comp", await companies.company()),
    )
    for given, code, field in (
        ({}, "INVALID", ["input"]),
        ({"customerId": customer, "companyId": company}, "INVALID", ["input"]),
        ({"companyId": ids.encode("comp", new_id())}, "NOT_FOUND", ["input", "companyId"]),
        ({"companyId": customer}, "INVALID_ID", ["input", "companyId"]),
    ):
        refused = await note(api, token, **given)
        assert refused["userErrors"] == [{"code": code, "field": field}]
    assert await db.fetchval("SELECT count(*) FROM tax_exemptions") == 0
