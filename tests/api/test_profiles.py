"""People as staff see them, and how what shoppers do shows there."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db, invariants
from app.kit import ids
from app.orders.cancellation import cancel_order
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers, staff
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill

Drain = Callable[[], Awaitable[None]]

FIELDS = """id email phone firstName lastName language countryCode timeZone properties stage orderCount
    totalSpent { amount currencyCode } scores { recency frequency monetary } firstOrderAt lastOrderAt
    usualIntervalDays nextOrderExpectedAt lapsesAt lastSeenAt"""
TIMELINE = "timeline(first: 50) { totalCount nodes { type description orderId productId data } }"
ORDERS = "orders(first: 5) { totalCount nodes { number lines { nodes { productName } } } }"
PROFILE = f"query ($id: ID!) {{ profile(id: $id) {{ {FIELDS} {TIMELINE} {ORDERS} }} }}"
SEARCH = """query ($query: String, $stage: LifecycleStage, $first: Int, $after: String) {
    profiles(query: $query, stage: $stage, first: $first, after: $after) {
        totalCount nodes { email } pageInfo { endCursor hasNextPage } } }"""
MANY = f"query {{ profiles(first: 10) {{ nodes {{ {FIELDS} {TIMELINE} {ORDERS} }} }} }}"
UPDATE = f"""mutation ($id: ID!, $input: ProfileUpdateInput!) {{
    profileUpdate(id: $id, input: $input) {{ profile {{ {FIELDS} {TIMELINE} }} userErrors {{ code field }} }} }}"""
IDENTIFY = """mutation ($id: ID!, $identity: BuyerIdentityInput!) {
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $identity) { cart { id } userErrors { code } } }"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { cart { id } userErrors { code } } }"""
CHECKOUT = """mutation ($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) { checkout { id } userErrors { code field message } } }"""


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    await checkout.shop_that_ships()
    return await catalogue.product(price_minor=2000)


def gid(profile_id: uuid.UUID) -> str:
    return ids.encode("prof", profile_id)


async def show(api: Api, token: str, profile_id: uuid.UUID) -> dict[str, Any]:
    profile: dict[str, Any] = (await api.ok(PROFILE, {"id": gid(profile_id)}, token=token))["profile"]
    return profile


async def known(email: str = checkout.EMAIL) -> uuid.UUID:
    found: uuid.UUID = await db.fetchval("SELECT id FROM profiles WHERE email = $1 AND merged_into_id IS NULL", email)
    return found


async def types_of(profile_id: uuid.UUID) -> list[str]:
    rows = await db.fetch("SELECT type FROM profile_events WHERE profile_id = $1 ORDER BY id", profile_id)
    return [row["type"] for row in rows]


async def told(event_type: str) -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT profile_id, cart_id, order_id FROM profile_events WHERE type = $1", event_type)
    return [dict(row) for row in rows]


async def test_a_purchase_is_the_history_of_its_buyer(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    placed = await checkout.placed(api, (product, 1))
    await fulfill(api, staff_token, placed["order"]["id"])
    await drain()
    shown = await show(api, staff_token, await known())
    assert (shown["stage"], shown["orderCount"]) == ("FIRST_TIME", 1)
    assert shown["totalSpent"] == {"amount": "25.99", "currencyCode": "USD"}
    assert (shown["firstName"], shown["lastName"], shown["countryCode"]) == ("Ada", "Lovelace", "US")
    assert shown["scores"] == {"recency": 5, "frequency": 1, "monetary": 1}
    assert shown["orders"]["nodes"][0]["number"] == placed["order"]["number"]
    assert shown["orders"]["totalCount"] == 1
    events = {event["type"]: event for event in shown["timeline"]["nodes"]}
    assert events.keys() >= {"profile.created", "order.placed", "fulfillment.created", "order.fulfilled", "order.paid"}
    assert events["order.placed"]["orderId"] == placed["order"]["id"]
    assert events["order.placed"]["data"]["totalMinor"] == 2599
    assert events["order.placed"]["description"] == "An order was placed."
    assert shown["timeline"]["totalCount"] == len(shown["timeline"]["nodes"])
    assert await invariants.check() == []


async def test_staff_need_the_permission(api: Api, product: MadeProduct) -> None:
    profile_id = await customers.profile(email="ada@example.com")
    everything_else = await staff.signed_in(set(Permission) - {Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE})
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for token in (None, everything_else):
        assert (await api.query(PROFILE, {"id": gid(profile_id)}, token=token)).codes
        assert (await api.query(SEARCH, {"query": "ada"}, token=token)).codes
        assert (await api.ok(node, {"id": gid(profile_id)}, token=token))["node"] is None
        refused = await api.refused(UPDATE, {"id": gid(profile_id), "input": {"firstName": "Eve"}}, token=token)
        assert refused[0]["code"] in {"UNAUTHENTICATED", "FORBIDDEN"}
    assert await db.fetchval("SELECT first_name FROM profiles WHERE id = $1", profile_id) is None


async def test_people_are_found_by_what_staff_type(api: Api, staff_token: str, product: MadeProduct) -> None:
    await customers.profile(email="ada@example.com", phone="+14155550100", first_name="Ada", last_name="Lovelace")
    await customers.profile(email="grace@example.com", first_name="Grace", last_name="Hopper")
    await customers.visitor()

    async def found(query: str | None = None, **more: Any) -> list[str | None]:
        data = await api.ok(SEARCH, {"query": query, **more}, token=staff_token)
        return [node["email"] for node in data["profiles"]["nodes"]]

    assert await found("ADA@ex") == ["ada@example.com"]
    assert await found("love") == ["ada@example.com"]
    assert await found("grace hop") == ["grace@example.com"]
    assert await found("+1 (415) 555") == ["ada@example.com"]
    assert await found("_da") == []
    assert await found() == ["grace@example.com", "ada@example.com"]
    assert await found(stage="VISITOR") == [None]
    page = (await api.ok(SEARCH, {"first": 1}, token=staff_token))["profiles"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    assert await found(first=1, after=page["pageInfo"]["endCursor"]) == ["ada@example.com"]
    assert (await api.query(SEARCH, {"after": "x"}, token=staff_token)).codes == ["INVALID"]


async def test_a_list_costs_the_same_for_any_number(api: Api, staff_token: str, product: MadeProduct) -> None:
    async def cost() -> int:
        with db.counted_statements() as statements:
            await api.ok(MANY, token=staff_token)
        return len(statements)

    somebody = await customers.profile()
    await customers.past_order(somebody, (product.variant_id, 1))
    before = await cost()
    for _ in range(5):
        another = await customers.profile()
        await customers.past_order(another, (product.variant_id, 2), ago=timedelta(days=1))
    assert await cost() == before


async def test_staff_change_a_profile(api: Api, staff_token: str, product: MadeProduct) -> None:
    profile_id = await customers.profile(email="ada@example.com", first_name="Ada")

    async def update(**given: Any) -> dict[str, Any]:
        data = await api.ok(UPDATE, {"id": gid(profile_id), "input": given}, token=staff_token)
        profile: dict[str, Any] = data["profileUpdate"]["profile"]
        return profile

    after = await update(
        lastName=" Lovelace ",
        language="pt-br",
        timeZone="Europe/London",
        properties={"birthday": "1815-12-10", "vip": True},
    )
    assert (after["firstName"], after["lastName"], after["language"]) == ("Ada", "Lovelace", "pt-BR")
    assert after["properties"] == {"birthday": "1815-12-10", "vip": True}
    assert after["timeline"]["nodes"][0]["data"]["changed"] == (
        "lastName,language,timeZone,properties.birthday,properties.vip"
    )
    after = await update(firstName=None, properties={"vip": None, "points": 3})
    assert (after["firstName"], after["properties"]) == (None, {"birthday": "1815-12-10", "points": 3})
    events = after["timeline"]["totalCount"]
    assert (await update(lastName="Lovelace"))["timeline"]["totalCount"] == events, "nothing changed, nothing is told"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"countryCode": "XX"}, "INVALID_COUNTRY", ["countryCode"]),
        ({"language": "klingon!"}, "INVALID", ["language"]),
        ({"timeZone": "Mars/Base"}, "INVALID", ["timeZone"]),
        ({"firstName": "x" * 256}, "TOO_LONG", ["firstName"]),
        ({"properties": {"a b": 1}}, "INVALID", ["properties", "a b"]),
        ({"properties": {"list": [1]}}, "INVALID", ["properties", "list"]),
        ({"properties": {"text": "x" * 1001}}, "TOO_LONG", ["properties", "text"]),
        ({"properties": [1]}, "INVALID", ["properties"]),
        ({"properties": {f"p{number}": 1 for number in range(101)}}, "TOO_MANY", ["properties"]),
    ],
)
async def test_what_is_wrong_changes_nothing(
    api: Api, staff_token: str, product: MadeProduct, given: dict[str, Any], code: str, field: list[str]
) -> None:
    profile_id = await customers.profile(email="ada@example.com")
    before = await db.fetchrow("SELECT * FROM profiles")
    refused = await api.refused(
        UPDATE, {"id": gid(profile_id), "input": {"lastName": "Lovelace", **given}}, token=staff_token
    )
    assert [(error["code"], error["field"]) for error in refused] == [(code, ["input", *field])]
    assert await db.fetchrow("SELECT * FROM profiles") == before
    assert await types_of(profile_id) == ["profile.created"]


# --- what shoppers do -------------------------------------------------------------------------------------------------


async def test_a_cart_of_nobody_is_told_to_nobody(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    await api.ok(ADD, {"id": cart.gid, "lines": [{"variantId": product.variant_gid}]})
    assert await db.fetchval("SELECT count(*) FROM events") == 0
    assert await db.fetchval("SELECT count(*) FROM profiles") == 0


async def test_changes_of_a_known_cart_are_told(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"email": "ada@example.com"}})
    ada = await known("ada@example.com")
    await api.ok(ADD, {"id": cart.gid, "lines": [{"variantId": product.variant_gid}]})
    assert await told("cart.updated") == [{"profile_id": ada, "cart_id": cart.id, "order_id": None}] * 2
    assert await db.fetchval("SELECT profile_id FROM carts") == ada


async def test_a_contact_taken_out_takes_its_person_out(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1), email="ada@example.com")
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"email": None}})
    assert await db.fetchval("SELECT profile_id FROM carts") is None
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"email": "bob@example.com"}})
    assert await db.fetchval("SELECT profile_id FROM carts") == await known("bob@example.com")


async def test_a_phone_alone_is_somebody_too(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"phone": "+14155550100"}})
    (row,) = await db.fetch("SELECT p.phone, p.stage FROM carts c JOIN profiles p ON p.id = c.profile_id")
    assert dict(row) == {"phone": "+14155550100", "stage": "LEAD"}


async def start(api: Api, cart: carts.MadeCart, **given: Any) -> None:
    await api.ok(CHECKOUT, {"input": {"cartId": cart.gid, **given}})


async def test_a_checkout_starts_once_when_somebody_can_be_written_to(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    await start(api, cart)
    assert await told("checkout.started") == []
    await start(api, cart, email="ada@example.com", shippingAddress=checkout.ADDRESS)
    await start(api, cart, email="ada@example.com")
    (event,) = await told("checkout.started")
    assert event["profile_id"] == await known("ada@example.com")
    row = await db.fetchrow("SELECT first_name, country_code, postal_code FROM profiles")
    assert dict(row or {}) == {"first_name": "Ada", "country_code": "US", "postal_code": "94103"}
    (outbox,) = await db.fetch("SELECT payload->>'checkoutId' AS id FROM events WHERE type = 'checkout.started'")
    assert uuid.UUID(outbox["id"]) == await db.fetchval("SELECT id FROM checkouts")


async def test_a_checkout_starts_with_the_carts_contact(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1), email="ada@example.com")
    await start(api, cart)
    assert len(await told("checkout.started")) == 1


async def test_an_empty_cart_starts_its_checkout_with_the_first_line(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart()
    await start(api, cart, email="ada@example.com")
    assert await told("checkout.started") == []
    await api.ok(ADD, {"id": cart.gid, "lines": [{"variantId": product.variant_gid}]})
    await api.ok(ADD, {"id": cart.gid, "lines": [{"variantId": product.variant_gid}]})
    assert len(await told("checkout.started")) == 1


async def test_a_contact_in_the_cart_starts_the_checkout_that_is_there(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1))
    await start(api, cart)
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"phone": "+14155550100"}})
    assert len(await told("checkout.started")) == 1


async def test_ordering_with_another_email_than_the_carts(api: Api, product: MadeProduct, drain: Drain) -> None:
    """The order is the buyer's; the cart's person is reminded of it no more, and has bought nothing."""
    given = await checkout.ready_input(api, (product, 1), email="buyer@example.com")
    await api.ok(IDENTIFY, {"id": given["cartId"], "identity": {"email": "cart@example.com"}})
    assert (await checkout.complete(api, given))["order"]
    await drain()
    buyer, of_the_cart = await known("buyer@example.com"), await known("cart@example.com")
    assert {event["profile_id"] for event in await told("order.placed")} == {buyer, of_the_cart}
    assert await db.fetchval("SELECT profile_id FROM orders") == buyer
    assert await db.fetchval("SELECT profile_id FROM carts") == of_the_cart
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'order.placed'") == 1, "one order, one start"
    rows = await db.fetch("SELECT id, stage, order_count FROM profiles")
    assert {row["id"]: (row["stage"], row["order_count"]) for row in rows} == {
        buyer: ("FIRST_TIME", 1),
        of_the_cart: ("LEAD", 0),
    }
    assert await invariants.check() == []


async def test_an_order_that_is_cancelled_or_returned_is_told(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    await checkout.placed(api, (product, 1))
    await cancel_order(await db.fetchval("SELECT id FROM orders"), None)
    placed = await checkout.placed(api, (product, 1))
    made = await fulfill(api, staff_token, placed["order"]["id"])
    tracking = """mutation ($input: TrackingEventInput!) {
        trackingEventAdd(input: $input) { fulfillment { id } userErrors { code } } }"""
    for status in ("DELIVERED", "RETURNED"):
        sent = {"fulfillmentId": made["id"], "status": status}
        await api.ok(tracking, {"input": sent}, token=staff_token)
        await api.ok(tracking, {"input": sent}, token=staff_token)
    counted = [kind for kind in await types_of(await known()) if kind.startswith(("order.", "shipment."))]
    assert sorted(counted) == [
        "order.cancelled", "order.delivered", "order.fulfilled", "order.placed", "order.placed", "order.returned",
        "shipment.delivered",
    ]  # fmt: skip
    await drain()
    assert await invariants.check() == []
