"""Discounts as staff make, change and read them."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.staff.permissions import Permission
from tests.api import cart_operations
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, customers, discounts, staff
from tests.factories.shop import shop

FIELDS = """{ id name status automatic percentage amount { amount currencyCode } minimumSubtotal { amount } usageLimit
    usageLimitPerCustomer usedCount startsAt endsAt issued }"""
ANSWER = f"{{ discount {FIELDS} userErrors {{ code field message }} }}"
CREATE = f"mutation ($input: DiscountInput!) {{ discountCreate(input: $input) {ANSWER} }}"
UPDATE = f"mutation ($id: ID!, $input: DiscountUpdateInput!) {{ discountUpdate(id: $id, input: $input) {ANSWER} }}"
DISABLE = f"mutation ($id: ID!) {{ discountDisable(id: $id) {ANSWER} }}"
ENABLE = f"mutation ($id: ID!) {{ discountEnable(id: $id) {ANSWER} }}"
LIST = f"query ($status: DiscountStatus) {{ discounts(status: $status) {{ totalCount nodes {FIELDS} }} }}"
CODES = """query ($discount: ID, $profile: ID, $code: String) {
    discountCodes(discountId: $discount, profileId: $profile, code: $code) {
        nodes { code discountId profileId usageLimit usedCount endsAt } totalCount } }"""
CART = "query ($id: ID!) { cart(id: $id) { cost { total { amount } } } }"
DOLLARS = {"currencyCode": "USD"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def create(api: Api, token: str, **given: Any) -> dict[str, Any]:
    data = await api.ok(CREATE, {"input": {"name": "Spring", **given}}, token=token)
    return data["discountCreate"]["discount"]  # type: ignore[no-any-return]


async def test_a_discount_with_everything_is_shown_as_it_was_made(api: Api, staff_token: str) -> None:
    given = {
        "code": "SPRING-5",
        "amount": {"amount": "5.50", **DOLLARS},
        "minimumSubtotal": {"amount": "20", **DOLLARS},
        "usageLimit": 100,
        "usageLimitPerCustomer": 1,
        "startsAt": "2026-03-01T00:00:00+00:00",
        "endsAt": "2026-06-01T00:00:00+00:00",
    }
    made = await create(api, staff_token, **given)
    assert made == {
        **{name: value for name, value in given.items() if name != "code"},
        "id": made["id"],
        "name": "Spring",
        "status": "ACTIVE",
        "automatic": False,
        "percentage": None,
        "amount": {"amount": "5.50", **DOLLARS},
        "minimumSubtotal": {"amount": "20.00"},
        "usedCount": 0,
        "issued": False,
    }
    (code,) = (await api.ok(CODES, {"discount": made["id"]}, token=staff_token))["discountCodes"]["nodes"]
    assert (code["code"], code["profileId"], code["usageLimit"]) == ("SPRING-5", None, None)
    node = await api.ok(f'{{ node(id: "{made["id"]}") {{ ... on Discount {FIELDS} }} }}', token=staff_token)
    assert node["node"] == made


async def test_without_a_code_it_applies_by_itself(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, percentage="12.5")
    assert (made["automatic"], made["percentage"]) == (True, "12.5")
    cart = await carts.cart(((await catalogue.product(price_minor=2000)).variant_id, 1))
    assert (await api.ok(CART, {"id": cart.gid}))["cart"]["cost"]["total"]["amount"] == "17.50"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({}, "INVALID", "percentage"),
        ({"percentage": "10", "amount": {"amount": "1", **DOLLARS}}, "INVALID", "percentage"),
        ({"percentage": "0"}, "OUT_OF_RANGE", "percentage"),
        ({"percentage": "100.1"}, "OUT_OF_RANGE", "percentage"),
        ({"percentage": "1.00001"}, "INVALID", "percentage"),
        ({"amount": {"amount": "0", **DOLLARS}}, "OUT_OF_RANGE", "amount"),
        ({"amount": {"amount": "5", "currencyCode": "EUR"}}, "INVALID", "amount"),
        ({"percentage": "10", "minimumSubtotal": {"amount": "5", "currencyCode": "EUR"}}, "INVALID", "minimumSubtotal"),
        ({"percentage": "10", "usageLimit": 0}, "OUT_OF_RANGE", "usageLimit"),
        ({"percentage": "10", "usageLimitPerCustomer": -1}, "OUT_OF_RANGE", "usageLimitPerCustomer"),
        ({"percentage": "10", "name": " "}, "REQUIRED", "name"),
        ({"percentage": "10", "code": "two words"}, "INVALID", "code"),
        ({"percentage": "10", "code": " "}, "REQUIRED", "code"),
        ({"percentage": "10", "code": "X" * 65}, "TOO_LONG", "code"),
        ({"percentage": "10", "code": "spring"}, "CONFLICT", "code"),
        (
            {"percentage": "10", "startsAt": "2026-06-01T00:00:00Z", "endsAt": "2026-06-01T00:00:00Z"},
            "INVALID",
            "endsAt",
        ),
    ],
)
async def test_wrong_terms_are_refused_and_nothing_is_made(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: str
) -> None:
    await discounts.discount("SPRING")
    (error,) = await api.refused(CREATE, {"input": {"name": "New", **given}}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await db.fetchval("SELECT count(*) FROM discounts") == 1
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 1


async def test_what_is_left_out_of_a_change_stays(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, code="SPRING", percentage="10", usageLimit=5)
    change = {"percentage": None, "amount": {"amount": "3", **DOLLARS}, "usageLimit": None}
    changed = (await api.ok(UPDATE, {"id": made["id"], "input": change}, token=staff_token))["discountUpdate"]
    assert changed["discount"] == {
        **made,
        "percentage": None,
        "amount": {"amount": "3.00", **DOLLARS},
        "usageLimit": None,
    }
    both = {"percentage": "10"}
    assert [e["code"] for e in await api.refused(UPDATE, {"id": made["id"], "input": both}, token=staff_token)] == [
        "INVALID"
    ]
    await db.execute("UPDATE discounts SET used_count = 3")
    below = await api.refused(UPDATE, {"id": made["id"], "input": {"usageLimit": 2}}, token=staff_token)
    assert [(e["code"], e["field"]) for e in below] == [("OUT_OF_RANGE", ["input", "usageLimit"])]


async def test_the_worth_of_issued_coupons_cannot_be_changed(api: Api, staff_token: str) -> None:
    profile_id = await customers.profile()
    await discounts.coupon(profile_id, percentage=20)
    (made,) = (await api.ok(LIST, token=staff_token))["discounts"]["nodes"]
    assert made["issued"]
    errors = await api.refused(UPDATE, {"id": made["id"], "input": {"percentage": "5"}}, token=staff_token)
    assert [(e["code"], e["field"]) for e in errors] == [("CONFLICT", ["input", "percentage"])]
    renamed = await api.ok(UPDATE, {"id": made["id"], "input": {"name": "Yours"}}, token=staff_token)
    assert renamed["discountUpdate"]["discount"]["name"] == "Yours"


async def test_switching_off_and_on(api: Api, staff_token: str) -> None:
    made = await create(api, staff_token, percentage="10")
    cart = await carts.cart(((await catalogue.product(price_minor=2000)).variant_id, 1))
    for document, status, total in ((DISABLE, "DISABLED", "20.00"), (ENABLE, "ACTIVE", "18.00")):
        (answer,) = (await api.ok(document, {"id": made["id"]}, token=staff_token)).values()
        assert answer["discount"]["status"] == status
        assert (await api.ok(CART, {"id": cart.gid}))["cart"]["cost"]["total"]["amount"] == total
        listed = await api.ok(LIST, {"status": status}, token=staff_token)
        assert listed["discounts"]["totalCount"] == 1
    missing = await api.refused(DISABLE, {"id": f"disc_{'0' * 32}"}, token=staff_token)
    assert [(error["code"], error["field"]) for error in missing] == [("NOT_FOUND", ["id"])]


async def test_codes_are_found_by_discount_person_and_beginning(api: Api, staff_token: str) -> None:
    somebody = await customers.profile()
    coupon = await discounts.coupon(somebody, days=3)
    await discounts.discount("SPRING")
    gid = f"prof_{somebody.hex}"
    (found,) = (await api.ok(CODES, {"profile": gid}, token=staff_token))["discountCodes"]["nodes"]
    assert (found["code"], found["profileId"], found["usageLimit"]) == (coupon.code, gid, 1)
    assert found["endsAt"] > (await clock.now() + timedelta(days=2)).isoformat()
    begun = (await api.ok(CODES, {"code": "spr"}, token=staff_token))["discountCodes"]
    assert [node["code"] for node in begun["nodes"]] == ["SPRING"]
    assert begun["totalCount"] == 1
    nul = await api.query(CODES, {"code": "\x00"}, token=staff_token)
    assert nul.codes == ["INVALID"]


async def test_reading_needs_marketing_read_and_changing_needs_discounts_write(api: Api) -> None:
    reader = await staff.signed_in({Permission.MARKETING_READ})
    assert (await api.ok(LIST, token=reader))["discounts"]["totalCount"] == 0
    errors = await api.refused(CREATE, {"input": {"name": "x", "percentage": "10"}}, token=reader)
    assert [error["code"] for error in errors] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("terms", "total"),
    [
        ("", "18.00"),
        ("usage_limit = 3, used_count = 2", "18.00"),
        ("usage_limit = 3, used_count = 3", "20.00"),
        ("starts_at = business_now() + interval '1 hour'", "20.00"),
        ("starts_at = business_now() - interval '2 hours', ends_at = business_now() - interval '1 hour'", "20.00"),
        ("status = 'DISABLED'", "20.00"),
        ("minimum_subtotal_minor = 2001", "20.00"),
    ],
)
async def test_a_new_cart_gets_by_itself_what_it_has_whenever_it_is_read(api: Api, terms: str, total: str) -> None:
    """What a cart without codes is made from is read by a statement of its own."""
    mug = await catalogue.product(price_minor=1000)
    discount_id = await discounts.discount()
    if terms:
        await db.execute(f"UPDATE discounts SET {terms} WHERE id = $1", discount_id)
    lines = [{"variantId": mug.variant_gid, "quantity": 2}]
    made = (await api.ok(cart_operations.CREATE, {"input": {"lines": lines}}))["cartCreate"]["cart"]
    read = (await api.ok(cart_operations.CART, {"id": made["id"]}))["cart"]
    assert (made["cost"]["total"]["amount"], made["cost"]) == (total, read["cost"])
