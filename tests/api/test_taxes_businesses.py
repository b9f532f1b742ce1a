"""Numbers of businesses are looked up in the Union's register, after the request and without holding anybody up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.events import outbox
from app.settings import get_settings
from app.tax import registers
from app.tax.rules import TaxIdState
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, shop, taxes
from tests.http_receiver import Receiver, Reply, http_receiver

pytestmark = pytest.mark.usefixtures("clean_database")

Drain = Callable[[], Awaitable[None]]
WHO = """mutation ($id: ID!, $who: BuyerIdentityInput!) { cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $who) {
    cart { buyerIdentity { taxIdStatus } cost { total { amount } } } userErrors { code field } } }"""
CART = "query ($id: ID!) { cart(id: $id) { buyerIdentity { taxIdStatus } cost { total { amount } } } }"
VALID = {
    "countryCode": "FR",
    "vatNumber": "40303265045",
    "requestDate": "2026-11-22T10:00:00.000Z",
    "valid": True,
    "requestIdentifier": "WAPIAAAAZ1234567",
    "name": "SA SODIMAS",
    "userError": "VALID",
}
INVALID = {**VALID, "valid": False, "userError": "INVALID", "requestIdentifier": ""}
AWAY = {**VALID, "valid": False, "userError": "MS_UNAVAILABLE"}
FAULT = {"actionSucceed": False, "errorWrappers": [{"error": "GLOBAL_MAX_CONCURRENT_REQ"}]}


@pytest.fixture
async def vies(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with http_receiver() as receiver:
        monkeypatch.setattr(get_settings(), "vies_url", receiver.url("/rest-api"))
        yield receiver


async def french_cart(**settings: object) -> carts.MadeCart:
    await shop.shop(currency="EUR", countries=("DE", "FR"))
    await taxes.settings(home_country_code="DE", tax_id="DE136695976", tax_id_check="ONLINE", **settings)
    await taxes.zone("FR", standard="20")
    made = await catalogue.product(price_minor=100_00)
    return await carts.cart((made.variant_id, 1), country_code="FR")


async def named(api: Api, cart: carts.MadeCart, number: str = "FR40303265045") -> tuple[str, str]:
    answer = await api.ok(WHO, {"id": cart.gid, "who": {"taxId": number}})
    shown: dict[str, Any] = answer["cartBuyerIdentityUpdate"]["cart"]
    return shown["buyerIdentity"]["taxIdStatus"], shown["cost"]["total"]["amount"]


async def seen(api: Api, cart: carts.MadeCart) -> tuple[str, str]:
    shown = (await api.ok(CART, {"id": cart.gid}))["cart"]
    return shown["buyerIdentity"]["taxIdStatus"], shown["cost"]["total"]["amount"]


async def test_a_number_counts_once_the_register_knows_it_and_the_proof_is_kept(
    api: Api, vies: Receiver, drain: Drain
) -> None:
    vies.answer = lambda request: Reply.of(VALID)
    cart = await french_cart()
    assert await named(api, cart) == ("PENDING", "120.00")
    assert vies.received == []  # nobody waited for it
    await drain()
    assert await seen(api, cart) == ("ACCEPTED", "100.00")
    (request,) = vies.received
    assert request.path == "/rest-api/check-vat-number"
    assert request.json == {
        "countryCode": "FR",
        "vatNumber": "40303265045",
        "requesterMemberStateCode": "DE",
        "requesterNumber": "136695976",
    }
    row = await db.fetchrow("SELECT tax_id, state, consultation_number, requester, checked_at FROM tax_id_checks")
    assert row is not None
    assert tuple(row.values())[:4] == ("FR40303265045", "VALID", "WAPIAAAAZ1234567", "DE136695976")
    assert row["checked_at"] is not None
    # Another cart with the number need not ask, for a month.
    made = await catalogue.product(price_minor=100_00)
    other = await carts.cart((made.variant_id, 1), country_code="FR")
    assert await named(api, other) == ("ACCEPTED", "100.00")
    await drain()
    assert len(vies.received) == 1


async def test_a_number_that_the_register_does_not_know_pays_tax(api: Api, vies: Receiver, drain: Drain) -> None:
    vies.answer = lambda request: Reply.of(INVALID)
    cart = await french_cart(tax_id_fallback="ACCEPT")
    assert await named(api, cart) == ("ACCEPTED", "100.00")
    await drain()
    assert await seen(api, cart) == ("INVALID", "120.00")


@pytest.mark.parametrize("fallback", ["ACCEPT", "CHARGE_TAX"])
async def test_a_register_that_is_away_says_neither_yes_nor_no(
    api: Api, vies: Receiver, drain: Drain, fallback: str
) -> None:
    vies.replies = [Reply.of(AWAY), Reply.of(FAULT, 500), Reply(200, b"<html>"), Reply.of(VALID)]
    expected = ("ACCEPTED", "100.00") if fallback == "ACCEPT" else ("PENDING", "120.00")
    cart = await french_cart(tax_id_fallback=fallback)
    await named(api, cart)
    for asked in (1, 2, 3):
        await drain()
        assert len(vies.received) == asked
        assert await seen(api, cart) == expected
        await checkout.watches_due()
    await drain()
    assert await seen(api, cart) == ("ACCEPTED", "100.00")
    assert await outbox.in_flight() == 0


async def test_a_later_silence_takes_nothing_back(api: Api, vies: Receiver, drain: Drain) -> None:
    vies.replies = [Reply.of(VALID), *(Reply.of(AWAY) for _ in range(9))]
    cart = await french_cart()
    await named(api, cart)
    await drain()
    await db.execute("UPDATE tax_id_checks SET requested_at = requested_at - interval '40 days'")
    assert await named(api, cart) == ("ACCEPTED", "100.00")
    await drain()
    assert len(vies.received) == 2
    assert await seen(api, cart) == ("ACCEPTED", "100.00")


async def test_many_carts_with_one_number_ask_once(api: Api, vies: Receiver, drain: Drain) -> None:
    vies.answer = lambda request: Reply.of(VALID)
    cart = await french_cart()
    made = await catalogue.product(price_minor=100_00)
    for one in [cart, *[await carts.cart((made.variant_id, 1), country_code="FR") for _ in range(3)]]:
        assert (await named(api, one))[0] == "PENDING"
    await drain()
    assert len(vies.received) == 1


async def test_numbers_from_elsewhere_and_shops_that_check_the_form_ask_nobody(
    api: Api, vies: Receiver, drain: Drain
) -> None:
    cart = await french_cart()
    assert await named(api, cart, "CHE-107.787.577 MWST") == ("NOTED", "120.00")
    await db.execute("UPDATE tax_settings SET tax_id_check = 'FORMAT'")
    assert await named(api, cart) == ("ACCEPTED", "100.00")
    await api.ok(WHO, {"id": cart.gid, "who": {"taxId": None}})
    await drain()
    assert vies.received == []
    assert await db.fetchval("SELECT count(*) FROM tax_id_checks") == 0


async def test_one_number_after_the_other_makes_no_crowd(
    api: Api, vies: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers, "MAX_PENDING", 2)
    cart = await french_cart()
    for number in ("FR40303265045", "ATU57194903", "NL004495445B01"):
        assert await named(api, cart, number) == ("PENDING", "120.00")
    assert await db.fetchval("SELECT count(*) FROM tax_id_checks") == 2


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, b'{"valid": true}', TaxIdState.VALID),
        (200, b'{"valid": false}', TaxIdState.INVALID),
        (200, b'{"valid": false, "userError": "TIMEOUT"}', TaxIdState.UNAVAILABLE),
        (200, b'{"valid": "yes"}', TaxIdState.UNAVAILABLE),
        (200, b"[]", TaxIdState.UNAVAILABLE),
        (200, b"", TaxIdState.UNAVAILABLE),
        (429, b'{"valid": true}', TaxIdState.UNAVAILABLE),
    ],
)
def test_only_a_plain_yes_or_no_is_an_answer(status: int, body: bytes, state: TaxIdState) -> None:
    assert registers.said_by(status, body).state is state
