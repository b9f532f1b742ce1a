"""Staff keep zones, classes, settings and exemptions of tax."""

from typing import Any

import pytest

from app import db
from app.kit import ids
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, shop, staff, taxes

pytestmark = pytest.mark.usefixtures("clean_database")

ZONE = """
    mutation ($input: TaxZoneInput!) { taxZoneCreate(input: $input) {
        taxZone { id name locations { country provinces postalCodes } shipping position
                  rates { taxClass { code } name percentage compound code } }
        userErrors { code field message }
    } }
"""
UPDATE = """
    mutation ($id: ID!, $input: TaxZoneInput!) { taxZoneUpdate(id: $id, input: $input) {
        taxZone { name shipping rates { name percentage } locations { country } }
        userErrors { code field }
    } }
"""
CLASS = """
    mutation ($input: TaxClassInput!) { taxClassCreate(input: $input) {
        taxClass { id name code isDefault } userErrors { code field }
    } }
"""
CLASS_UPDATE = """
    mutation ($id: ID!, $input: TaxClassInput!) { taxClassUpdate(id: $id, input: $input) {
        taxClass { code isDefault } userErrors { code field }
    } }
"""
CLASS_DELETE = """
    mutation ($id: ID!) { taxClassDelete(id: $id) { deletedId userErrors { code field } } }
"""
SETTINGS = """
    mutation ($input: TaxSettingsInput!) { taxSettingsUpdate(input: $input) {
        taxSettings {
            homeCountryCode taxId grossPriceStays untaxedPriceStays shipping
            shippingClass { code } giftWrapClass { code } taxIdCheck taxIdFallback
            engine { name configuration timeoutMs fallback }
        }
        userErrors { code field }
    } }
"""
EXEMPTION = """
    mutation ($input: TaxExemptionInput!) { taxExemptionCreate(input: $input) {
        taxExemption { id customerId countryCode provinceCode certificateNumber validUntil }
        userErrors { code field }
    } }
"""
TABLES = ("tax_classes", "tax_zones", "tax_rates", "tax_settings", "tax_exemptions")


@pytest.fixture
async def token() -> str:
    return await staff.signed_in({Permission.TAXES_WRITE})


async def everything() -> dict[str, list[dict[str, Any]]]:
    return {table: [dict(row) for row in await db.fetch(f"SELECT * FROM {table} ORDER BY id")] for table in TABLES}


async def told(api: Api, document: str, variables: dict[str, Any] | None = None, *, token: str) -> dict[str, Any]:
    """The data, refusals included."""
    answer = await api.query(document, variables, token=token)
    assert not answer.errors, answer.errors
    assert answer.data is not None
    return answer.data


def codes(errors: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["field"] or [])) for error in errors]


async def test_a_zone_has_places_and_the_rates_of_classes_in_their_order(api: Api, token: str) -> None:
    standard, books = await taxes.tax_class(), await taxes.tax_class("books")
    rates = [
        {"taxClassId": ids.encode("tclass", standard), "name": "GST", "percentage": "5", "code": "1234"},
        {"taxClassId": ids.encode("tclass", standard), "name": "QST", "percentage": "9.975", "compound": True},
        {"taxClassId": ids.encode("tclass", books), "name": "GST", "percentage": "5"},
    ]
    places = [{"country": "ca", "provinces": ["Quebec"], "postalCodes": ["H*"]}]
    made = await told(api, ZONE, {"input": {"name": "Montréal", "locations": places, "rates": rates}}, token=token)
    payload = made["taxZoneCreate"]
    assert payload["userErrors"] == []
    assert payload["taxZone"] == {
        "id": payload["taxZone"]["id"],
        "name": "Montréal",
        "locations": [{"country": "CA", "provinces": ["QC"], "postalCodes": ["H*"]}],
        "shipping": None,
        "position": 0,
        "rates": [
            {"taxClass": {"code": "standard"}, "name": "GST", "percentage": "5", "compound": False, "code": "1234"},
            {"taxClass": {"code": "standard"}, "name": "QST", "percentage": "9.975", "compound": True, "code": None},
            {"taxClass": {"code": "books"}, "name": "GST", "percentage": "5", "compound": False, "code": None},
        ],
    }
    zone_id = payload["taxZone"]["id"]
    change = {"shipping": "NOT_TAXED", "rates": rates[:1]}
    changed = (await told(api, UPDATE, {"id": zone_id, "input": change}, token=token))["taxZoneUpdate"]
    assert changed["taxZone"]["rates"] == [{"name": "GST", "percentage": "5"}]
    assert (changed["taxZone"]["shipping"], changed["taxZone"]["name"]) == ("NOT_TAXED", "Montréal")
    again = (await told(api, UPDATE, {"id": zone_id, "input": {"shipping": None}}, token=token))["taxZoneUpdate"]
    assert (again["taxZone"]["shipping"], len(again["taxZone"]["rates"])) == (None, 1)
    gone = "mutation ($id: ID!) { taxZoneDelete(id: $id) { deletedId userErrors { code field } } }"
    assert (await told(api, gone, {"id": zone_id}, token=token))["taxZoneDelete"]["deletedId"] == zone_id
    assert await db.fetchval("SELECT count(*) FROM tax_rates") == 0
    answer = (await told(api, gone, {"id": zone_id}, token=token))["taxZoneDelete"]
    assert codes(answer["userErrors"]) == [("NOT_FOUND", "id")]


async def test_a_wrong_zone_changes_nothing_and_says_all_that_is_wrong(api: Api, token: str) -> None:
    zone_id = ids.encode("tzone", await taxes.zone("DE", name="Germany", standard="19"))
    class_id = ids.encode("tclass", await taxes.tax_class())
    before = await everything()
    rates = [
        {"taxClassId": class_id, "name": " ", "percentage": "101"},
        {"taxClassId": class_id, "name": "VAT", "percentage": "7.1234567"},
        {"taxClassId": class_id, "name": "VAT", "percentage": "-1"},
    ]
    wrong = {"name": "", "locations": [{"country": "XX"}, {"country": "US", "provinces": ["Bavaria"]}], "rates": rates}
    made = (await told(api, ZONE, {"input": wrong}, token=token))["taxZoneCreate"]
    assert made["taxZone"] is None
    assert codes(made["userErrors"]) == [
        ("REQUIRED", "input.name"),
        ("INVALID", "input.locations.0.country"),
        ("INVALID", "input.locations.1"),
        ("REQUIRED", "input.rates.0.name"),
        ("OUT_OF_RANGE", "input.rates.0.percentage"),
        ("INVALID", "input.rates.1.percentage"),
        ("OUT_OF_RANGE", "input.rates.2.percentage"),
    ]
    stranger = {"taxClassId": ids.encode("tclass", new_id()), "name": "VAT", "percentage": "7"}
    answer = (await told(api, UPDATE, {"id": zone_id, "input": {"rates": [stranger]}}, token=token))["taxZoneUpdate"]
    assert codes(answer["userErrors"]) == [("NOT_FOUND", "input.rates.0.taxClassId")]
    answer = (await told(api, UPDATE, {"id": zone_id, "input": {"locations": []}}, token=token))["taxZoneUpdate"]
    assert codes(answer["userErrors"]) == [("REQUIRED", "input.locations")]
    assert await everything() == before


async def test_there_is_one_default_class_at_every_moment(api: Api, token: str) -> None:
    async def create(code: str, **more: object) -> dict[str, Any]:
        answer = await told(api, CLASS, {"input": {"name": code.title(), "code": code, **more}}, token=token)
        payload: dict[str, Any] = answer["taxClassCreate"]
        return payload

    first, second = await create("Standard"), await create("reduced")
    assert (first["taxClass"]["code"], first["taxClass"]["isDefault"]) == ("standard", True)
    assert not second["taxClass"]["isDefault"]
    change = {"id": second["taxClass"]["id"], "input": {"isDefault": True}}
    assert (await told(api, CLASS_UPDATE, change, token=token))["taxClassUpdate"]["taxClass"]["isDefault"]
    assert await db.fetchval("SELECT code FROM tax_classes WHERE is_default") == "reduced"
    before = await everything()
    assert codes((await create("reduced"))["userErrors"]) == [("CONFLICT", "input.code")]
    assert codes((await create("no spaces"))["userErrors"]) == [("INVALID", "input.code")]
    taken = {"id": first["taxClass"]["id"], "input": {"code": "reduced", "isDefault": True}}
    refused = (await told(api, CLASS_UPDATE, taken, token=token))["taxClassUpdate"]
    assert codes(refused["userErrors"]) == [("CONFLICT", "input.code")]
    assert await everything() == before


async def test_a_class_that_something_names_stays(api: Api, token: str) -> None:
    standard, reduced = await taxes.tax_class(), await taxes.tax_class("reduced")
    product = await catalogue.product()
    await db.execute("UPDATE products SET tax_class_id = $1 WHERE id = $2", reduced, product.id)
    for class_id in (standard, reduced):
        answer = await told(api, CLASS_DELETE, {"id": ids.encode("tclass", class_id)}, token=token)
        assert codes(answer["taxClassDelete"]["userErrors"]) == [("TAX_CLASS_IN_USE", "id")]
    assert await db.fetchval("SELECT count(*) FROM tax_classes") == 2
    await db.execute("UPDATE products SET tax_class_id = NULL")
    answer = await told(api, CLASS_DELETE, {"id": ids.encode("tclass", reduced)}, token=token)
    assert answer["taxClassDelete"]["userErrors"] == []


async def test_a_product_has_a_class(api: Api) -> None:
    await shop.shop()
    token = await staff.signed_in({Permission.PRODUCTS_WRITE, Permission.PRODUCTS_READ})
    reduced = ids.encode("tclass", await taxes.tax_class("reduced"))
    create = """
        mutation ($input: ProductInput!) { productCreate(input: $input) {
            product { id taxClassId } userErrors { code field }
        } }
    """
    update = """
        mutation ($id: ID!, $input: ProductInput!) { productUpdate(id: $id, input: $input) {
            product { id taxClassId } userErrors { code field }
        } }
    """
    product = {"name": "Novel", "taxClassId": reduced}
    made = (await told(api, create, {"input": product}, token=token))["productCreate"]["product"]
    assert made["taxClassId"] == reduced
    renamed = await told(api, update, {"id": made["id"], "input": {"name": "Book"}}, token=token)
    assert renamed["productUpdate"]["product"]["taxClassId"] == reduced
    unknown = {"taxClassId": ids.encode("tclass", new_id()), "name": "Other"}
    for answer in (
        (await told(api, update, {"id": made["id"], "input": unknown}, token=token))["productUpdate"],
        (await told(api, create, {"input": unknown}, token=token))["productCreate"],
    ):
        assert codes(answer["userErrors"]) == [("NOT_FOUND", "input.taxClassId")]
    assert [row["name"] for row in await db.fetch("SELECT name FROM products")] == ["Book"]
    default = await told(api, update, {"id": made["id"], "input": {"taxClassId": None}}, token=token)
    assert default["productUpdate"]["product"]["taxClassId"] is None


async def test_settings_say_how_taxes_are_computed(api: Api, token: str) -> None:
    shipping = ids.encode("tclass", await taxes.tax_class("shipping"))
    given = {
        "homeCountryCode": "DE",
        "taxId": "de 136 695 976",
        "shipping": "SHIPPING_CLASS",
        "shippingClassId": shipping,
        "taxIdCheck": "ONLINE",
        "engine": {
            "name": "http",
            "configuration": {"url": "https://tax.example.com/rates"},
            "secret": "a secret of 24 characters",
            "timeoutMs": 1500,
        },
    }
    answer = (await told(api, SETTINGS, {"input": given}, token=token))["taxSettingsUpdate"]
    assert answer["userErrors"] == []
    assert answer["taxSettings"] == {
        "homeCountryCode": "DE",
        "taxId": "DE136695976",
        "grossPriceStays": True,
        "untaxedPriceStays": False,
        "shipping": "SHIPPING_CLASS",
        "shippingClass": {"code": "shipping"},
        "giftWrapClass": None,
        "taxIdCheck": "ONLINE",
        "taxIdFallback": "CHARGE_TAX",
        "engine": {
            "name": "http",
            "configuration": {"url": "https://tax.example.com/rates"},
            "timeoutMs": 1500,
            "fallback": "OWN_RATES",
        },
    }
    stored = await db.fetchval("SELECT engine_credentials FROM tax_settings")
    assert b"a secret" not in stored
    answer = (await told(api, SETTINGS, {"input": {"engine": None, "taxId": None}}, token=token))["taxSettingsUpdate"]
    assert (answer["taxSettings"]["engine"], answer["taxSettings"]["taxId"]) == (None, None)
    assert answer["taxSettings"]["homeCountryCode"] == "DE"
    assert await db.fetchval("SELECT engine_credentials FROM tax_settings") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"homeCountryCode": "XX"}, [("INVALID_COUNTRY", "input.homeCountryCode")]),
        ({"taxId": "DE136695977"}, [("INVALID_TAX_ID", "input.taxId")]),
        ({"shipping": "SHIPPING_CLASS"}, [("REQUIRED", "input.shippingClassId")]),
        ({"shippingClassId": ids.encode("tclass", new_id())}, [("NOT_FOUND", "input.shippingClassId")]),
        ({"engine": {"name": "other"}}, [("TAX_ENGINE_UNKNOWN", "input.engine.name")]),
        ({"engine": {"name": "http", "secret": "short"}}, [
            ("REQUIRED", "input.engine.configuration.url"), ("INVALID", "input.engine.secret"),
        ]),
        ({"engine": {"name": "http", "configuration": {"url": "https://tax.example.com"}}}, [
            ("REQUIRED", "input.engine.secret"),
        ]),
        ({"engine": {"name": "http", "configuration": {"url": 1}}}, [("INVALID", "input.engine.configuration")]),
        ({"engine": {"name": "http", "configuration": {"url": "file:///etc/passwd"}, "secret": "s" * 24}}, [
            ("INVALID", "input.engine.configuration.url"),
        ]),
        ({"engine": {"name": "http", "configuration": {"url": "https://a.example"}, "secret": "s" * 24,
                     "timeoutMs": 60_000}}, [("OUT_OF_RANGE", "input.engine.timeoutMs")]),
    ],
)  # fmt: skip
async def test_wrong_settings_change_nothing(
    api: Api, token: str, given: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    await taxes.settings(home_country_code="FR")
    before = await everything()
    answer = (await told(api, SETTINGS, {"input": {**given, "grossPriceStays": False}}, token=token))[
        "taxSettingsUpdate"
    ]
    assert codes(answer["userErrors"]) == expected
    assert await everything() == before


async def test_a_secret_goes_only_where_it_was_given_for(api: Api, token: str) -> None:
    engine = {"name": "http", "configuration": {"url": "https://a.example"}, "secret": "s" * 24}
    await told(api, SETTINGS, {"input": {"engine": engine}}, token=token)
    before = await everything()
    elsewhere = {"name": "http", "configuration": {"url": "https://b.example"}}
    answer = (await told(api, SETTINGS, {"input": {"engine": elsewhere}}, token=token))["taxSettingsUpdate"]
    assert codes(answer["userErrors"]) == [("REQUIRED", "input.engine.secret")]
    assert await everything() == before
    same = {"name": "http", "configuration": {"url": "https://a.example"}, "timeoutMs": 900}
    answer = (await told(api, SETTINGS, {"input": {"engine": same}}, token=token))["taxSettingsUpdate"]
    assert answer["taxSettings"]["engine"]["timeoutMs"] == 900
    assert (await everything())["tax_settings"][0]["engine_credentials"] == before["tax_settings"][0][
        "engine_credentials"
    ]


async def test_an_exemption_is_noted_and_ends(api: Api, token: str) -> None:
    ada = await accounts.signed_in("ada@shopper.example")
    given = {
        "customerId": ids.encode("cus", ada.id),
        "countryCode": "US",
        "provinceCode": "New York",
        "certificateNumber": "ST-120 88",
        "validUntil": "2099-12-31",
    }
    made = (await told(api, EXEMPTION, {"input": given}, token=token))["taxExemptionCreate"]
    assert made["userErrors"] == []
    assert made["taxExemption"] == {**given, "id": made["taxExemption"]["id"], "provinceCode": "NY"}
    listing = "query { taxExemptions { nodes { certificateNumber } totalCount } }"
    assert (await told(api, listing, token=token))["taxExemptions"] == {
        "nodes": [{"certificateNumber": "ST-120 88"}],
        "totalCount": 1,
    }
    end = "mutation ($id: ID!) { taxExemptionDelete(id: $id) { deletedId userErrors { code } } }"
    await told(api, end, {"id": made["taxExemption"]["id"]}, token=token)
    assert await db.fetchval("SELECT count(*) FROM tax_exemptions") == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"customerId": ids.encode("cus", new_id())}, ("NOT_FOUND", "input.customerId")),
        ({"certificateNumber": " "}, ("REQUIRED", "input.certificateNumber")),
        ({"countryCode": "XX"}, ("INVALID_COUNTRY", "input.countryCode")),
        ({"countryCode": "US", "provinceCode": "Bavaria"}, ("INVALID_PROVINCE", "input.provinceCode")),
        ({"provinceCode": "NY"}, ("REQUIRED", "input.countryCode")),
        ({"validUntil": "2020-01-01"}, ("OUT_OF_RANGE", "input.validUntil")),
    ],
)
async def test_a_wrong_exemption_is_not_noted(
    api: Api, token: str, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    ada = await accounts.signed_in("ada@shopper.example")
    whole = {"customerId": ids.encode("cus", ada.id), "certificateNumber": "ST-120", **given}
    answer = (await told(api, EXEMPTION, {"input": whole}, token=token))["taxExemptionCreate"]
    assert codes(answer["userErrors"]) == [expected]
    assert await db.fetchval("SELECT count(*) FROM tax_exemptions") == 0
