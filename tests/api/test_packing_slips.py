"""Slips as they are printed: what whoever packs and whoever opens it reads, and what nobody is to read."""

import io
import re
import time
from typing import Any

import pytest
from pypdf import PdfReader

from app import db
from app.gifting import printing
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, inventory
from tests.factories.fulfillments import fulfill
from tests.factories.terms import ENGRAVING, WOOD, terms

SLIP = """query ($id: ID, $order: ID) { packingSlip(fulfillmentId: $id, orderId: $order) {
    url hidesPrices recipient pickup lines { productName quantity unitPrice { amount } customizations { label value } }
} }"""
ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { userErrors { code } } }"""
GIVE = """mutation ($id: ID!, $options: GiftOptionsInput!) {
    cartGiftOptionsUpdate(cartId: $id, giftOptions: $options) { userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()
    await db.execute("INSERT INTO gift_settings VALUES (1, true, 'Gift wrap', now())")
    await db.execute("INSERT INTO gift_wrap_prices VALUES ('USD', 500, 150, now())")


async def printed(api: Api, url: str) -> str:
    answer = await api.http.get("/" + url.split("/", 3)[3])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf"), answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    return re.sub(r"\s+", " ", text)


async def gift_order(api: Api, **options: Any) -> str:
    """Two engraved boxes, one of them wrapped, and a digital thing."""
    box = await catalogue.product(name="Music box", price_minor=12_34)
    song = await catalogue.product(name="Song", kind="DIGITAL", requires_shipping=False, stock=None)
    await terms(box.id, ENGRAVING, WOOD)
    cart = await carts.cart()
    made = [{"key": "wood", "value": "walnut"}, {"key": "engraving", "value": "für *Ada* #1"}]
    lines = [
        {"variantId": box.variant_gid, "customizations": made},
        {"variantId": box.variant_gid, "giftOptions": {"wrap": True, "message": "With love,\nBob"}},
        {"variantId": song.variant_gid},
    ]
    await api.ok(ADD, {"id": cart.gid, "lines": lines})
    if options:
        await api.ok(GIVE, {"id": cart.gid, "options": options})
    given = await checkout.ready_input(api, (box, 1))
    quote = await checkout.quote_for(api, cart.gid)
    payload = await checkout.complete(api, {**given, "cartId": cart.gid, "shippingQuoteId": quote})
    assert payload["order"], payload["userErrors"]
    order: str = payload["order"]["id"]
    return order


async def test_a_gifts_slip_is_printed_without_any_price(api: Api, staff_token: str) -> None:
    order = await gift_order(api, wrap=True, message="Happy birthday", hidePrices=True)
    slip = (await api.ok(SLIP, {"order": order}, token=staff_token))["packingSlip"]
    assert [(line["productName"], line["quantity"], line["unitPrice"]) for line in slip["lines"]] == [
        ("Music box", 1, None),
        ("Music box", 1, None),
    ]
    assert slip["lines"][0]["customizations"] == [
        {"label": "Engraving", "value": "für *Ada* #1"},
        {"label": "Wood", "value": "Walnut"},
    ]
    text = await printed(api, slip["url"])
    for said in ("Ada Lovelace", "1 Market Street", "Wood: Walnut", "Engraving: für *Ada* #1", "Wrap the whole order"):
        assert said in text
    for said in ("Happy birthday", "Wrap each of them", "With love, Bob"):
        assert said in text
    # The goods are 12.34, the options 9.00 and 25.00, wraps 5.00 and 1.50, shipping 5.99.
    assert not re.search(r"\$|USD|\d[.,]\d\d|Unit price", text), text
    assert "Song" not in text

    fulfillment = await fulfill(api, staff_token, order)
    left = (await api.ok(SLIP, {"order": order}, token=staff_token))["packingSlip"]
    assert left["lines"] == []
    packed = (await api.ok(SLIP, {"id": fulfillment["id"]}, token=staff_token))["packingSlip"]
    assert packed["lines"] == slip["lines"]
    assert "With love, Bob" in await printed(api, packed["url"])


async def test_what_is_no_gift_is_printed_with_its_prices(api: Api, staff_token: str) -> None:
    slip = (await api.ok(SLIP, {"order": await gift_order(api)}, token=staff_token))["packingSlip"]
    text = await printed(api, slip["url"])
    assert "Unit price" in text
    # 12.34 + 9.00 + 25.00, and 12.34 alone
    assert ("$46.34" in text, "$12.34" in text) == (True, True)


async def test_what_is_fetched_says_from_where(api: Api, staff_token: str) -> None:
    store = await inventory.warehouse(code="STORE", name="Pier Store", priority=9)
    address = (
        '{"last_name": "Tradewind", "address1": "5 Pier Road", "city": "Portland", "province_code": "OR", '
        '"postal_code": "97204", "country_code": "US"}'
    )
    await db.execute("UPDATE warehouses SET pickup_enabled = true, address = $2 WHERE id = $1", store, address)
    pen = await catalogue.product(stock=None, name="Pen")
    cart = await carts.cart((pen.variant_id, 1))
    quotes = "query ($i: ShippingQuotesInput!) { shippingQuotes(input: $i) { quotes { id kind } } }"
    found = await api.ok(quotes, {"i": {"cartId": cart.gid, "address": {"countryCode": "US"}}})
    (quote,) = [one["id"] for one in found["shippingQuotes"]["quotes"] if one["kind"] == "PICKUP"]
    placed = await checkout.complete(
        api,
        {
            "cartId": cart.gid,
            "idempotencyKey": checkout.new_key(),
            "email": checkout.EMAIL,
            "billingAddress": checkout.ADDRESS,
            "shippingQuoteId": quote,
            "payment": checkout.CARD,
        },
    )
    slip = (await api.ok(SLIP, {"order": placed["order"]["id"]}, token=staff_token))["packingSlip"]
    assert (slip["recipient"], slip["pickup"][0], slip["lines"][0]["quantity"]) == (["Ada Lovelace"], "Pier Store", 1)
    text = await printed(api, slip["url"])
    assert "To be picked up at Pier Store" in text
    assert "5 Pier Road" in text


async def test_a_link_is_for_who_may_read_orders_and_for_minutes(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = (await checkout.placed(api))["order"]["id"]
    for given in ({}, {"order": order, "id": order}):
        refused = await api.query(SLIP, given, token=staff_token)
        assert [error["extensions"]["code"] for error in refused.errors or []] == ["INVALID"]
    url = (await api.ok(SLIP, {"order": order}, token=staff_token))["packingSlip"]["url"]
    path = "/" + url.split("/", 3)[3]
    for other in ("/packing-slips/x.pdf", path.replace(".pdf", "x.pdf"), f"/packing-slips/{'a' * 500}.pdf"):
        assert (await api.http.get(other)).status_code == 404
    assert (await api.http.get(path)).status_code == 200
    with monkeypatch.context() as later:
        too_late = time.time() + printing.LINK_SECONDS + 1
        later.setattr(printing.time, "time", lambda: too_late)
        assert (await api.http.get(path)).status_code == 404
    await db.execute("UPDATE staff_users SET is_active = false")
    assert (await api.http.get(path)).status_code == 404
