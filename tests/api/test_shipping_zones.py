"""Staff change where the shop ships and by which methods."""

import asyncio
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, shipping, staff
from tests.factories import shop as shop_factory

ZONE = """
id name position
locations { country provinces postalCodes }
methods {
  id carrier service active
  rate {
    kind freeFrom { amount } price { amount currencyCode } perItem { amount } minWeightGrams maxWeightGrams
    brackets { price { amount } upToGrams fromSubtotal { amount } }
  }
  delivery {
    cutoff timeZone handlingDaysMin handlingDaysMax transitDaysMin transitDaysMax
    handlingWeekdays transitWeekdays holidays
  }
}
"""
CREATE = f"""
mutation Create($input: ShippingZoneInput!) {{
  shippingZoneCreate(input: $input) {{ shippingZone {{ {ZONE} }} userErrors {{ code field message }} }}
}}
"""
UPDATE = f"""
mutation Update($id: ID!, $input: ShippingZoneInput!) {{
  shippingZoneUpdate(id: $id, input: $input) {{ shippingZone {{ {ZONE} }} userErrors {{ code field message }} }}
}}
"""
DELETE = """
mutation Delete($id: ID!) { shippingZoneDelete(id: $id) { deletedId userErrors { code field } } }
"""
LIST = f"query {{ shippingZones {{ {ZONE} }} }}"

FLAT = {"kind": "FLAT", "price": "5.99"}
GROUND = {"carrier": "ups", "service": "Ground", "rate": FLAT}
WEST: dict[str, Any] = {
    "name": "West Coast",
    "locations": [{"country": "us", "provinces": ["California", "US-OR"], "postalCodes": ["90*", "97200-97299"]}],
    "position": 3,
    "methods": [
        {
            "carrier": "fed ex",
            "service": "Home Delivery",
            "rate": {
                "kind": "BY_WEIGHT",
                "brackets": [{"price": "4.50", "upToGrams": 1000}, {"price": "9"}],
                "freeFrom": "75",
                "maxWeightGrams": 30000,
            },
            "delivery": {
                "transitDaysMin": 1,
                "transitDaysMax": 3,
                "cutoff": "15:30",
                "timeZone": "America/Los_Angeles",
                "transitWeekdays": ["TUESDAY", "MONDAY"],
                "holidays": ["2026-12-25"],
            },
        },
        {"carrier": "Bob's Bikes", "service": "Today", "rate": {"kind": "PER_ITEM", "perItem": "2"}, "active": False},
        {
            "carrier": "USPS",
            "service": "By value",
            "rate": {
                "kind": "BY_SUBTOTAL",
                "brackets": [{"price": "9.00", "fromSubtotal": "0"}, {"price": "0", "fromSubtotal": "50.00"}],
            },
        },
    ],
}


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop_factory.shop()


async def _create(api: Api, token: str, zone: dict[str, Any]) -> dict[str, Any]:
    data = await api.ok(CREATE, {"input": zone}, token=token)
    made: dict[str, Any] = data["shippingZoneCreate"]["shippingZone"]
    return made


async def test_a_zone_is_made_with_its_methods_and_shown_as_it_was_meant(api: Api, staff_token: str) -> None:
    made = await _create(api, staff_token, WEST)
    assert made["locations"] == [{"country": "US", "provinces": ["CA", "OR"], "postalCodes": ["90*", "97200-97299"]}]
    assert (made["name"], made["position"]) == ("West Coast", 3)
    home, bikes, by_value = made["methods"]
    assert (home["carrier"], home["active"]) == ("FedEx", True)
    assert home["rate"] == {
        "kind": "BY_WEIGHT",
        "freeFrom": {"amount": "75.00"},
        "price": None,
        "perItem": None,
        "minWeightGrams": None,
        "maxWeightGrams": 30000,
        "brackets": [
            {"price": {"amount": "4.50"}, "upToGrams": 1000, "fromSubtotal": None},
            {"price": {"amount": "9.00"}, "upToGrams": None, "fromSubtotal": None},
        ],
    }
    assert home["delivery"] == {
        "cutoff": "15:30",
        "timeZone": "America/Los_Angeles",
        "handlingDaysMin": 0,
        "handlingDaysMax": 1,
        "transitDaysMin": 1,
        "transitDaysMax": 3,
        "handlingWeekdays": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        "transitWeekdays": ["MONDAY", "TUESDAY"],
        "holidays": ["2026-12-25"],
    }
    assert (bikes["carrier"], bikes["active"], bikes["delivery"]) == ("Bob's Bikes", False, None)
    assert bikes["rate"]["perItem"] == {"amount": "2.00"}
    assert by_value["rate"]["brackets"][1]["fromSubtotal"] == {"amount": "50.00"}
    assert (await api.ok(LIST, token=staff_token))["shippingZones"] == [made]
    node = await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": made["id"]}, token=staff_token)
    assert node["node"] == {"id": made["id"]}


async def test_a_new_zone_is_quoted_at_once(api: Api, staff_token: str) -> None:
    await _create(api, staff_token, {"name": "US", "locations": [{"country": "US"}], "methods": [GROUND]})
    product = await catalogue.product()
    data = await api.ok(
        "query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) { quotes { price { amount } } } }",
        {"input": {"lines": [{"variantId": product.variant_gid}], "address": {"countryCode": "US"}}},
    )
    assert data["shippingQuotes"]["quotes"] == [{"price": {"amount": "5.99"}}]


async def test_an_update_changes_what_it_names_and_replaces_methods_by_id(api: Api, staff_token: str) -> None:
    made = await _create(api, staff_token, WEST)
    renamed = await api.ok(UPDATE, {"id": made["id"], "input": {"name": "Pacific"}}, token=staff_token)
    assert renamed["shippingZoneUpdate"]["shippingZone"] == {**made, "name": "Pacific"}
    kept, _, last = made["methods"]
    methods = [{"id": last["id"], **GROUND}, {"carrier": "dhl", "service": "New", "rate": FLAT}]
    changed = await api.ok(
        UPDATE, {"id": made["id"], "input": {"methods": methods, "locations": [{"country": "*"}]}}, token=staff_token
    )
    zone = changed["shippingZoneUpdate"]["shippingZone"]
    assert zone["locations"] == [{"country": "*", "provinces": [], "postalCodes": []}]
    first, second = zone["methods"]
    assert (first["id"], first["carrier"], first["service"]) == (last["id"], "UPS", "Ground")
    assert second["carrier"] == "DHL"
    assert second["id"] not in {method["id"] for method in made["methods"]}
    assert kept["id"] not in {first["id"], second["id"]}


async def _rows() -> list[tuple[Any, ...]]:
    zones = await db.fetch("SELECT id, name, locations, position, updated_at FROM shipping_zones ORDER BY id")
    methods = await db.fetch("SELECT id, zone_id, carrier, service, rate, delivery FROM shipping_methods ORDER BY id")
    return [tuple(row.values()) for row in (*zones, *methods)]


def _with_rate(**rate: Any) -> dict[str, Any]:
    return {"methods": [{**GROUND, "rate": rate}]}


def _with_delivery(**delivery: Any) -> dict[str, Any]:
    return {"methods": [{**GROUND, "delivery": {"transitDaysMin": 1, "transitDaysMax": 2, **delivery}}]}


RATE = ["methods", "0", "rate"]
DELIVERY = ["methods", "0", "delivery"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": " "}, "REQUIRED", ["name"]),
        ({"name": "x" * 121}, "TOO_LONG", ["name"]),
        ({"name": "a\x00b"}, "INVALID", ["name"]),
        ({"locations": []}, "REQUIRED", ["locations"]),
        ({"locations": [{"country": "US"}, {"country": "QQ"}]}, "INVALID", ["locations", "1", "country"]),
        ({"locations": [{"country": "US", "provinces": ["Wessex"]}]}, "INVALID", ["locations", "0"]),
        ({"locations": [{"country": "US", "postalCodes": ["9?"]}]}, "INVALID", ["locations", "0", "postalCodes"]),
        ({"locations": [{"country": "US"}] * 301}, "TOO_MANY", ["locations"]),
        ({"position": -1}, "OUT_OF_RANGE", ["position"]),
        ({"methods": [GROUND] * 51}, "TOO_MANY", ["methods"]),
        ({"methods": [{**GROUND, "carrier": ""}]}, "REQUIRED", ["methods", "0", "carrier"]),
        ({"methods": [{**GROUND, "service": "x" * 121}]}, "TOO_LONG", ["methods", "0", "service"]),
        ({"methods": [{**GROUND, "id": ids.encode("smethod", new_id())}]}, "NOT_FOUND", ["methods", "0", "id"]),
        ({"methods": [{**GROUND, "id": "smethod_1"}]}, "INVALID_ID", ["methods", "0", "id"]),
        (_with_rate(kind="FLAT"), "INVALID", [*RATE, "price"]),
        (_with_rate(kind="FLAT", price="-1"), "OUT_OF_RANGE", [*RATE, "price"]),
        (_with_rate(kind="FLAT", price="1.999"), "INVALID", [*RATE, "price"]),
        (_with_rate(kind="FLAT", price="1", perItem="1"), "INVALID", [*RATE, "perItem"]),
        (_with_rate(kind="BY_WEIGHT"), "INVALID", [*RATE, "brackets"]),
        (
            _with_rate(kind="BY_SUBTOTAL", brackets=[{"price": "1"}]),
            "INVALID",
            [*RATE, "brackets", "0", "fromSubtotal"],
        ),
        (
            _with_rate(kind="BY_WEIGHT", brackets=[{"price": "1", "upToGrams": -1}]),
            "INVALID",
            [*RATE, "brackets", "0", "upToGrams"],
        ),
        (_with_delivery(transitDaysMin=3), "INVALID", DELIVERY),
        (_with_delivery(timeZone="Mars/Olympus"), "INVALID", [*DELIVERY, "timeZone"]),
        (_with_delivery(cutoff="noon"), "INVALID", [*DELIVERY, "cutoff"]),
        (_with_delivery(transitWeekdays=[]), "INVALID", [*DELIVERY, "transitWeekdays"]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_changes(
    api: Api, staff_token: str, changes: dict[str, Any], code: str, field: list[str]
) -> None:
    made = await _create(api, staff_token, WEST)
    before = await _rows()
    for document, variables in (
        (CREATE, {"input": {**WEST, **changes}}),
        (UPDATE, {"id": made["id"], "input": {"name": "New name", **changes}}),
    ):
        (error,) = await api.refused(document, variables, token=staff_token)
        assert (error["code"], error["field"]) == (code, ["input", *field])
        assert error["message"]
    assert await _rows() == before


async def test_a_method_of_another_zone_cannot_be_taken_over(api: Api, staff_token: str) -> None:
    theirs = await _create(api, staff_token, WEST)
    ours = await _create(api, staff_token, {"name": "Ours", "locations": [{"country": "CA"}], "methods": [GROUND]})
    before = await _rows()
    stolen = {"methods": [{**GROUND, "id": theirs["methods"][0]["id"]}]}
    twice = {"methods": [{**GROUND, "id": ours["methods"][0]["id"]}] * 2}
    for changes, code in ((stolen, "NOT_FOUND"), (twice, "INVALID")):
        (error,) = await api.refused(UPDATE, {"id": ours["id"], "input": changes}, token=staff_token)
        assert error["code"] == code
    (error,) = await api.refused(CREATE, {"input": {**WEST, **stolen}}, token=staff_token)
    assert error["code"] == "NOT_FOUND"
    assert await _rows() == before


async def test_a_deleted_zone_is_gone_with_its_methods(api: Api, staff_token: str) -> None:
    made = await _create(api, staff_token, WEST)
    stays = await _create(api, staff_token, {"name": "Stays", "locations": [{"country": "CA"}], "methods": [GROUND]})
    gone = await api.ok(DELETE, {"id": made["id"]}, token=staff_token)
    assert gone["shippingZoneDelete"]["deletedId"] == made["id"]
    assert [zone["id"] for zone in (await api.ok(LIST, token=staff_token))["shippingZones"]] == [stays["id"]]
    assert await db.fetchval("SELECT count(*) FROM shipping_methods") == 1
    for document, variables in (
        (DELETE, {"id": made["id"]}),
        (UPDATE, {"id": made["id"], "input": {"name": "Late"}}),
    ):
        (error,) = await api.refused(document, variables, token=staff_token)
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])


async def test_only_staff_with_the_permission_see_and_change_zones(api: Api, staff_token: str) -> None:
    made = await _create(api, staff_token, WEST)
    before = await _rows()
    others = await staff.signed_in(set(Permission) - {Permission.SHIPPING_WRITE})
    for token, code in ((None, "UNAUTHENTICATED"), (others, "FORBIDDEN")):
        assert (await api.query(LIST, token=token)).codes == [code]
        for document, variables in (
            (CREATE, {"input": WEST}),
            (UPDATE, {"id": made["id"], "input": {"name": "Mine"}}),
            (DELETE, {"id": made["id"]}),
        ):
            (error,) = await api.refused(document, variables, token=token)
            assert error["code"] == code
        node = await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": made["id"]}, token=token)
        assert node["node"] is None
    assert await _rows() == before


async def test_a_shop_has_a_hundred_zones_at_the_most_however_they_come(api: Api, staff_token: str) -> None:
    await db.execute(
        """
        INSERT INTO shipping_zones (id, name, locations, position, created_at, updated_at)
        SELECT gen_random_uuid(), 'Zone ' || n, '[{"country": "FR"}]', n, clock_timestamp(), clock_timestamp()
        FROM generate_series(1, 98) AS n
        """
    )
    answers = await asyncio.gather(*(api.query(CREATE, {"input": WEST}, token=staff_token) for _ in range(6)))
    payloads = [answer.data["shippingZoneCreate"] for answer in answers if answer.data]
    assert sum(payload["shippingZone"] is not None for payload in payloads) == 2
    refused = [error["code"] for payload in payloads for error in payload["userErrors"]]
    assert refused == ["TOO_MANY"] * 4
    assert await db.fetchval("SELECT count(*) FROM shipping_zones") == 100


async def test_updates_side_by_side_leave_one_updates_methods_not_a_mixture(api: Api, staff_token: str) -> None:
    zone_id = ids.encode("szone", await shipping.zone("US"))

    def methods(name: str) -> list[dict[str, Any]]:
        return [{"carrier": name, "service": f"{name} {number}", "rate": FLAT} for number in range(3)]

    names = ["North", "East", "South", "West"]
    await asyncio.gather(
        *(
            api.ok(UPDATE, {"id": zone_id, "input": {"name": name, "methods": methods(name)}}, token=staff_token)
            for name in names
        )
    )
    (zone,) = (await api.ok(LIST, token=staff_token))["shippingZones"]
    assert [method["service"] for method in zone["methods"]] == [f"{zone['name']} {number}" for number in range(3)]


async def test_listing_zones_costs_the_same_however_many_there_are(api: Api, staff_token: str) -> None:
    counts = []
    for more in (1, 20):
        for _ in range(more):
            await shipping.zone("US", methods=[{}, {}])
        with db.counted_statements() as statements:
            await api.ok(LIST, token=staff_token)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 4
