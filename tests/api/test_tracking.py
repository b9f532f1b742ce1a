"""Following an order: who may look, what they see, and mails for what happens on the way."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db
from schema import build_schema
from schema.fulfillments import tracking
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.factories.fulfillments import TRACK, UPS_NUMBER, everything, fulfill, track

Drain = Callable[[], Awaitable[None]]

LOOK = """query ($number: String, $email: String, $token: String) {
    orderTracking(number: $number, email: $email, token: $token) {
        number status fulfillmentStatus estimatedDelivery { from to }
        shipments {
            id carrier trackingNumber trackingUrl status estimatedDelivery { from to }
            events { status description location occurredAt }
        }
    }
}"""
INBOX = "query ($to: String) { devInbox(to: $to) { subject text } }"
NOWHERE = "0" * 32


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def look(api: Api, **by: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await api.ok(LOOK, by))["orderTracking"]
    return found


async def mails(api: Api, staff_token: str) -> list[dict[str, Any]]:
    """Newest first."""
    found: list[dict[str, Any]] = (await api.ok(INBOX, {"to": checkout.EMAIL}, token=staff_token))["devInbox"]
    return found


# --- who may look -----------------------------------------------------------------------------------------------------


async def test_the_token_or_the_number_with_the_email_shows_where_an_order_is(api: Api) -> None:
    payload = await checkout.placed(api)
    number = payload["order"]["number"]
    seen = await look(api, token=payload["orderToken"])
    assert seen is not None
    assert (seen["number"], seen["status"], seen["fulfillmentStatus"]) == (number, "OPEN", "UNFULFILLED")
    assert seen["estimatedDelivery"]["from"] <= seen["estimatedDelivery"]["to"]
    assert seen["shipments"] == []
    for typed, email in (
        (number, checkout.EMAIL),
        (f"#{number}", checkout.EMAIL.upper()),
        (f" # {number} ", f"  {checkout.EMAIL} "),
    ):
        assert await look(api, number=typed, email=email) == seen


async def test_what_does_not_fit_looks_like_what_is_not_there(api: Api) -> None:
    payload = await checkout.placed(api)
    other = await checkout.placed(api, email="grace@example.com")
    number = payload["order"]["number"]
    for by in (
        {"number": number, "email": "somebody@example.com"},
        {"number": number, "email": "grace@example.com"},
        {"number": other["order"]["number"], "email": checkout.EMAIL},
        {"number": "999999", "email": checkout.EMAIL},
        {"number": number, "email": "%"},
        {"number": number, "email": "\u0000"},
        {"number": "1001; --", "email": checkout.EMAIL},
        {"number": "9" * 30, "email": checkout.EMAIL},
        {"number": "٣٤", "email": checkout.EMAIL},
        {"token": "nonsense"},
        {"token": payload["order"]["id"]},
        {"token": number},
        # The wrong token is not made up for by a pair that fits.
        {"token": "nonsense", "number": number, "email": checkout.EMAIL},
    ):
        assert await look(api, **by) is None, by


@pytest.mark.parametrize(
    ("by", "missing"),
    [({}, "token"), ({"number": "1001"}, "email"), ({"email": "ada@example.com"}, "number"), ({"token": ""}, "token")],
)
async def test_a_number_alone_opens_nothing(api: Api, by: dict[str, str], missing: str) -> None:
    await checkout.placed(api)
    refused = await api.query(LOOK, by)
    assert refused.data == {"orderTracking": None}
    assert refused.codes == ["REQUIRED"]
    assert refused.errors[0]["extensions"]["field"] == [missing]


def test_nothing_personal_can_be_asked_of_tracking() -> None:
    """No name, address, contact, line or price: whoever finds a receipt's number learns where parcels are."""
    sdl = build_schema(development=False)._schema
    seen: dict[str, set[str]] = {}
    for name in ("OrderTracking", "Shipment", "TrackingEvent"):
        seen[name] = set(sdl.type_map[name].fields)
    assert seen == {
        "OrderTracking": {"number", "status", "fulfillmentStatus", "estimatedDelivery", "shipments"},
        "Shipment": {"id", "carrier", "trackingNumber", "trackingUrl", "status", "estimatedDelivery", "events"},
        "TrackingEvent": {"status", "description", "location", "occurredAt"},
    }


async def test_guessing_pairs_is_limited_and_tokens_are_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "LOOK_UPS_PER_ADDRESS", 3)
    payload = await checkout.placed(api)
    number = payload["order"]["number"]
    for guess in range(3):
        assert await look(api, number=number, email=f"guess{guess}@example.com") is None
    # From now on the right pair is refused too, or the limit would tell which one it is.
    limited = await api.query(LOOK, {"number": number, "email": checkout.EMAIL})
    assert limited.codes == ["RATE_LIMITED"]
    assert limited.data == {"orderTracking": None}
    for _ in range(5):
        assert await look(api, token=payload["orderToken"])


# --- what is seen -----------------------------------------------------------------------------------------------------


async def test_an_order_that_has_left_in_part_shows_the_parcels_that_have(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api, (await catalogue.product(), 3))
    lines = await api.ok(
        "query ($id: ID!) { order(id: $id) { lines { nodes { id } } } }",
        {"id": payload["order"]["id"]},
        token=staff_token,
    )
    (line,) = lines["order"]["lines"]["nodes"]
    one = [{"orderLineId": line["id"], "quantity": 1}]
    await fulfill(api, staff_token, payload["order"]["id"], lines=one, trackingNumber=UPS_NUMBER)
    seen = await look(api, token=payload["orderToken"])
    assert seen is not None
    assert (seen["status"], seen["fulfillmentStatus"]) == ("OPEN", "PARTIALLY_FULFILLED")
    (parcel,) = seen["shipments"]
    assert (parcel["carrier"], parcel["trackingNumber"], parcel["status"]) == ("UPS", UPS_NUMBER, "LABEL_CREATED")
    assert parcel["estimatedDelivery"] == seen["estimatedDelivery"]

    await fulfill(api, staff_token, payload["order"]["id"], parcels=[{}, {"carrier": "FedEx"}])
    seen = await look(api, token=payload["orderToken"])
    assert seen is not None
    assert seen["fulfillmentStatus"] == "FULFILLED"
    assert [shipment["carrier"] for shipment in seen["shipments"]] == ["UPS", "UPS", "FedEx"]


async def test_a_cancelled_order_is_not_on_its_way(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api)
    await api.ok(
        "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }",
        {"id": payload["order"]["id"]},
        token=staff_token,
    )
    seen = await look(api, number=payload["order"]["number"], email=checkout.EMAIL)
    assert seen is not None
    assert (seen["status"], seen["estimatedDelivery"], seen["shipments"]) == ("CANCELLED", None, [])


async def test_an_order_of_downloads_has_nothing_to_follow(api: Api, drain: Drain) -> None:
    guide = await catalogue.product(kind="DIGITAL", stock=None, requires_shipping=False)
    made = await api.ok(
        """mutation ($id: ID!) {
            cartCreate(input: { lines: [{ variantId: $id }] }) { cart { id } userErrors { code message } }
        }""",
        {"id": guide.variant_gid},
    )
    given = {
        "cartId": made["cartCreate"]["cart"]["id"],
        "idempotencyKey": checkout.new_key(),
        "email": checkout.EMAIL,
        "payment": checkout.CARD,
    }
    payload = await checkout.complete(api, given)
    await drain()
    seen = await look(api, token=payload["orderToken"])
    assert seen is not None
    assert (seen["status"], seen["fulfillmentStatus"]) == ("COMPLETED", "NOT_REQUIRED")
    assert (seen["estimatedDelivery"], seen["shipments"]) == (None, [])


async def test_looking_takes_one_statement_however_much_there_is(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api)
    fulfillment = await fulfill(api, staff_token, payload["order"]["id"], parcels=[{}, {}, {}])
    for shipment in fulfillment["shipments"]:
        for status in ("IN_TRANSIT", "OUT_FOR_DELIVERY"):
            await track(api, staff_token, fulfillment["id"], status, shipmentId=shipment["id"])
    with db.counted_statements() as statements:
        await look(api, token=payload["orderToken"])
    assert len(statements) == 1


# --- what carriers say ------------------------------------------------------------------------------------------------


async def test_a_parcel_moves_forward_and_events_are_shown_newest_first(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api)
    fulfillment = await fulfill(api, staff_token, payload["order"]["id"])
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    statuses: list[str] = []
    for hours, status, text in (
        (1, "IN_TRANSIT", "Picked up"),
        (30, "DELIVERED", "Front door"),
        (20, "OUT_FOR_DELIVERY", "On the vehicle"),  # late
        (30, "DELIVERED", "Front door"),  # again
    ):
        occurred_at = (start + timedelta(hours=hours)).isoformat()
        seen = await track(
            api, staff_token, fulfillment["id"], status, description=text, location="Oakland", occurredAt=occurred_at
        )
        statuses.append(seen["shipments"][0]["status"])
    assert statuses == ["IN_TRANSIT", "DELIVERED", "DELIVERED", "DELIVERED"]
    tracked = await look(api, token=payload["orderToken"])
    assert tracked is not None
    (parcel,) = tracked["shipments"]
    assert [(event["status"], event["description"], event["location"]) for event in parcel["events"]] == [
        ("DELIVERED", "Front door", "Oakland"),
        ("OUT_FOR_DELIVERY", "On the vehicle", "Oakland"),
        ("IN_TRANSIT", "Picked up", "Oakland"),
    ]
    assert datetime.fromisoformat(parcel["events"][0]["occurredAt"]) == start + timedelta(hours=30)


async def test_an_event_that_is_known_by_its_id_changes_nothing_even_if_it_says_otherwise(
    api: Api, staff_token: str
) -> None:
    fulfillment = await fulfill(api, staff_token, (await checkout.placed(api))["order"]["id"])
    await track(api, staff_token, fulfillment["id"], "IN_TRANSIT", externalId="evt-1", description="Picked up")
    before = await everything()
    seen = await track(api, staff_token, fulfillment["id"], "DELIVERED", externalId="evt-1", description="Handed over")
    assert seen["shipments"][0]["status"] == "IN_TRANSIT"
    assert await everything() == before


async def test_the_same_id_on_another_parcel_is_another_event(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api)
    fulfillment = await fulfill(api, staff_token, payload["order"]["id"], parcels=[{}, {}])
    for shipment in fulfillment["shipments"]:
        await track(api, staff_token, fulfillment["id"], "DELIVERED", shipmentId=shipment["id"], externalId="1")
    seen = await look(api, token=payload["orderToken"])
    assert seen is not None
    assert [shipment["status"] for shipment in seen["shipments"]] == ["DELIVERED", "DELIVERED"]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"fulfillmentId": f"ful_{NOWHERE}"}, "NOT_FOUND", "fulfillmentId"),
        ({"fulfillmentId": "nonsense"}, "INVALID_ID", "fulfillmentId"),
        ({"shipmentId": f"shp_{NOWHERE}"}, "NOT_FOUND", "shipmentId"),
        ({"shipmentId": "other"}, "NOT_FOUND", "shipmentId"),
        ({}, "SHIPMENT_REQUIRED", "shipmentId"),
        ({"description": "x" * 501}, "TOO_LONG", "description"),
        ({"location": "x" * 256}, "TOO_LONG", "location"),
        ({"externalId": "x" * 256}, "TOO_LONG", "externalId"),
        ({"description": "a\u0000b"}, "INVALID", "description"),
        ({"location": "a\u001bb"}, "INVALID", "location"),
        ({"shipmentId": "mine", "occurredAt": "9999-01-01T00:00:00Z"}, "OUT_OF_RANGE", "occurredAt"),
        ({"shipmentId": "mine", "occurredAt": "1970-01-01T00:00:00Z"}, "OUT_OF_RANGE", "occurredAt"),
    ],
)
async def test_a_refused_event_changes_nothing(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: str
) -> None:
    mine = await fulfill(api, staff_token, (await checkout.placed(api))["order"]["id"], parcels=[{}, {}])
    other = await fulfill(api, staff_token, (await checkout.placed(api))["order"]["id"])
    named = {"mine": mine["shipments"][0]["id"], "other": other["shipments"][0]["id"]}
    event = {"fulfillmentId": mine["id"], "status": "DELIVERED", **given}
    if "shipmentId" in event:
        event["shipmentId"] = named.get(event["shipmentId"], event["shipmentId"])
    before = await everything()
    (error,) = await api.refused(TRACK, {"input": event}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await everything() == before


async def test_only_staff_note_what_carriers_say(api: Api, staff_token: str) -> None:
    payload = await checkout.placed(api)
    fulfillment = await fulfill(api, staff_token, payload["order"]["id"])
    before = await everything()
    event = {"fulfillmentId": fulfillment["id"], "status": "DELIVERED"}
    for token in (None, payload["orderToken"]):
        (error,) = await api.refused(TRACK, {"input": event}, token=token)
        assert error["code"] == "UNAUTHENTICATED"
    assert await everything() == before


# --- mails ------------------------------------------------------------------------------------------------------------


async def test_each_step_is_told_once_whatever_comes_again_or_late(api: Api, staff_token: str, drain: Drain) -> None:
    payload = await checkout.placed(api)
    fulfillment = await fulfill(api, staff_token, payload["order"]["id"], trackingNumber=UPS_NUMBER)
    await drain()
    for status in (
        "IN_TRANSIT", "OUT_FOR_DELIVERY", "FAILED", "OUT_FOR_DELIVERY", "DELIVERED", "OUT_FOR_DELIVERY", "DELIVERED",
    ):  # fmt: skip
        await track(api, staff_token, fulfillment["id"], status)
        await drain()
    assert [mail["subject"] for mail in await mails(api, staff_token)] == [
        "Order 1001 was delivered",
        "Order 1001 is out for delivery",
        "Order 1001 is on its way",
        "Order 1001 confirmed",
    ]


async def test_every_parcel_has_mails_of_its_own(api: Api, staff_token: str, drain: Drain) -> None:
    payload = await checkout.placed(api)
    numbers = (UPS_NUMBER, "1Z879E930346834440")
    fulfillment = await fulfill(
        api, staff_token, payload["order"]["id"], parcels=[{"trackingNumber": number} for number in numbers]
    )
    await drain()
    for shipment in fulfillment["shipments"]:
        await track(api, staff_token, fulfillment["id"], "DELIVERED", shipmentId=shipment["id"])
        await drain()
    second, first, shipped, _ = await mails(api, staff_token)
    assert shipped["subject"] == "Order 1001 is on its way"
    assert all(number in shipped["text"] for number in numbers)
    for mail, number, other in ((first, numbers[0], numbers[1]), (second, numbers[1], numbers[0])):
        assert mail["subject"] == "A parcel of order 1001 was delivered"
        assert number in mail["text"]
        assert other not in mail["text"]


async def test_a_first_parcel_that_arrives_is_not_the_whole_order(api: Api, staff_token: str, drain: Drain) -> None:
    payload = await checkout.placed(api, (await catalogue.product(), 1), (await catalogue.product(), 1))
    gid = payload["order"]["id"]
    read = await api.ok(
        "query ($id: ID!) { order(id: $id) { lines { nodes { id } } } }", {"id": gid}, token=staff_token
    )
    first, _ = read["order"]["lines"]["nodes"]
    fulfillment = await fulfill(api, staff_token, gid, lines=[{"orderLineId": first["id"], "quantity": 1}])
    await drain()
    await track(api, staff_token, fulfillment["id"], "DELIVERED")
    await drain()
    assert [mail["subject"] for mail in await mails(api, staff_token)] == [
        "A parcel of order 1001 was delivered",
        "Part of order 1001 is on its way",
        "Order 1001 confirmed",
    ]


async def test_staff_can_ship_without_a_word(api: Api, staff_token: str, drain: Drain) -> None:
    payload = await checkout.placed(api)
    await fulfill(api, staff_token, payload["order"]["id"], notifyCustomer=False)
    await drain()
    assert [mail["subject"] for mail in await mails(api, staff_token)] == ["Order 1001 confirmed"]
