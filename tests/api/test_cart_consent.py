"""Consent given in a cart or a checkout, as a storefront's box sends it."""

from typing import Any

import pytest

from app import db, invariants
from app.cart import consents
from app.customers import consent, identification, links, permission, visitors
from app.customers.models import ConsentAction
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessageReason
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, customers, shipping, shop
from tests.factories import checkout as buying

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


async def test_nobody_writes_to_a_list_of_strangers_through_carts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consents, "LIMIT_PER_CLIENT", 2)
    ticked = boxes(EMAIL=True)
    for number in range(2):
        identity = {"email": f"stranger{number}@customer.example", "marketingConsent": ticked}
        await api.ok(CREATE, {"input": {"buyerIdentity": identity}})
    cart = await carts.cart()
    before = await db.fetch("SELECT id FROM carts"), await db.fetch("SELECT id FROM consents")
    identity = {"email": ADA, "marketingConsent": ticked}
    for document, variables in (
        (CREATE, {"input": {"buyerIdentity": identity}}),
        (IDENTITY, {"id": cart.gid, "identity": identity}),
        (CHECKOUT, {"input": {"cartId": cart.gid, "email": ADA, "marketingConsent": ticked}}),
    ):
        assert (await api.refused(document, variables))[0]["code"] == "RATE_LIMITED"
    assert (await db.fetch("SELECT id FROM carts"), await db.fetch("SELECT id FROM consents")) == before
    await api.ok(IDENTITY, {"id": cart.gid, "identity": {"email": ADA, "marketingConsent": boxes(EMAIL=False)}})


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


async def bare(api: Api, **changed: Any) -> dict[str, Any]:
    """A purchase in one request, from a cart of nobody."""
    await shipping.zone("US")
    return await buying.ready_input(api, (await catalogue.product(), 1), **changed)


@pytest.mark.parametrize("payment", [buying.CARD, buying.CASH])
async def test_a_box_ticked_with_the_order_itself(api: Api, payment: dict[str, str]) -> None:
    given = await bare(api, phone=PHONE, payment=payment, marketingConsent=boxes(EMAIL=True, SMS=True))
    first = await buying.complete(api, given)
    assert first["order"], first["userErrors"]
    assert await buying.complete(api, given) == first, "asked again, it is the same consent"
    rows = await db.fetch(
        """
        SELECT c.channel, c.source, c.ip, c.detail, c.profile_id = o.profile_id AS buyers, o.cart_id
        FROM consents c, orders o ORDER BY c.channel
        """
    )
    assert [(row["channel"], row["source"], row["ip"], row["buyers"]) for row in rows] == [
        ("EMAIL", "CHECKOUT", "127.0.0.1", True),
        ("SMS", "CHECKOUT", "127.0.0.1", True),
    ]
    assert {row["detail"] for row in rows} == {f"cart:{rows[0]['cart_id'].hex}"}
    assert await permission.marketing(SMS, PHONE) is None
    assert await invariants.check() == []


async def test_a_box_ticked_and_a_card_declined(api: Api) -> None:
    declined = {**buying.CARD, "token": "tok_declined"}
    given = await bare(api, payment=declined, marketingConsent=boxes(EMAIL=True))
    assert (await buying.complete(api, given))["order"] is None
    assert await consent.state(EMAIL, buying.EMAIL) is ConsentAction.GRANTED
    emptied = {**given, "marketingConsent": boxes(EMAIL=False), "idempotencyKey": buying.new_key()}
    await buying.complete(api, emptied)
    assert await consent.state(EMAIL, buying.EMAIL) is ConsentAction.REVOKED
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'checkout.started'") == 1
    assert await invariants.check() == []


async def test_a_box_without_its_address_orders_nothing(api: Api) -> None:
    given = await bare(api, marketingConsent=boxes(EMAIL=True, SMS=True))
    payload = await buying.complete(api, given)
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("CONSENT_ADDRESS_MISSING", ["input", "marketingConsent", "1", "channel"])
    ]
    assert await db.fetchval("SELECT count(*) FROM consents") == 0
    assert (await buying.footprint())["orders"] == 0

    unknown = [{"channel": "EMAIL", "granted": True, "textId": f"ctext_{new_id().hex}"}]
    wrong = await buying.complete(api, await bare(api, marketingConsent=unknown))
    assert [error["code"] for error in wrong["userErrors"]] == ["CONSENT_TEXT_UNKNOWN"]
    assert wrong["userErrors"][0]["field"][:3] == ["input", "marketingConsent", "0"]
    after = await buying.footprint()
    assert (after["orders"], after["reservations"], after["payments"], after["asked"]) == (0, 0, 0, 0)
