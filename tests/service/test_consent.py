"""The record of consent: what each way of giving and withdrawing it leaves behind."""

import uuid
from typing import Any

import pytest

from app import db
from app.customers import consent, permission
from app.customers.models import ConsentAction, ConsentSource
from app.messaging.models import MessageChannel, MessageReason
from tests.factories import customers, shop

EMAIL = MessageChannel.EMAIL
ADA = "ada@customer.example"


@pytest.fixture
async def ada(clean_database: None) -> uuid.UUID:
    await shop.shop()
    return await customers.profile(email=ADA)


async def give(ada: uuid.UUID, source: ConsentSource, **more: Any) -> ConsentAction:
    async with db.unit_of_work():
        return await consent.request_or_grant(profile_id=ada, channel=EMAIL, address=ADA, source=source, **more)


async def withdraw(ada: uuid.UUID, source: ConsentSource = ConsentSource.ONE_CLICK, **more: Any) -> bool:
    async with db.unit_of_work():
        return await consent.revoke(profile_id=ada, channel=EMAIL, address=ADA, source=source, **more)


async def recorded() -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT action, source FROM consents ORDER BY id")
    return [(row["action"], row["source"]) for row in rows]


async def test_consent_in_a_cart_holds_at_once_and_is_noted_once(ada: uuid.UUID) -> None:
    assert await permission.marketing(EMAIL, ADA) is MessageReason.NO_CONSENT
    assert await give(ada, ConsentSource.CART) is ConsentAction.GRANTED
    assert await permission.marketing(EMAIL, "ADA@customer.example") is None
    assert await give(ada, ConsentSource.CART) is ConsentAction.GRANTED
    assert await recorded() == [("GRANTED", "CART")]
    events = await db.fetch("SELECT profile_id, data FROM profile_events WHERE type = 'consent.granted'")
    assert [row["profile_id"] for row in events] == [ada]


async def test_a_cart_takes_back_and_gives_again_what_it_gave(ada: uuid.UUID) -> None:
    await give(ada, ConsentSource.CART, given_in="cart:1")
    assert await withdraw(ada, ConsentSource.CART, given_in="cart:1")
    assert await give(ada, ConsentSource.CART, given_in="cart:1") is ConsentAction.GRANTED
    assert await recorded() == [("GRANTED", "CART"), ("REVOKED", "CART"), ("GRANTED", "CART")]


async def test_a_box_left_empty_in_another_cart_withdraws_nothing(ada: uuid.UUID) -> None:
    await give(ada, ConsentSource.CART, given_in="cart:1")
    assert not await withdraw(ada, ConsentSource.CART, given_in="cart:2")
    assert await permission.marketing(EMAIL, ADA) is None


async def test_a_withdrawal_comes_back_by_no_trick_of_a_cart(ada: uuid.UUID) -> None:
    """Ask, take back and ask again, from the same cart: the receiver's own no stays."""
    await withdraw(ada)
    assert await give(ada, ConsentSource.CART, given_in="cart:1") is ConsentAction.REQUESTED
    await withdraw(ada, ConsentSource.CART, given_in="cart:1")
    assert await give(ada, ConsentSource.CART, given_in="cart:1") is ConsentAction.REQUESTED
    assert await consent.state(EMAIL, ADA) is not ConsentAction.GRANTED


async def test_an_address_that_was_never_spoken_of_can_say_no(ada: uuid.UUID) -> None:
    assert await withdraw(ada)
    assert not await withdraw(ada)
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


async def test_calls_follow_the_consent_to_texts(ada: uuid.UUID) -> None:
    await customers.consent(ada, MessageChannel.SMS, "+15035550142")
    assert await permission.marketing(MessageChannel.VOICE, "+15035550142") is None
    async with db.unit_of_work():
        await consent.revoke(
            profile_id=ada, channel=MessageChannel.SMS, address="+15035550142", source=ConsentSource.SMS_REPLY
        )
    assert await permission.marketing(MessageChannel.VOICE, "+15035550142") is MessageReason.CONSENT_REVOKED


async def test_rows_of_an_address_keep_their_order_whatever_a_machines_clock_says(ada: uuid.UUID) -> None:
    ahead = uuid.UUID(int=uuid.UUID("ffffffff-ffff-7fff-bfff-ffffffff0000").int)
    await give(ada, ConsentSource.CART)
    await db.execute("SET session_replication_role = replica")
    await db.execute("UPDATE consents SET id = $1", ahead)
    await db.execute("SET session_replication_role = DEFAULT")
    await withdraw(ada)
    assert await consent.state(EMAIL, ADA) is ConsentAction.REVOKED


async def test_what_a_client_says_about_itself_fits_its_column(ada: uuid.UUID) -> None:
    await give(ada, ConsentSource.CART, ip="2001:db8::1", user_agent="Mozilla\0/5.0\r\n" + "x" * 1000)
    row = await db.fetchrow("SELECT ip, user_agent FROM consents")
    assert row is not None
    assert row["ip"] == "2001:db8::1"
    assert row["user_agent"].startswith("Mozilla/5.0x")
    assert len(row["user_agent"]) == 300
