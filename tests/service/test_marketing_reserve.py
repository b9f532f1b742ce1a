"""Whether a flow or a campaign writes to somebody: each reason not to, and what is written down."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.customers.models import ConsentAction
from app.kit.ids import new_id
from app.messaging.dev_inbox import list_messages
from app.messaging.marketing import Deferred, Reserved, Skipped
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from tests.factories import cart as carts
from tests.factories import catalogue, customers, flow_rows, shop
from tests.factories.marketing import EMAIL, PHONE, reserve, subscriber, template
from tests.factories.messages import ledger

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]
SMS = MessageChannel.SMS

pytestmark = pytest.mark.usefixtures("clean_database")


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    # It is day everywhere in America, whenever the tests run.
    await shop.shop()
    midday = (await clock.now()).replace(hour=18, minute=0) + timedelta(days=1)
    await clock.move_to(midday)
    await template()
    await template("text", channel=SMS)


async def test_a_wish_becomes_one_row_however_often_it_is_asked_for(drain: Drain) -> None:
    ada = await subscriber()
    flow_id = await flow_rows.flow()
    run_id = await flow_rows.run(flow_id, ada)
    about: dict[str, Any] = {"flow_id": flow_id, "run_id": run_id, "step_key": "remind-1", "priority": 60}
    first = await reserve(ada, **about)
    again = await reserve(ada, **about)
    assert isinstance(first, Reserved)
    assert again == first
    (row,) = await ledger()
    assert (row["id"], row["state"], row["recipient"], row["profile_id"]) == (first.message_id, "RESERVED", EMAIL, ada)
    assert (row["flow_id"], row["run_id"], row["step_key"], row["priority"]) == (flow_id, run_id, "remind-1", 60)
    assert row["template_version_id"] is not None
    await drain()
    (mail,) = await list_messages()
    assert mail.to == EMAIL


async def skipped_because(profile: Any, **more: Any) -> MessageReason:
    """Skipped, with a row that says so and no event that would send it."""
    before = await db.fetchval("SELECT count(*) FROM events WHERE type = 'message.reserved'")
    outcome = await reserve(profile, **more)
    assert isinstance(outcome, Skipped)
    row = next(row for row in await ledger() if row["id"] == outcome.message_id)
    assert (row["state"], row["reason"]) == ("SKIPPED", outcome.reason)
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'message.reserved'") == before
    return outcome.reason


async def test_nobody_without_an_address_is_written_to() -> None:
    texted = await customers.profile(phone=PHONE, consents=[SMS])
    assert await skipped_because(texted) is MessageReason.NO_ADDRESS


async def test_marketing_needs_consent_that_holds_now() -> None:
    stranger = await customers.profile(email="eve@customer.example")
    assert await skipped_because(stranger) is MessageReason.NO_CONSENT
    await customers.consent(stranger, MessageChannel.EMAIL, "eve@customer.example", ConsentAction.REQUESTED)
    assert await skipped_because(stranger) is MessageReason.CONSENT_UNCONFIRMED
    await customers.consent(stranger, MessageChannel.EMAIL, "eve@customer.example", ConsentAction.REVOKED)
    assert await skipped_because(stranger) is MessageReason.CONSENT_REVOKED


async def test_a_transactional_template_needs_an_address_alone() -> None:
    await template("about-your-account", purpose=MessagePurpose.TRANSACTIONAL)
    stranger = await customers.profile(email="eve@customer.example")
    assert isinstance(await reserve(stranger, template_key="about-your-account"), Reserved)
    assert (await ledger())[0]["purpose"] == "TRANSACTIONAL"


async def test_marketing_that_is_held_is_skipped_until_the_hold_ends(advance: Advance) -> None:
    ada = await subscriber()
    await db.execute("UPDATE profiles SET marketing_held_until = business_now() + interval '1 day' WHERE id = $1", ada)
    assert await skipped_because(ada) is MessageReason.MARKETING_HELD
    await advance("P1D")
    assert isinstance(await reserve(ada), Reserved)


async def test_a_second_mail_within_16_hours_is_skipped_or_put_off_and_a_text_is_not(
    drain: Drain, advance: Advance
) -> None:
    ada = await subscriber()
    await reserve(ada)
    await drain()
    written_at = (await ledger())[0]["sent_at"]
    assert await skipped_because(ada) is MessageReason.FREQUENCY_CAP
    outcome = await reserve(ada, on_cap="defer")
    assert outcome == Deferred(written_at + timedelta(hours=16), MessageReason.FREQUENCY_CAP)
    assert len(await ledger()) == 2  # nothing is written of what is put off
    assert isinstance(await reserve(ada, channel=SMS, template_key="text"), Reserved)
    await advance("PT16H1M")
    assert isinstance(await reserve(ada), Reserved)


async def test_what_is_skipped_or_transactional_uses_up_no_turn() -> None:
    await template("receipt", purpose=MessagePurpose.TRANSACTIONAL)
    ada = await subscriber()
    await reserve(ada, template_key="receipt")
    await reserve(ada, template_key="missing")
    assert isinstance(await reserve(ada), Reserved)


async def test_of_two_at_once_the_cap_lets_one_through() -> None:
    ada = await subscriber()
    import asyncio

    outcomes = await asyncio.gather(*(reserve(ada) for _ in range(6)))
    assert [type(outcome) for outcome in outcomes].count(Reserved) == 1
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Skipped)} == {MessageReason.FREQUENCY_CAP}


async def test_a_text_at_night_waits_for_the_morning_or_is_skipped(advance: Advance) -> None:
    ada = await subscriber(phone="+14155550188")
    await db.execute("UPDATE profiles SET time_zone = 'America/Los_Angeles' WHERE id = $1", ada)
    await advance("PT12H")  # 22:00 in San Francisco, summer or winter
    outcome = await reserve(ada, channel=SMS, template_key="text")
    assert isinstance(outcome, Deferred)
    assert outcome.reason is MessageReason.QUIET_HOURS
    assert timedelta(hours=8) < outcome.until - await clock.now() < timedelta(hours=12)
    assert await skipped_because(ada, channel=SMS, template_key="text", on_quiet="skip") is MessageReason.QUIET_HOURS
    assert isinstance(await reserve(ada), Reserved)  # mail has no quiet hours


async def test_a_text_whose_time_is_over_by_the_morning_is_skipped_at_once(advance: Advance) -> None:
    ada = await subscriber()
    await db.execute("UPDATE profiles SET time_zone = 'America/Los_Angeles' WHERE id = $1", ada)
    await advance("PT12H")
    soon = await clock.now() + timedelta(hours=2)
    reason = await skipped_because(ada, channel=SMS, template_key="text", not_after=soon)
    assert reason is MessageReason.QUIET_HOURS


async def test_a_message_gives_way_to_a_flow_that_is_nearer_to_a_purchase() -> None:
    ada = await subscriber()
    other = await flow_rows.flow()  # priority 60, a mail after four hours
    await flow_rows.run(other, ada, step="wait-4h", due_in=timedelta(hours=4))
    assert await skipped_because(ada, priority=50) is MessageReason.HIGHER_PRIORITY
    outcome = await reserve(ada, priority=50, on_cap="defer")
    assert isinstance(outcome, Deferred)
    assert outcome.reason is MessageReason.HIGHER_PRIORITY
    assert isinstance(await reserve(ada, priority=60), Reserved)


async def test_a_flow_that_writes_too_late_or_elsewhere_holds_nobody_back() -> None:
    ada = await subscriber()
    other = await flow_rows.flow()
    # Its mail is out; what is left is a text in two days.
    await flow_rows.run(other, ada, step="wait-2d", due_in=timedelta(hours=1))
    assert isinstance(await reserve(ada, priority=50), Reserved)
    late = await subscriber(email="late@customer.example", phone=None, consents=[MessageChannel.EMAIL])
    await flow_rows.run(other, late, step="wait-4h", due_in=timedelta(hours=20))
    assert isinstance(await reserve(late, priority=50), Reserved)


async def test_a_paused_flow_holds_nobody_back() -> None:
    ada = await subscriber()
    other = await flow_rows.flow(status="PAUSED")
    await flow_rows.run(other, ada, step="wait-4h", due_in=timedelta(hours=4))
    assert isinstance(await reserve(ada, priority=50), Reserved)


async def test_past_its_time_a_message_is_worth_nothing() -> None:
    ada = await subscriber()
    past = await clock.now() - timedelta(seconds=1)
    assert await skipped_because(ada, not_after=past) is MessageReason.TOO_LATE


async def test_without_a_published_text_nothing_is_sent() -> None:
    await template("draft", publish=False)
    ada = await subscriber()
    assert await skipped_because(ada, template_key="draft") is MessageReason.TEMPLATE_UNAVAILABLE
    assert await skipped_because(ada, template_key="nothing") is MessageReason.TEMPLATE_UNAVAILABLE
    assert await skipped_because(ada, template_key="text") is MessageReason.TEMPLATE_UNAVAILABLE


async def test_a_shop_that_lost_its_postal_address_sends_no_marketing_mail() -> None:
    ada = await subscriber()
    await db.execute("UPDATE shop SET postal_address = ''")
    assert await skipped_because(ada) is MessageReason.TEMPLATE_UNAVAILABLE


async def test_the_text_is_in_the_receivers_language_or_the_shops() -> None:
    await template(language="de")
    german = await subscriber(language="de-AT")
    french = await subscriber(email="fr@customer.example", phone=None, language="fr", consents=[MessageChannel.EMAIL])
    for reader in (german, french):
        await reserve(reader)
    languages = await db.fetch(
        """
        SELECT v.language FROM messages m JOIN message_template_versions v ON v.id = m.template_version_id
        ORDER BY m.id
        """
    )
    assert [row["language"] for row in languages] == ["de", "en"]


async def test_a_cart_that_has_become_an_order_is_not_reminded_of() -> None:
    variant = (await catalogue.product()).variant_ids[0]
    cart = await carts.cart((variant, 1), email=EMAIL)
    ada = await subscriber()
    await carts.complete(cart.id)
    assert await skipped_because(ada, cart_id=cart.id) is MessageReason.ORDER_PLACED
    assert isinstance(await reserve(ada, cart_id=cart.id, order_id=new_id()), Reserved)


async def test_consent_withdrawn_between_reserving_and_sending_wins(drain: Drain) -> None:
    ada = await subscriber()
    await reserve(ada)
    await customers.consent(ada, MessageChannel.EMAIL, EMAIL, ConsentAction.REVOKED)
    await drain()
    assert [(row["state"], row["reason"]) for row in await ledger()] == [("SKIPPED", "CONSENT_REVOKED")]
    assert await list_messages() == []


async def test_a_text_that_is_up_only_at_night_waits_for_the_morning(drain: Drain, advance: Advance) -> None:
    ada = await subscriber()
    await db.execute("UPDATE profiles SET time_zone = 'America/Los_Angeles' WHERE id = $1", ada)
    await reserve(ada, channel=SMS, template_key="text")
    await clock.move_to(await clock.now() + timedelta(hours=12))  # every worker was away
    await drain()
    assert [row["state"] for row in await ledger()] == ["RESERVED"]
    await advance("PT12H")
    assert [row["state"] for row in await ledger()] == ["SENT"]
    (text,) = await list_messages(PHONE)
    assert "Reply STOP to opt out, HELP for help." in text.text


async def test_what_was_reserved_in_time_and_comes_up_too_late_is_not_sent(drain: Drain) -> None:
    ada = await subscriber()
    reserved = await reserve(ada, not_after=await clock.now() + timedelta(hours=12))
    assert isinstance(reserved, Reserved)
    await clock.move_to(await clock.now() + timedelta(hours=13))  # every worker was away
    await drain()
    assert [(row["state"], row["reason"]) for row in await ledger()] == [("SKIPPED", "TOO_LATE")]
    assert await list_messages() == []


async def test_what_is_still_to_be_sent_keeps_its_turn_however_long_that_takes() -> None:
    ada = await subscriber()
    await reserve(ada)  # its provider is away
    await clock.move_to(await clock.now() + timedelta(hours=20))
    assert await skipped_because(ada) is MessageReason.FREQUENCY_CAP


async def test_too_late_is_the_reason_also_where_there_would_be_others() -> None:
    ada = await subscriber()
    await reserve(ada)
    past = await clock.now() - timedelta(seconds=1)
    assert await skipped_because(ada, on_cap="defer", not_after=past) is MessageReason.TOO_LATE
