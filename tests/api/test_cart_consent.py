"""Consent given in a cart or a checkout, as a storefront's box sends it."""

from typing import Any

import pytest

from app import db
from app.customers import consent, identification, links, permission, visitors
from app.customers.models import ConsentAction
from app.messaging.models import MessageChannel, MessageReason
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import customers, shop

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
ADA = "ada@customer.example"
PHONE = "+15035550142"

IDENTITY = """
    mutation ($id: ID!, $identity: BuyerIdentityInput!) {
      cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $identity) { cart { id } userErrors { code field } }
    }
"""
CREATE = "mutation ($input: CartInput) { cartCreate(input: $input) { cart { id } userErrors { code field } } }"
CHECKOUT = """
    mutation ($input: CheckoutCreateInput!) {
      checkoutCreate(input: $input) { checkout { id } userErrors { code field } }
    }
"""
UPDATE = """
    mutation ($input: ConsentUpdateInput!) {
      consentUpdate(input: $input) { accepted channels { channel address state } userErrors { code field } }
    }
"""


def boxes(**granted: bool) -> list[dict[str, Any]]:
    return [{"channel": channel, "granted": value} for channel, value in granted.items()]


@pytest.fixture(autouse=True)
async def a_shop(clean_database: None) -> None:
    await shop.shop()


async def test_a_new_cart_with_an_email_and_a_ticked_box(api: Api) -> None:
    identity = {"email": ADA, "phone": PHONE, "marketingConsent": boxes(EMAIL=True, SMS=True)}
    await api.ok(CREATE, {"input": {"buyerIdentity": identity}})
    assert await consent.state(EMAIL, ADA) is ConsentAction.GRANTED
    assert await consent.state(SMS, PHONE) is ConsentAction.GRANTED
    row = await db.fetchrow("SELECT c.source, c.profile_id, c.ip, k.profile_id AS carts FROM consents c, carts k")
    assert row is not None
    assert (row["source"], row["ip"]) == ("CART", "127.0.0.1")
    assert row["profile_id"] == row["carts"]


async def test_the_box_of_a_cart_can_be_ticked_emptied_and_ticked_again(api: Api) -> None:
    cart = await carts.cart()
    for ticked in (True, False, True):
        identity = {"email": ADA, "marketingConsent": boxes(EMAIL=ticked)}
        await api.ok(IDENTITY, {"id": cart.gid, "identity": identity})
        expected = ConsentAction.GRANTED if ticked else ConsentAction.REVOKED
        assert await consent.state(EMAIL, ADA) is expected


async def test_an_empty_box_withdraws_nothing_that_holds_from_elsewhere(api: Api) -> None:
    await customers.profile(email=ADA, consents=[EMAIL])
    cart = await carts.cart()
    identity = {"email": ADA, "marketingConsent": boxes(EMAIL=False)}
    await api.ok(IDENTITY, {"id": cart.gid, "identity": identity})
    assert await permission.marketing(EMAIL, ADA) is None


async def test_consent_without_its_address_changes_nothing_of_the_cart(api: Api) -> None:
    cart = await carts.cart()
    identity = {"email": ADA, "marketingConsent": boxes(EMAIL=True, SMS=True)}
    (error,) = await api.refused(IDENTITY, {"id": cart.gid, "identity": identity})
    assert error["code"] == "CONSENT_ADDRESS_MISSING"
    assert error["field"] == ["buyerIdentity", "marketingConsent", "1", "channel"]
    assert await db.fetchval("SELECT email FROM carts") is None
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM consents) OR EXISTS (SELECT FROM profiles)")


async def test_no_cart_is_made_with_a_wording_that_the_shop_does_not_hold(api: Api) -> None:
    unknown = [{"channel": "EMAIL", "granted": True, "textId": f"ctext_{7:032x}"}]
    (error,) = await api.refused(CREATE, {"input": {"buyerIdentity": {"email": ADA, "marketingConsent": unknown}}})
    assert error["code"] == "CONSENT_TEXT_UNKNOWN"
    assert error["field"] == ["input", "buyerIdentity", "marketingConsent", "0", "textId"]
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM carts) OR EXISTS (SELECT FROM profiles)")


async def test_a_checkout_takes_consent_for_its_own_addresses(api: Api) -> None:
    cart = await carts.cart(email="gift@customer.example")
    given = {"cartId": cart.gid, "email": ADA, "marketingConsent": boxes(EMAIL=True)}
    await api.ok(CHECKOUT, {"input": given})
    assert await consent.state(EMAIL, ADA) is ConsentAction.GRANTED
    assert await consent.state(EMAIL, "gift@customer.example") is None
    assert await db.fetchval("SELECT source FROM consents") == "CHECKOUT"


async def test_consent_update_withdraws_for_the_person_of_a_cart(api: Api) -> None:
    await customers.profile(email=ADA, consents=[EMAIL])
    cart = await carts.cart(email=ADA)
    answer = await api.ok(UPDATE, {"input": {"cartId": cart.gid, "consent": boxes(EMAIL=False)}})
    assert answer["consentUpdate"] == {"accepted": True, "channels": None, "userErrors": []}
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


async def test_consent_update_needs_one_key_and_the_right_one(api: Api) -> None:
    cart = await carts.cart(email=ADA)
    wrong = carts.MadeCart(cart.id, "x" * 22, [])
    for given, code in (
        ({}, "INVALID"),
        ({"cartId": cart.gid, "preferenceToken": "abc"}, "INVALID"),
        ({"cartId": wrong.gid}, "NOT_FOUND"),
        ({"preferenceToken": "abc"}, "INVALID"),
        ({"visitorId": "vis_" + "0" * 32 + "_" + "x" * 22}, "INVALID_ID"),
        ({"visitorId": visitors.issue().gid}, "CONSENT_ADDRESS_MISSING"),
    ):
        (error,) = await api.refused(UPDATE, {"input": {**given, "consent": boxes(EMAIL=True)}})
        assert error["code"] == code, given
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM consents)")


async def test_consent_update_is_for_the_person_that_a_visitor_is_known_as(api: Api) -> None:
    gid = visitors.issue().gid
    visitor_id = visitors.verified(gid, [])
    async with db.unit_of_work():
        await identification.identify(email=ADA, visitor_id=visitor_id, source="CART")
    await api.ok(UPDATE, {"input": {"visitorId": gid, "consent": boxes(EMAIL=True)}})
    assert await consent.state(EMAIL, ADA) is ConsentAction.GRANTED
    await api.ok(UPDATE, {"input": {"visitorId": gid, "consent": boxes(EMAIL=False)}})
    assert await consent.state(EMAIL, ADA) is ConsentAction.REVOKED


async def test_the_preference_token_proves_one_address_and_asks_for_the_other(api: Api) -> None:
    ada = await customers.profile(email=ADA, phone=PHONE)
    token = links.preference_token(ada, EMAIL, ADA)
    given = {"input": {"preferenceToken": token, "consent": boxes(EMAIL=True, SMS=True)}}
    answer = await api.ok(UPDATE, given)
    assert answer["consentUpdate"]["channels"] == [
        {"channel": "EMAIL", "address": "a•••@c•••.example", "state": "GRANTED"},
        {"channel": "SMS", "address": "•••42", "state": "REQUESTED"},
    ]
