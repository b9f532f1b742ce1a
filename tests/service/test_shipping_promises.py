"""A quote works for the lines, the destination and the currency that it was made for, until it expires."""

import datetime as dt
import uuid
from typing import Any

import pytest

from app import clock, db
from app.addresses.postal import Destination, normalise_destination
from app.errors import DomainError
from app.keys import keyring
from app.shipping.errors import ShippingErrorCode
from app.shipping.quotes import Quote, read_quote
from app.shipping.rules import ShippableLine
from app.shipping.service import needs_shipping, quote_shipping, verify_quote
from tests.factories import shipping, shop

HAWAII = normalise_destination("US", "HI", "96813", "Honolulu")
OHIO = normalise_destination("US", "OH", "44101", "Cleveland")


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


def _line(quantity: int = 1, **more: Any) -> ShippableLine:
    values = {"variant_id": VARIANT, "weight_grams": 500, "requires_shipping": True, "unit_price_minor": 1000}
    return ShippableLine(quantity=quantity, **{**values, **more})


VARIANT = uuid.uuid4()
DOWNLOAD = _line(variant_id=uuid.uuid4(), requires_shipping=False)


async def _quote(destination: Destination, *lines: ShippableLine) -> Quote:
    return (await quote_shipping(lines or [_line(2)], destination))[0]


async def _verify(
    quote: Quote, destination: Destination, *lines: ShippableLine, currency: str = "USD", now: dt.datetime | None = None
) -> Quote:
    return await verify_quote(
        read_quote(quote.id), lines or [_line(2)], destination, currency, now or await clock.now()
    )


async def _refusal(quote: Quote, destination: Destination, *lines: ShippableLine, **more: Any) -> object:
    with pytest.raises(DomainError) as refused:
        await _verify(quote, destination, *lines, **more)
    assert refused.value.field == ["shippingQuoteId"]
    return refused.value.code


async def test_a_quote_comes_back_as_it_was_promised() -> None:
    zone_id = await shipping.zone("US")
    quote = await _quote(OHIO)
    assert quote.id.startswith("quote_")
    assert quote.zone_id == zone_id
    assert await _verify(quote, OHIO) == quote
    stored = quote.to_json()
    assert (stored["carrier"], stored["service"], stored["priceMinor"]) == ("UPS", "Ground", 599)
    assert quote.delivery is not None
    assert stored["estimatedDelivery"] == {
        "from": quote.delivery.first.isoformat(),
        "to": quote.delivery.last.isoformat(),
    }


async def test_lines_count_by_variant_and_only_what_ships() -> None:
    await shipping.zone("US")
    quote = await _quote(OHIO)
    assert await _verify(quote, OHIO, _line(1), DOWNLOAD, _line(1, unit_price_minor=1)) == quote
    other = _line(2, variant_id=uuid.uuid4())
    for lines in ([_line(1)], [_line(3)], [other], [_line(2), other], [DOWNLOAD]):
        assert await _refusal(quote, OHIO, *lines) is ShippingErrorCode.QUOTE_NOT_APPLICABLE


async def test_another_currency_or_destination_needs_another_quote() -> None:
    await shipping.zone("US", "CA")
    quote = await _quote(OHIO)
    assert await _refusal(quote, OHIO, currency="EUR") is ShippingErrorCode.QUOTE_NOT_APPLICABLE
    for elsewhere in (
        HAWAII,
        normalise_destination("CA", "ON", "K1A 0A2", "Cleveland"),
        normalise_destination("US", "OH", "44102", "Cleveland"),
        normalise_destination("US", "OH", "44101", "Akron"),
    ):
        assert await _refusal(quote, elsewhere) is ShippingErrorCode.QUOTE_NOT_APPLICABLE
    # The same place, written otherwise.
    same = normalise_destination("us", "Ohio", "44101-1234", " CLEVELAND ")
    assert await _verify(quote, same) == quote


async def test_a_quote_expires_in_business_time() -> None:
    await shipping.zone("US")
    quote = await _quote(OHIO)
    last = quote.expires_at - dt.timedelta(seconds=1)
    assert await _verify(quote, OHIO, now=last) == quote
    assert await _refusal(quote, OHIO, now=quote.expires_at) is ShippingErrorCode.QUOTE_EXPIRED
    await clock.move_to(await clock.now() + dt.timedelta(hours=1))
    assert await _refusal(quote, OHIO) is ShippingErrorCode.QUOTE_EXPIRED


async def test_what_was_not_signed_here_is_no_quote() -> None:
    await shipping.zone("US")
    quote = await _quote(OHIO)
    other_purpose = "quote_" + keyring().sign("order", [1])
    forged = quote.id[:20] + ("A" if quote.id[20] != "A" else "B") + quote.id[21:]
    for text in ("", "quote_", quote.id + "x", quote.id.removeprefix("quote_"), forged, other_purpose, "quote_" * 500):
        with pytest.raises(DomainError) as refused:
            read_quote(text)
        assert refused.value.code is ShippingErrorCode.QUOTE_INVALID
    assert b"Cleveland" not in quote.id.encode()


async def test_a_quote_for_a_country_holds_only_where_the_full_address_costs_the_same() -> None:
    await shipping.zone("US")
    quote = await _quote(Destination("US"))
    assert await _verify(quote, OHIO) == quote
    dear = {"rate": {"kind": "FLAT", "price_minor": 4900}}
    islands = await shipping.zone({"country": "US", "provinces": ["HI"]}, methods=[dear])
    assert await _verify(quote, OHIO) == quote
    assert await _refusal(quote, HAWAII) is ShippingErrorCode.QUOTE_NOT_APPLICABLE
    # The zone of the islands ships by the same service at the same price: nothing is lost for anybody.
    await db.execute("DELETE FROM shipping_zones WHERE id = $1", islands)
    await shipping.zone({"country": "US", "provinces": ["HI"]})
    assert await _verify(quote, HAWAII) == quote
    await db.execute("UPDATE shop SET countries = '{CA}'")
    assert await _refusal(quote, HAWAII) is ShippingErrorCode.QUOTE_NOT_APPLICABLE


async def test_a_promise_outlives_a_change_of_the_rate() -> None:
    zone_id = await shipping.zone("US")
    for destination in (OHIO, Destination("US")):
        quote = await _quote(destination)
        await db.execute("""UPDATE shipping_methods SET rate = '{"kind": "FLAT", "price_minor": 99900}'""")
        assert (await _verify(quote, OHIO)).price_minor == 599
        await db.execute("""UPDATE shipping_methods SET rate = '{"kind": "FLAT", "price_minor": 599}'""")
    quote = await _quote(OHIO)
    await db.execute("DELETE FROM shipping_zones WHERE id = $1", zone_id)
    assert await _verify(quote, OHIO) == quote


async def test_an_order_without_anything_to_ship_needs_no_quote() -> None:
    assert not needs_shipping([DOWNLOAD])
    assert needs_shipping([DOWNLOAD, _line()])
    assert await quote_shipping([DOWNLOAD], OHIO) == []


async def test_verifying_costs_no_statement_or_one() -> None:
    await shipping.zone("US")
    bound, for_country, now = await _quote(OHIO), await _quote(Destination("US")), await clock.now()
    for quote, expected in ((bound, 0), (for_country, 1)):
        with db.counted_statements() as statements:
            await _verify(quote, OHIO, now=now)
        assert len(statements) == expected, statements
