"""Calls that read a text aloud: off until staff turn them on, by the rules of text messages, through Twilio."""

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock, db
from app.messaging import voice
from app.messaging.dev_inbox import list_messages
from app.messaging.marketing import Deferred, Reserved, Skipped
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.transports import (
    OutgoingCall,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
    UnsubscribedError,
)
from app.messaging.twilio import TwilioAccount
from tests.factories import customers, marketing
from tests.factories.shop import shop
from tests.service.test_twilio import refusal, twilio

VOICE, SMS, EMAIL = MessageChannel.VOICE, MessageChannel.SMS, MessageChannel.EMAIL
PHONE = "+14155550188"
SID = "CA" + "b" * 32
Drain = Callable[[], Awaitable[None]]


def account(url: str, **more: Any) -> TwilioAccount:
    given = {"sender": "MG" + "1" * 32, "voice_sender": "+12025550100", **more}
    return TwilioAccount(sid="AC" + "0" * 32, api_url=url, auth_token="token-of-the-account", **given)


def call(text: str = "Your basket is waiting.", language: str = "en") -> OutgoingCall:
    return OutgoingCall(uuid.uuid4(), MessagePurpose.MARKETING, "reminder-call", PHONE, text, language)


# --- through Twilio ---------------------------------------------------------------------------------------------------


async def test_twilio_is_asked_to_say_the_text_and_to_report() -> None:
    message = call("Fish & chips <now>", "de")
    async with twilio((201, {"sid": SID, "status": "queued"})) as server:
        chosen = account(server.url, status_url="https://api.shop.example/webhooks/twilio/status")
        assert await voice.TwilioCalls(chosen, 5).send(message) == SID
    ((request_line, _, form),) = server.requests
    assert request_line.split()[1].endswith("/Calls.json")
    assert (form["To"], form["From"]) == ([PHONE], ["+12025550100"])
    assert form["StatusCallback"] == [f"https://api.shop.example/webhooks/twilio/status?message={message.id.hex}"]
    said = ET.fromstring(form["Twiml"][0]).find("Say")
    assert said is not None
    assert (said.text, said.get("language")) == ("Fish & chips <now>", "de-DE")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, 21211), PermanentSendError),
        (refusal(400, 21610), UnsubscribedError),
        (refusal(400, 21212), TemporarySendError),
        (refusal(429, 20429), TemporarySendError),
        ((500, "oops"), UnknownOutcomeError),
        (None, UnknownOutcomeError),
    ],
)
async def test_what_an_answer_means(answer: tuple[int, object] | None, kind: type[SendError]) -> None:
    async with twilio(answer) as server:
        with pytest.raises(kind) as caught:
            await voice.TwilioCalls(account(server.url), 5).send(call())
    assert type(caught.value) is kind
    assert len(server.requests) == 1


async def test_a_messaging_service_cannot_call() -> None:
    with pytest.raises(TemporarySendError, match="TWILIO_VOICE_FROM"):
        await voice.TwilioCalls(account("http://127.0.0.1:1", voice_sender=None), 5).send(call())


@given(st.text(max_size=3000), st.sampled_from(["en", "de-AT", "pt-BR", "xx", '"><Dial>1</Dial>']))
def test_no_text_becomes_an_instruction(text: str, language: str) -> None:
    document = voice.twiml(text, language)
    assert len(document) <= voice.MAX_TWIML_CHARS
    root = ET.fromstring(document)
    assert [child.tag for child in root] == ["Pause", "Say"]
    assert list(root[1]) == []


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "en-US"), ("en-GB", "en-GB"), ("de", "de-DE"), ("zh-Hant-TW", "zh-CN"), ("xx", None)],
)
def test_twilios_voices_go_by_language_and_country(language: str, expected: str | None) -> None:
    said = ET.fromstring(voice.twiml("Hello", language)).find("Say")
    assert said is not None
    assert said.get("language") == expected


# --- in the shop ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def template(clean_database: None) -> None:
    await shop()
    await marketing.template(
        "reminder-call", channel=VOICE, text="Hello {{ customer.first_name }}, from {{ shop.name }}."
    )


async def enable() -> None:
    async with db.unit_of_work():
        await db.execute(
            """
            INSERT INTO marketing_settings (id, email_cap_hours, sms_cap_hours, quiet_from, quiet_until, double_opt_in,
                                            attribution_days, voice_enabled, utm_source, updated_at)
            VALUES (1, 16, 24, '21:00', '08:00', '{}', 5, true, 'tradewind', now())
            ON CONFLICT (id) DO UPDATE SET voice_enabled = true
            """
        )


async def at_noon(advance: Callable[[str], Awaitable[None]]) -> None:
    """Noon where the number is, in the west of the United States."""
    now = await clock.now()
    wait = (now.replace(hour=20, minute=0, second=0, microsecond=0) - now) % timedelta(days=1)
    await advance(f"PT{int(wait.total_seconds()) + 1}S")


async def reserve(profile_id: uuid.UUID) -> Reserved | Skipped | Deferred:
    return await marketing.reserve(profile_id, channel=VOICE, template_key="reminder-call")


async def test_calls_are_off_until_staff_turn_them_on(
    template: None, advance: Callable[[str], Awaitable[None]]
) -> None:
    ada = await customers.profile(phone=PHONE, first_name="Ada", consents=[SMS])
    await at_noon(advance)
    outcome = await reserve(ada)
    assert isinstance(outcome, Skipped)
    assert outcome.reason == "CHANNEL_DISABLED"
    assert await list_messages() == []


async def test_a_call_needs_consent_to_texts_and_the_inbox_shows_what_is_said(
    template: None, drain: Drain, advance: Callable[[str], Awaitable[None]]
) -> None:
    await enable()
    stranger = await customers.profile(phone="+14155550199", email="bob@customer.example", consents=[EMAIL])
    ada = await customers.profile(phone=PHONE, first_name="Ada", consents=[SMS])
    await at_noon(advance)
    refused = await reserve(stranger)
    assert isinstance(refused, Skipped)
    assert refused.reason == "NO_CONSENT"
    assert isinstance(await reserve(ada), Reserved)
    await drain()
    (said,) = await list_messages()
    assert (said.channel, said.to, said.subject) == (VOICE, PHONE, None)
    assert said.text.startswith("Hello Ada, from Tradewind Supply.")
    row = await db.fetchrow("SELECT state, provider FROM messages WHERE state = 'SENT'")
    assert row is not None
    assert row["provider"] == "inbox"


async def test_nobody_is_called_at_night(template: None, advance: Callable[[str], Awaitable[None]]) -> None:
    await enable()
    ada = await customers.profile(phone=PHONE, first_name="Ada", consents=[SMS])
    await at_noon(advance)
    await advance("PT14H")  # two in the morning
    outcome = await reserve(ada)
    assert isinstance(outcome, Deferred)
    assert outcome.reason == "QUIET_HOURS"
    assert await db.fetchval("SELECT count(*) FROM messages") == 0
