"""The shop shows who it is and what its rules are; staff change both."""

import asyncio
import os
import sys
from typing import Any

import asyncpg
import pytest

from app import db
from app.settings import Settings
from app.shop import queries
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, shop, staff

FIELDS = """
    name currencyCode countries timeZone locale availableQuantityLimit legalName postalAddress contactEmail contactPhone
    policies { kind title body bodyHtml }
"""
READ = f"{{ shop {{ {FIELDS} }} }}"
UPDATE = f"""
    mutation ($input: ShopInput!) {{ shopUpdate(input: $input) {{ shop {{ {FIELDS} }} userErrors {{ code field }} }} }}
"""


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def test_anybody_can_read_who_the_shop_is(api: Api) -> None:
    await shop.policy("RETURNS", "Returns", "30 days.")
    await shop.policy("DELIVERY", "Delivery", "Two days.")
    seen = (await api.ok(READ))["shop"]
    assert (seen["name"], seen["currencyCode"]) == ("Tradewind Supply", "USD")
    assert seen["countries"] == ["US", "CA", "GB", "DE", "FR", "JP"]
    assert seen["contactPhone"] is None
    assert seen["policies"] == [
        {"kind": "DELIVERY", "title": "Delivery", "body": "Two days.", "bodyHtml": "<p>Two days.</p>"},
        {"kind": "RETURNS", "title": "Returns", "body": "30 days.", "bodyHtml": "<p>30 days.</p>"},
    ]


async def test_staff_change_what_they_name_and_the_rest_stays(api: Api, staff_token: str) -> None:
    await shop.policy("TERMS", "Terms", "Be kind.")
    before = (await api.ok(READ))["shop"]
    given = {
        "name": " Harbor ",
        "countries": ["de", "FR", "DE"],
        "timeZone": "Europe/Berlin",
        "contactEmail": "Hello@Harbor.example",
        "postalAddress": "1 Quay\nHamburg",
        "availableQuantityLimit": 0,
        "policies": [
            {"kind": "RETURNS", "title": "Returns", "bodyHtml": "<p>30 days<script>x</script></p>"},
            {"kind": "DELIVERY", "title": "Delivery", "body": "Two\n\ndays"},
        ],
    }
    after = (await api.ok(UPDATE, {"input": given}, token=staff_token))["shopUpdate"]["shop"]
    assert after == {
        **before,
        "name": "Harbor",
        "countries": ["DE", "FR"],
        "timeZone": "Europe/Berlin",
        "contactEmail": "Hello@harbor.example",
        "postalAddress": "1 Quay\nHamburg",
        "availableQuantityLimit": 0,
        "policies": [
            {"kind": "DELIVERY", "title": "Delivery", "body": "Two\n\ndays", "bodyHtml": "<p>Two</p><p>days</p>"},
            {"kind": "RETURNS", "title": "Returns", "body": "30 days", "bodyHtml": "<p>30 days</p>"},
            *before["policies"],
        ],
    }
    assert (await api.ok(READ))["shop"] == after
    assert (await queries.current()).time_zone == "Europe/Berlin"

    removed = {"policies": [{"kind": "RETURNS", "title": "Returns"}], "postalAddress": None}
    changed = (await api.ok(UPDATE, {"input": removed}, token=staff_token))["shopUpdate"]["shop"]
    assert [policy["kind"] for policy in changed["policies"]] == ["DELIVERY", "TERMS"]
    assert changed["postalAddress"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"countries": []}, "countries"),
        ({"countries": ["DE", "ZZ"]}, "countries.1"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"locale": "klingon"}, "locale"),
        ({"contactEmail": "nobody"}, "contactEmail"),
        ({"availableQuantityLimit": -1}, "availableQuantityLimit"),
        ({"policies": [{"kind": "TERMS", "title": " ", "body": "x"}]}, "policies.0.title"),
        ({"policies": [{"kind": "TERMS", "title": "T", "body": "x", "bodyHtml": "y"}]}, "policies.0.bodyHtml"),
        ({"policies": [{"kind": "TERMS", "title": "T", "body": "x"}] * 2}, "policies.1.kind"),
    ],
)
async def test_wrong_settings_change_nothing(api: Api, staff_token: str, given: dict[str, Any], field: str) -> None:
    before = (await api.ok(READ))["shop"]
    wrong = {"legalName": "Other, Inc.", **given}
    (error,) = await api.refused(UPDATE, {"input": wrong}, token=staff_token)
    assert ".".join(error["field"][1:]) == field
    assert (await api.ok(READ))["shop"] == before


async def test_the_currency_is_fixed_once_amounts_are_in_it(api: Api, staff_token: str) -> None:
    changed = await api.ok(UPDATE, {"input": {"currencyCode": "EUR"}}, token=staff_token)
    assert changed["shopUpdate"]["shop"]["currencyCode"] == "EUR"
    await catalogue.product()
    (error,) = await api.refused(UPDATE, {"input": {"currencyCode": "JPY", "name": "X"}}, token=staff_token)
    assert error == {"code": "SHOP_CURRENCY_FIXED", "field": ["input", "currencyCode"]}
    settings = await queries.current()
    assert (settings.currency_code, settings.name) == ("EUR", "Tradewind Supply")
    await api.ok(UPDATE, {"input": {"currencyCode": "EUR", "name": "X"}}, token=staff_token)


async def test_only_staff_with_the_permission_change_the_shop(api: Api) -> None:
    others = await staff.signed_in({Permission.PRODUCTS_WRITE})
    for token, code in ((None, "UNAUTHENTICATED"), (others, "FORBIDDEN")):
        (error,) = await api.refused(UPDATE, {"input": {"name": "Mine"}}, token=token)
        assert error["code"] == code
    assert (await queries.current()).name == "Tradewind Supply"


async def test_a_new_installation_has_a_neutral_shop_and_a_warehouse(settings: Settings, database: str) -> None:
    """What the migrations make, before any merchant has been there."""
    await db.execute("CREATE DATABASE fresh")
    url = f"{settings.database_url.rpartition('/')[0]}/fresh"
    migrating = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio; from app import db; asyncio.run(db.migrate())",
        env={**os.environ, "DATABASE_URL": url},
    )
    assert await migrating.wait() == 0
    connection = await asyncpg.connect(url)
    try:
        made = await connection.fetchrow("SELECT name, currency_code, countries, time_zone FROM shop")
        assert tuple(made) == ("My shop", "USD", ["US"], "UTC")
        assert await connection.fetchval("SELECT count(*) FROM warehouses WHERE is_default") == 1
    finally:
        await connection.close()
        await db.execute("DROP DATABASE fresh")
