"""Campaigns through the API: who gets them, when, how fast, and how they are stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.campaigns import audience, feeding
from app.customers.models import ConsentAction
from app.kit import ids
from app.messaging import marketing as deciding
from app.messaging.dev_inbox import list_messages
from app.messaging.marketing import Deferred, MarketingMessage, Reserved, Skipped
from app.messaging.models import MessageChannel
from tests.api.campaign_operations import (
    Staff,
    at_work,
    does,
    receivers,
    skips,
)
from tests.client import Api
from tests.factories import campaigns, customers, marketing, notices
from tests.factories.shop import shop

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
PHONE = "+14155550188"
Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]


@pytest.fixture
async def by(api: Api, staff_token: str) -> Staff:
    return await at_work(api, staff_token)


# --- who --------------------------------------------------------------------------------------------------------------


async def test_everybody_who_consented_gets_it_once(by: Staff, drain: Drain) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await customers.profile(email="bob@customer.example")
    gone = await customers.profile(email="eve@customer.example", consents=[EMAIL])
    await customers.consent(gone, EMAIL, "eve@customer.example", ConsentAction.REVOKED)
    await customers.profile(phone=PHONE, consents=[SMS])
    await drain()
    campaign = await by.create()
    assert (await by.show(campaign))["status"] == "DRAFT"
    sent = await by.do("Send", campaign)
    assert sent["status"] == "SCHEDULED"
    await drain()
    assert await receivers() == ["ada@customer.example"]
    shown = await by.show(campaign)
    assert (shown["status"], shown["stats"]["sent"]) == ("SENT", 1)
    assert skips(shown["stats"]) == {"CONSENT_REVOKED": 1}
    assert (shown["stats"]["recipients"], shown["stats"]["handled"], shown["stats"]["waiting"]) == (2, 2, 0)
    assert shown["startedAt"]
    assert shown["finishedAt"]
    assert await by.refused("Send", campaign) == ["CAMPAIGN_STARTED"]
    assert await by.refused("Pause", campaign) == ["CAMPAIGN_STATE"]
    await drain()
    (mail,) = await list_messages()
    assert mail.deliveries == 1
    assert "List-Unsubscribe" in mail.headers


async def test_a_segments_members_get_it_and_consent_caps_and_suppressions_count(by: Staff, drain: Drain) -> None:
    ada = await customers.profile(email="ada@customer.example", consents=[EMAIL], announced=False)
    bob = await customers.profile(email="bob@customer.example", announced=False)
    capped = await customers.profile(email="capped@customer.example", consents=[EMAIL], announced=False)
    phone_only = await customers.profile(phone=PHONE, consents=[SMS], announced=False)
    await customers.profile(email="outside@customer.example", consents=[EMAIL], announced=False)
    await notices.message(profile_id=capped, recipient="capped@customer.example")
    segment = await campaigns.segment(ada, bob, capped, phone_only)
    campaign = await by.create(segmentId=ids.encode("seg", segment))
    await by.do("Send", campaign)
    await drain()
    assert await receivers() == ["ada@customer.example"]
    assert skips(await by.stats(campaign)) == {"FREQUENCY_CAP": 1, "NO_ADDRESS": 1, "NO_CONSENT": 1}


async def test_a_segment_that_is_being_built_is_waited_for(by: Staff, drain: Drain, advance: Advance) -> None:
    ada = await customers.profile(email="ada@customer.example", consents=[EMAIL], announced=False)
    segment = await campaigns.segment(ada, status="BUILDING")
    campaign = await by.create(segmentId=ids.encode("seg", segment))
    await by.do("Send", campaign)
    await drain()
    assert await receivers() == []
    await db.execute("UPDATE segments SET status = 'READY'")
    await advance("PT2M")
    assert await receivers() == ["ada@customer.example"]


async def test_a_household_gets_one_text(by: Staff, drain: Drain, advance: Advance) -> None:
    await marketing.template("text", channel=SMS)
    for name in ("ada", "bob"):
        await customers.profile(email=f"{name}@customer.example", phone=PHONE, consents=[SMS, EMAIL])
    await drain()
    campaign = await by.create(templateKey="text")
    await by.do("Send", campaign)
    await drain()
    await advance("P1D")  # past the quiet hours, if it is night
    assert await receivers() == [PHONE]
    assert (await by.stats(campaign))["handled"] == 2


async def test_many_receivers_are_settled_and_written_to_in_batches(
    by: Staff, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "BATCH", 7)
    monkeypatch.setattr(feeding, "BATCH", 5)
    await campaigns.subscribers(30)
    await customers.profile(email="no-consent@customer.example")
    campaign = await by.create()
    await by.do("Send", campaign)
    await drain()
    stats = await by.stats(campaign)
    assert (stats["recipients"], stats["handled"], stats["sent"]) == (30, 30, 30)
    assert len(await receivers()) == 30
    assert all(message.deliveries == 1 for message in await list_messages(first=100))


# --- when -------------------------------------------------------------------------------------------------------------


async def test_a_scheduled_campaign_goes_out_at_its_moment_and_can_be_moved(
    by: Staff, advance: Advance, drain: Drain
) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await drain()
    campaign = await by.create()
    now = await clock.now()
    assert (await by.schedule(campaign, sendAt=(now + timedelta(hours=2)).isoformat()))["status"] == "SCHEDULED"
    await by.schedule(campaign, sendAt=(now + timedelta(hours=5)).isoformat())
    await advance("PT4H")
    assert await receivers() == []
    await advance("PT2H")
    assert await receivers() == ["ada@customer.example"]


async def test_receivers_get_it_by_the_clock_on_their_own_wall(by: Staff, advance: Advance, drain: Drain) -> None:
    await shop(time_zone="America/New_York")
    zones = {"tokyo": "Asia/Tokyo", "berlin": "Europe/Berlin", "york": "America/New_York", "nowhere": None}
    for name, zone in zones.items():
        profile_id = await customers.profile(email=f"{name}@customer.example", consents=[EMAIL])
        await db.execute("UPDATE profiles SET time_zone = $2 WHERE id = $1", profile_id, zone)
    await drain()
    campaign = await by.create()
    send_at = (await clock.now()).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=3)
    shown = await by.schedule(campaign, sendAt=send_at.isoformat(), inLocalTime=True)
    assert shown["inLocalTime"]
    await advance("P5D")
    sent = {message.to.partition("@")[0]: message.sent_at for message in await list_messages()}
    hours = {name: round((moment - send_at) / timedelta(hours=1), 1) for name, moment in sent.items()}
    assert hours == {"tokyo": -14.0, "berlin": -6.0, "york": 0.0, "nowhere": 0.0}
    assert (await by.show(campaign))["status"] == "SENT"


async def test_the_throttle_spreads_the_messages(by: Staff, advance: Advance, drain: Drain) -> None:
    await campaigns.subscribers(13)
    campaign = await by.create(perMinute=6)
    await by.do("Send", campaign)
    await drain()
    began = await clock.now()
    await advance("PT1M")
    assert 6 <= len(await receivers()) <= 8
    await advance("PT3M")
    moments = sorted(message.sent_at for message in await list_messages(first=100))
    assert len(moments) == 13
    assert moments[-1] - began >= timedelta(seconds=115)
    assert (await by.show(campaign))["status"] == "SENT"


async def test_quiet_hours_put_a_text_off(by: Staff, advance: Advance, drain: Drain) -> None:
    await marketing.template("text", channel=SMS)
    await customers.profile(phone=PHONE, consents=[SMS])
    await drain()
    now = await clock.now()
    night = now.replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=1)  # 23:00 in San Francisco
    campaign = await by.create(templateKey="text")
    await by.schedule(campaign, sendAt=night.isoformat())
    await advance("P1DT8H")
    if await receivers() == []:
        await advance("P1D")
    (text,) = await list_messages()
    assert (text.sent_at - night) >= timedelta(hours=8)
    assert (await by.show(campaign))["status"] == "SENT"


# --- stopping ---------------------------------------------------------------------------------------------------------


async def test_pausing_stops_at_once_what_is_reserved_waits_and_resuming_goes_on(
    by: Staff, drain: Drain, advance: Advance
) -> None:
    await campaigns.subscribers(20)
    campaign = await by.create(perMinute=6)
    await by.do("Send", campaign)
    await drain()
    await advance("PT30S")
    before = len(await receivers())
    assert 2 <= before <= 5
    assert (await by.do("Pause", campaign))["status"] == "PAUSED"
    assert (await by.do("Pause", campaign))["status"] == "PAUSED"
    await advance("PT2H")
    assert len(await receivers()) == before
    assert (await by.do("Resume", campaign))["status"] == "SENDING"
    await drain()
    await advance("PT5M")
    assert len(await receivers()) == 20
    assert (await by.show(campaign))["status"] == "SENT"


async def reserved_and_unsent(by: Staff, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> str:
    """A campaign of one message that is reserved; its sending has not started."""
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await drain()
    campaign = await by.create()
    await by.do("Send", campaign)

    async def later(message_id: object, *, attempt: int) -> None:
        await db.execute("UPDATE events SET attempts = 0 WHERE false")

    with monkeypatch.context() as patch:
        patch.setattr("app.messaging.sending.send", later)
        await drain()
    assert await db.fetchval("SELECT state FROM messages") == "RESERVED"
    await db.execute("UPDATE campaigns SET status = 'SENDING'")  # as while others are still to come
    return campaign


async def ask_to_send(drain: Drain) -> None:
    from app import events

    async with db.unit_of_work():
        await events.record("message.reserved", subject_id=await db.fetchval("SELECT id FROM messages"))
    await drain()


async def test_a_reserved_message_of_a_paused_campaign_waits_until_it_goes_on(
    by: Staff, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await reserved_and_unsent(by, drain, monkeypatch)
    await by.do("Pause", campaign)
    await ask_to_send(drain)
    assert await receivers() == []
    assert await db.fetchval("SELECT state FROM messages") == "RESERVED"
    await by.do("Resume", campaign)
    await drain()
    assert await receivers() == ["ada@customer.example"]


async def test_a_reserved_message_of_a_cancelled_campaign_is_called_off(
    by: Staff, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await reserved_and_unsent(by, drain, monkeypatch)
    cancelled = await by.do("Cancel", campaign)
    assert cancelled["status"] == "CANCELLED"
    assert cancelled["finishedAt"]
    await ask_to_send(drain)
    assert await receivers() == []
    row = await db.fetchrow("SELECT state, reason FROM messages")
    assert row is not None
    assert (row["state"], row["reason"]) == ("SKIPPED", "CAMPAIGN_CANCELLED")
    assert (await by.do("Cancel", campaign))["status"] == "CANCELLED"
    assert await by.refused("Resume", campaign) == ["CAMPAIGN_STATE"]


async def test_a_message_whose_sending_begins_while_the_campaign_is_cancelled_is_called_off(
    by: Staff, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reserved_and_unsent(by, drain, monkeypatch)
    await db.execute("UPDATE campaigns SET status = 'CANCELLED'")  # its messages not yet looked at
    await ask_to_send(drain)
    assert await receivers() == []
    assert await db.fetchval("SELECT reason FROM messages") == "CAMPAIGN_CANCELLED"


async def test_a_paused_schedule_does_not_start_and_starts_late_when_it_goes_on(
    by: Staff, advance: Advance, drain: Drain
) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await drain()
    campaign = await by.create()
    await by.schedule(campaign, sendAt=(await clock.now() + timedelta(hours=1)).isoformat())
    await by.do("Pause", campaign)
    await advance("PT2H")
    assert await receivers() == []
    assert (await by.do("Resume", campaign))["status"] == "SCHEDULED"
    await drain()
    assert await receivers() == ["ada@customer.example"]


async def test_many_presses_at_once_send_it_once(by: Staff, drain: Drain) -> None:
    await campaigns.subscribers(5)
    campaign = await by.create()
    results = await asyncio.gather(
        *(by.api.query(does("Send"), {"id": campaign}, token=by.token) for _ in range(4)),
        *(by.api.query(does("Pause"), {"id": campaign}, token=by.token) for _ in range(2)),
        *(by.api.query(does("Resume"), {"id": campaign}, token=by.token) for _ in range(2)),
    )
    assert all(not result.errors for result in results)
    if (await by.show(campaign))["status"] == "PAUSED":
        await by.do("Resume", campaign)
    await drain()
    assert len(await receivers()) == 5
    assert all(message.deliveries == 1 for message in await list_messages())


# --- faults -----------------------------------------------------------------------------------------------------------


async def test_a_receiver_whose_decision_keeps_failing_is_given_up_and_the_campaign_ends(
    by: Staff, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    broken = await customers.profile(email="bob@customer.example", consents=[EMAIL])
    shaky = await customers.profile(email="eve@customer.example", consents=[EMAIL])
    await drain()
    tries = dict.fromkeys((broken, shaky), 0)
    reserve = deciding.reserve

    async def fails_for_some(message: MarketingMessage) -> Reserved | Skipped | Deferred:
        if message.profile_id in tries:
            tries[message.profile_id] += 1
            if message.profile_id == broken or tries[shaky] < feeding.MAX_TRIES:
                raise ValueError("a fault that nobody foresaw")
        return await reserve(message)

    monkeypatch.setattr(deciding, "reserve", fails_for_some)
    campaign = await by.create()
    await by.do("Send", campaign)
    await advance("PT30M")
    assert await receivers() == ["ada@customer.example"]
    assert (await by.show(campaign))["status"] == "SENDING"
    await advance("PT1H")
    assert tries == {broken: feeding.MAX_TRIES, shaky: feeding.MAX_TRIES}
    assert await receivers() == ["ada@customer.example", "eve@customer.example"]
    shown = await by.show(campaign)
    assert (shown["status"], shown["stats"]["handled"], shown["stats"]["sent"]) == ("SENT", 3, 2)
    assert skips(shown["stats"]) == {"RETRIES_EXHAUSTED": 1}
    failures = await db.fetch("SELECT failure FROM campaign_recipients WHERE profile_id = ANY($1)", [broken, shaky])
    assert {row["failure"] for row in failures} == {"ValueError", None}
