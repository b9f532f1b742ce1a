"""Shipping orders through the API: whole, in parts, in parcels; never more than was ordered."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app import db, invariants
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.factories.fulfillments import FULFILL, UPS_NUMBER, bought, everything, fulfill, order, stock

Drain = Callable[[], Awaitable[None]]
NOWHERE = "0" * 32


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> AsyncIterator[None]:
    """A shop whose books are right after every test."""
    await checkout.shop_that_ships()
    yield
    assert await invariants.check() == []


async def test_the_whole_order_in_one_parcel(api: Api, staff_token: str, drain: Drain) -> None:
    payload, line_ids = await bought(api, 2, 1)
    gid = payload["order"]["id"]
    assert await stock() == {"available": 17, "reserved": 3}

    fulfillment = await fulfill(api, staff_token, gid, trackingNumber="1z 5r8 939 03 5756 7127")
    assert [(line["orderLine"]["id"], line["quantity"]) for line in fulfillment["lines"]] == [
        (line_ids[0], 2), (line_ids[1], 1),
    ]  # fmt: skip
    assert fulfillment["lines"][0]["orderLine"]["productName"] == "Thing 0"
    (shipment,) = fulfillment["shipments"]
    promised = await db.fetchrow("SELECT shipping_quote -> 'estimatedDelivery' ->> 'to' AS latest FROM orders")
    assert promised is not None
    assert (shipment["carrier"], shipment["trackingNumber"]) == ("UPS", UPS_NUMBER)
    assert shipment["trackingUrl"] == f"https://www.ups.com/track?tracknum={UPS_NUMBER}"
    assert (shipment["status"], shipment["events"]) == ("LABEL_CREATED", [])
    assert shipment["estimatedDelivery"]["to"] == promised["latest"]
    assert await stock() == {"available": 17, "reserved": 0}

    read = await order(api, gid, token=payload["orderToken"])
    # The goods have left; the money follows, and completes it.
    assert (read["status"], read["paymentStatus"], read["fulfillmentStatus"]) == ("OPEN", "AUTHORIZED", "FULFILLED")
    assert [line["fulfilledQuantity"] for line in read["lines"]["nodes"]] == [2, 1]
    assert read["fulfillments"][0]["id"] == fulfillment["id"]
    await drain()
    read = await order(api, gid, token=payload["orderToken"])
    assert (read["status"], read["paymentStatus"], read["fulfillmentStatus"]) == ("COMPLETED", "PAID", "FULFILLED")


async def test_in_two_parts_each_of_which_ships_its_own_units(api: Api, staff_token: str, drain: Drain) -> None:
    payload, line_ids = await bought(api, 3, 2)
    gid = payload["order"]["id"]

    first = await fulfill(api, staff_token, gid, lines=[{"orderLineId": line_ids[0], "quantity": 2}])
    assert [(line["orderLine"]["id"], line["quantity"]) for line in first["lines"]] == [(line_ids[0], 2)]
    assert await stock() == {"available": 15, "reserved": 3}
    await drain()
    read = await order(api, gid, staff=staff_token)
    # Each parcel's money is taken with it; the first one's has the shipping with it.
    assert (read["status"], read["paymentStatus"]) == ("OPEN", "PARTIALLY_PAID")
    assert read["fulfillmentStatus"] == "PARTIALLY_FULFILLED"

    second = await fulfill(api, staff_token, gid)
    assert [(line["orderLine"]["id"], line["quantity"]) for line in second["lines"]] == [
        (line_ids[0], 1), (line_ids[1], 2),
    ]  # fmt: skip
    assert await stock() == {"available": 15, "reserved": 0}
    await drain()
    read = await order(api, gid, staff=staff_token)
    assert (read["status"], read["paymentStatus"], read["fulfillmentStatus"]) == ("COMPLETED", "PAID", "FULFILLED")
    assert [one["id"] for one in read["fulfillments"]] == [first["id"], second["id"]]


async def test_two_lines_of_one_variant_draw_on_the_same_reservation(api: Api, staff_token: str) -> None:
    mug = await catalogue.product(stock=10)
    made = await api.ok(
        """mutation ($lines: [CartLineInput!]!) {
            cartCreate(input: { lines: $lines }) { cart { id } userErrors { code message } }
        }""",
        {
            "lines": [
                {"variantId": mug.variant_gid, "quantity": 2, "attributes": [{"key": "Engraving", "value": "Ada"}]},
                {"variantId": mug.variant_gid, "quantity": 3},
            ]
        },
    )
    cart_gid = made["cartCreate"]["cart"]["id"]
    given = {
        "cartId": cart_gid, "idempotencyKey": checkout.new_key(), "email": checkout.EMAIL,
        "shippingAddress": checkout.ADDRESS, "shippingQuoteId": await checkout.quote_for(api, cart_gid),
        "payment": checkout.CARD,
    }  # fmt: skip
    payload = await checkout.complete(api, given)
    gid = payload["order"]["id"]
    lines = (await order(api, gid, staff=staff_token))["lines"]["nodes"]
    engraved = next(line["id"] for line in lines if line["quantity"] == 2)
    await fulfill(api, staff_token, gid, lines=[{"orderLineId": engraved, "quantity": 1}] * 2)
    assert await stock() == {"available": 5, "reserved": 3}
    await fulfill(api, staff_token, gid)
    assert await stock() == {"available": 5, "reserved": 0}


async def test_several_parcels_keep_their_order(api: Api, staff_token: str) -> None:
    payload, _ = await bought(api, 3)
    fulfillment = await fulfill(
        api,
        staff_token,
        payload["order"]["id"],
        parcels=[{"trackingNumber": UPS_NUMBER}, {"carrier": "fed-ex", "trackingNumber": "1234 5678"}, {}],
    )
    assert [(s["carrier"], s["trackingNumber"]) for s in fulfillment["shipments"]] == [
        ("UPS", UPS_NUMBER),
        ("FedEx", "12345678"),
        ("UPS", None),  # nobody said: whoever was promised
    ]
    assert len({shipment["id"] for shipment in fulfillment["shipments"]}) == 3


@pytest.mark.parametrize(
    ("promised", "warehouse", "parcel", "expected"),
    [
        ("UPS", "US", {}, ("UPS", None)),
        ("UPS", "US", {"carrier": "Harbour Couriers", "trackingNumber": "HC 1/2"}, ("Harbour Couriers", None)),
        ("UPS", "US", {"carrier": "ups"}, ("UPS", None)),
        # Twelve digits that FedEx or DHL Paket could have given: the warehouse's country decides, or the promise.
        ("UPS", "US", {"trackingNumber": "2012 9845 2277"}, ("FedEx", "fedex.com")),
        ("DHL Paket", "DE", {"trackingNumber": "2012 9845 2277"}, ("DHL Paket", "dhl.de")),
        # Whoever was promised has no such numbers, so it went with somebody else.
        ("DPD", "DE", {"trackingNumber": "2012 9845 2277"}, ("Other", None)),
        # Nothing that is known of: it stays with the carrier that was promised, without a link that may lead nowhere.
        ("DPD", "DE", {"trackingNumber": "ABC-77"}, ("DPD", None)),
    ],
)
async def test_the_carrier_is_named_recognised_or_the_one_that_was_promised(
    api: Api,
    staff_token: str,
    promised: str,
    warehouse: str,
    parcel: dict[str, str],
    expected: tuple[str, str | None],
) -> None:
    await db.execute("UPDATE warehouses SET country_code = $1", warehouse)
    await db.execute("UPDATE shipping_methods SET carrier = $1", promised)
    payload, _ = await bought(api, 1)
    (shipment,) = (await fulfill(api, staff_token, payload["order"]["id"], **parcel))["shipments"]
    carrier, page = expected
    assert shipment["carrier"] == carrier
    assert (page in shipment["trackingUrl"]) if page else shipment["trackingUrl"] is None


async def test_what_leaves_after_the_promised_days_has_no_estimate(
    api: Api, staff_token: str, advance: Callable[[str], Awaitable[None]]
) -> None:
    payload, _ = await bought(api, 1)
    await advance("P30D")
    (shipment,) = (await fulfill(api, staff_token, payload["order"]["id"]))["shipments"]
    assert shipment["estimatedDelivery"] is None


# --- what does not ship -----------------------------------------------------------------------------------------------


async def test_only_what_ships_is_shipped_and_completes_the_order(api: Api, staff_token: str, drain: Drain) -> None:
    guide = await catalogue.product(name="Guide", kind="DIGITAL", stock=None, requires_shipping=False)
    mug = await catalogue.product(name="Mug", stock=10)
    payload = await checkout.placed(api, (guide, 1), (mug, 2))
    gid = payload["order"]["id"]
    lines = (await order(api, gid, staff=staff_token))["lines"]["nodes"]
    (download,) = [line["id"] for line in lines if not line["requiresShipping"]]

    before = await everything()
    (error,) = await api.refused(
        FULFILL, {"input": {"orderId": gid, "lines": [{"orderLineId": download, "quantity": 1}]}}, token=staff_token
    )
    assert (error["code"], error["field"]) == ("FULFILLMENT_EXCEEDS_ORDER", ["input", "lines", "0", "quantity"])
    assert await everything() == before

    fulfillment = await fulfill(api, staff_token, gid)
    assert [(line["orderLine"]["productName"], line["quantity"]) for line in fulfillment["lines"]] == [("Mug", 2)]
    await drain()
    read = await order(api, gid, staff=staff_token)
    assert (read["status"], read["fulfillmentStatus"]) == ("COMPLETED", "FULFILLED")


async def test_of_a_download_nothing_is_to_be_shipped(api: Api, staff_token: str, drain: Drain) -> None:
    guide = await catalogue.product(name="Guide", kind="DIGITAL", stock=None, requires_shipping=False)
    made = await api.ok(
        """mutation ($id: ID!) {
            cartCreate(input: { lines: [{ variantId: $id }] }) { cart { id } userErrors { code message } }
        }""",
        {"id": guide.variant_gid},
    )
    payload = await checkout.complete(
        api,
        {
            "cartId": made["cartCreate"]["cart"]["id"],
            "idempotencyKey": checkout.new_key(),
            "email": checkout.EMAIL,
            "payment": checkout.CARD,
        },
    )
    gid = payload["order"]["id"]
    await drain()
    read = await order(api, gid, staff=staff_token)
    assert (read["status"], read["fulfillmentStatus"]) == ("COMPLETED", "NOT_REQUIRED")
    before = await everything()
    (error,) = await api.refused(FULFILL, {"input": {"orderId": gid}}, token=staff_token)
    assert error["code"] == "NOTHING_TO_FULFILL"
    assert await everything() == before


# --- paid at the door -------------------------------------------------------------------------------------------------

MARK_AS_PAID = """mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) {
    order { status paymentStatus } userErrors { code message }
} }"""


@pytest.mark.parametrize("paid_first", [True, False])
async def test_cash_on_delivery_completes_once_shipped_and_paid(
    api: Api, staff_token: str, drain: Drain, paid_first: bool
) -> None:
    payload, _ = await bought(api, 2, payment=checkout.CASH)
    gid = payload["order"]["id"]
    steps = [
        lambda: api.ok(MARK_AS_PAID, {"id": gid}, token=staff_token),
        lambda: fulfill(api, staff_token, gid),
    ]
    if not paid_first:
        steps.reverse()
    await steps[0]()
    await drain()
    read = await order(api, gid, staff=staff_token)
    assert read["status"] == "OPEN"
    assert read["paymentStatus"] == ("PAID" if paid_first else "PENDING")
    await steps[1]()
    await drain()
    read = await order(api, gid, staff=staff_token)
    assert (read["status"], read["paymentStatus"], read["fulfillmentStatus"]) == ("COMPLETED", "PAID", "FULFILLED")


# --- cost -------------------------------------------------------------------------------------------------------------


async def test_shipping_takes_as_many_statements_for_many_lines_as_for_one(api: Api, staff_token: str) -> None:
    counts = []
    for quantities, parcels in (((1,), 1), ((2, 1, 3, 1), 5)):
        payload, _ = await bought(api, *quantities)
        with db.counted_statements() as statements:
            await fulfill(api, staff_token, payload["order"]["id"], parcels=[{}] * parcels)
        counts.append(len(statements))
    assert sum("INSERT INTO audit_entries" in each for each in statements) == 1
    assert counts[0] == counts[1] <= 19, "18, and the entry that every mutation of staff writes in the audit log"


async def test_orders_are_listed_with_what_was_shipped_in_as_many_statements_as_one(api: Api, staff_token: str) -> None:
    document = """query ($first: Int) { orders(first: $first) { nodes {
        number fulfillments {
            lines { quantity orderLine { productName variant { id name } } } shipments { carrier events { status } }
        }
    } } }"""
    for units in (1, 2, 3):
        payload, line_ids = await bought(api, units, 1)
        await fulfill(api, staff_token, payload["order"]["id"], lines=[{"orderLineId": line_ids[1], "quantity": 1}])
        await fulfill(api, staff_token, payload["order"]["id"])
    counts = []
    for first in (1, 3):
        with db.counted_statements() as statements:
            listed = await api.ok(document, {"first": first}, token=staff_token)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 7
    nodes = listed["orders"]["nodes"]
    assert [[sum(line["quantity"] for line in one["lines"]) for one in node["fulfillments"]] for node in nodes] == [
        [1, 3], [1, 2], [1, 1],
    ]  # fmt: skip
    assert all(
        line["orderLine"]["variant"]["id"] and line["orderLine"]["productName"]
        for node in nodes for one in node["fulfillments"] for line in one["lines"]
    )  # fmt: skip
