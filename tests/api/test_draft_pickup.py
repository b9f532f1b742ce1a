"""A draft order that is fetched from a store: taxed and held there, shipped nowhere, and its link may come by text."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.customers import identification
from app.messaging import draft_order_mails
from app.privacy import erasure
from tests.client import Api
from tests.factories import account_mails, catalogue, checkout, drafts, inventory, taxes

Drain = Callable[[], Awaitable[None]]
STORE = """{"last_name": "Tradewind Store", "address1": "5 Pier Road", "city": "Portland", "province_code": "OR",
    "province": "Oregon", "postal_code": "97204", "country_code": "US"}"""
ORDER = """query ($id: ID!) { order(id: $id) {
    shippingAddress { city } cost { shipping { amount } }
    pickup { state promisedAt location { id name address { city } } }
} }"""
PHONE = "+14155550123"


@pytest.fixture
async def store(api: Api) -> Any:
    await checkout.shop_that_ships()
    await inventory.default_warehouse()
    store_id = await inventory.warehouse(code="STORE", name="Pier Store", priority=9)
    await db.execute(
        "UPDATE warehouses SET pickup_enabled = true, pickup_ready_hours = 2, address = $2::jsonb WHERE id = $1",
        store_id,
        STORE,
    )
    return store_id


def fetched(store_id: Any, variant_id: Any, quantity: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "lines": [{"variantId": f"var_{variant_id.hex}", "quantity": quantity}],
        "shippingAddress": None,
        "pickupLocationId": f"wh_{store_id.hex}",
        **more,
    }


async def test_it_is_taken_from_its_store_and_goes_to_no_address(
    api: Api, staff_token: str, store: Any, drain: Drain
) -> None:
    lantern = await catalogue.product(stock=5)
    shelf = await inventory.stock(lantern.variant_id, 2, warehouse_id=store)
    draft = await drafts.created(api, staff_token, **fetched(store, lantern.variant_id))
    link = await drafts.sent(api, staff_token, draft["id"])
    await drain()
    assert "Pier Store\nTradewind Store\n5 Pier Road" in (await account_mails.last(checkout.EMAIL, "draft_order")).text
    page = (await api.http.get(f"/offers/{link}")).text
    assert "Fetched from" in page
    assert "Pier Store<br>" in page
    assert "Shipping" not in page

    placed = await drafts.complete(api, link, payment=checkout.CARD)
    assert placed["userErrors"] == []
    assert await db.fetchval("SELECT reserved FROM stock_levels WHERE id = $1", shelf) == 2
    order = (await api.ok(ORDER, {"id": placed["order"]["id"]}, token=staff_token))["order"]
    assert (order["shippingAddress"], order["cost"]["shipping"]["amount"]) == (None, "0.00")
    assert (order["pickup"]["state"], order["pickup"]["promisedAt"] is None) == ("PREPARING", False)
    place = {"id": f"wh_{store.hex}", "name": "Pier Store", "address": {"city": "Portland"}}
    assert order["pickup"]["location"] == place
    await drain()
    assert "PICK UP AT Pier Store" in (await account_mails.last(checkout.EMAIL, "order_confirmation")).text
    assert await invariants.check() == []


async def test_what_its_store_has_not_is_not_taken_from_elsewhere(api: Api, staff_token: str, store: Any) -> None:
    lantern = await catalogue.product(stock=5)
    await inventory.stock(lantern.variant_id, 1, warehouse_id=store)
    draft = await drafts.created(api, staff_token, **fetched(store, lantern.variant_id))
    link = await drafts.sent(api, staff_token, draft["id"])
    before = await checkout.footprint()
    refused = await drafts.complete(api, link, payment=checkout.CARD)
    assert [one["code"] for one in refused["userErrors"]] == ["INSUFFICIENT_STOCK"]
    by_hand = await drafts.marked_complete(api, staff_token, draft["id"], paidBy="CASH_ON_DELIVERY")
    assert [one["code"] for one in by_hand["userErrors"]] == ["INSUFFICIENT_STOCK"]
    assert (await checkout.footprint())["orders"] == before["orders"]
    assert await db.fetchval("SELECT sum(reserved) FROM stock_levels") == 0


async def test_its_taxes_are_those_of_the_store(api: Api, staff_token: str, store: Any) -> None:
    await taxes.zone({"country": "US", "provinces": ["OR"]}, standard="10")
    lantern = await catalogue.product(stock=5, price_minor=1000)
    billed = {"billingAddress": checkout.ADDRESS}
    draft = await drafts.created(api, staff_token, **fetched(store, lantern.variant_id, **billed))
    assert draft["cost"]["tax"]["amount"] == "2.00"
    shipped = await drafts.created(api, staff_token, lines=[{"variantId": lantern.variant_gid, "quantity": 2}])
    assert shipped["cost"]["tax"]["amount"] == "0.00"


async def test_what_a_store_cannot_hand_out_is_refused(api: Api, staff_token: str, store: Any) -> None:
    lantern = await catalogue.product(stock=5)
    asked = fetched(store, lantern.variant_id)
    await db.execute("UPDATE warehouses SET pickup_enabled = false WHERE id = $1", store)
    refused = await drafts.create(api, staff_token, **asked)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [
        ("NOT_FOUND", ["input", "pickupLocationId"])
    ]
    await db.execute("UPDATE warehouses SET pickup_enabled = true WHERE id = $1", store)
    shipping = {"title": "Van", "price": drafts.usd("5")}
    both = await drafts.create(api, staff_token, **{**asked, "shippingAddress": checkout.ADDRESS, "shipping": shipping})
    assert [one["field"][-1] for one in both["userErrors"]] == ["shippingAddress", "shipping"]
    nothing = await drafts.create(api, staff_token, **{**asked, "lines": [drafts.custom()]})
    assert [one["code"] for one in nothing["userErrors"]] == ["INVALID"]
    assert await db.fetchval("SELECT count(*) FROM draft_orders") == 0


async def test_what_is_on_hold_promises_no_time_until_it_is_placed_without(
    api: Api, staff_token: str, store: Any, drain: Drain
) -> None:
    lantern = await catalogue.product(stock=5)
    await inventory.stock(lantern.variant_id, 2, warehouse_id=store)
    draft = await drafts.created(api, staff_token, **fetched(store, lantern.variant_id, needsGuarantee=True))
    done = await drafts.marked_complete(api, staff_token, draft["id"], paidBy="CASH_ON_DELIVERY")
    assert done["userErrors"] == []
    order = (await api.ok(ORDER, {"id": done["draftOrder"]["orderId"]}, token=staff_token))["order"]
    assert order["pickup"]["promisedAt"] is None
    await drain()
    confirmed = (await account_mails.last(checkout.EMAIL, "order_confirmation")).text
    assert "PICK UP AT Pier Store" in confirmed
    assert "Expected to be ready" not in confirmed


SENT = """mutation ($input: DraftOrderSendInput!) { draftOrderSend(input: $input) {
    draftOrder { sentBy url } userErrors { code }
} }"""


async def test_who_left_a_phone_number_alone_gets_the_link_by_text(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await checkout.shop_that_ships()
    draft = await drafts.created(api, staff_token, email=None, phone=PHONE)
    answer = (await api.ok(SENT, {"input": {"id": draft["id"]}}, token=staff_token))["draftOrderSend"]
    assert (answer["userErrors"], answer["draftOrder"]["sentBy"]) == ([], "SMS")
    await drain()
    row = await db.fetchrow("SELECT channel, purpose, recipient, state FROM messages")
    assert row is not None
    assert tuple(row) == ("SMS", "TRANSACTIONAL", PHONE, "SENT")
    text = (await db.fetchval("SELECT content FROM dev_messages")).decode()
    assert answer["draftOrder"]["url"] in text
    assert "$50.00" in text

    # Where no texts are sent, staff are told so, and nothing is tried.
    monkeypatch.setattr(draft_order_mails.providers, "is_configured", lambda *_: False)
    again = (await api.ok(SENT, {"input": {"id": draft["id"]}}, token=staff_token))["draftOrderSend"]
    assert again["draftOrder"]["sentBy"] is None
    await drain()
    assert await db.fetchval("SELECT count(*) FROM messages") == 1


async def test_who_has_both_is_mailed(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    draft = await drafts.created(api, staff_token, phone=PHONE)
    answer = (await api.ok(SENT, {"input": {"id": draft["id"]}}, token=staff_token))["draftOrderSend"]
    assert answer["draftOrder"]["sentBy"] == "EMAIL"
    await drain()
    assert await db.fetchval("SELECT array_agg(channel::text) FROM messages") == ["EMAIL"]


async def test_who_left_a_phone_number_alone_is_forgotten_by_it(api: Api, staff_token: str, drain: Drain) -> None:
    await checkout.shop_that_ships()
    for phone in (PHONE, "+14155550199"):
        await drafts.created(api, staff_token, email=None, phone=phone)
    async with db.unit_of_work():
        profile_id = await identification.identify(phone=PHONE, source="ACCOUNT")
    async with db.unit_of_work():
        await erasure.request_erasure(profile_id=profile_id)
    await drain()
    left = await db.fetch("SELECT content ->> 'phone' AS phone FROM draft_orders ORDER BY id")
    assert [row["phone"] for row in left] == [None, "+14155550199"]
