"""SMS: express consent only, by day, with a brand and a way out, and a word that is heard."""

import asyncio
import base64
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from app import db
from app.customers import consent, permission, suppressions
from app.customers.models import ConsentAction, ConsentSource, SuppressionReason
from app.kit.ids import new_id
from app.messaging import dev_inbox, ledger, sending, sms_rules
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.transports import OutgoingSms, UnsubscribedError
from app.settings import Settings
from tests.client import Api
from tests.factories import customers, shop

Drain = Callable[[], Awaitable[None]]

SMS = MessageChannel.SMS
PHONE = "+15035550142"
TOKEN = "an auth token of a test account"
REPLY = """
    mutation ($from: String!, $text: String!) {
      devSmsReply(from: $from, text: $text) { keyword userErrors { code field } }
    }
"""
SUBSCRIBE = """
    mutation { newsletterSubscribe(input: {email: "ada@customer.example", phone: "+15035550142",
      consent: [{channel: SMS, granted: true}]}) { accepted userErrors { code message } } }
"""


@pytest.fixture(autouse=True)
async def a_shop(clean_database: None) -> None:
    await shop.shop(name="Harbour")


@pytest.fixture
async def ada(clean_database: None) -> uuid.UUID:
    return await customers.profile(email="ada@customer.example", phone=PHONE, consents=[SMS])


@pytest.fixture
def twilio(_application: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "twilio_auth_token", TOKEN)


class Texter:
    """Somebody with a phone, in development."""

    def __init__(self, api: Api, token: str, drain: Drain) -> None:
        self.api, self.token, self.drain = api, token, drain

    async def says(self, text: str, phone: str = PHONE) -> str | None:
        answer = await self.api.ok(REPLY, {"from": phone, "text": text}, token=self.token)
        await self.drain()
        keyword: str | None = answer["devSmsReply"]["keyword"]
        return keyword

    async def has(self, phone: str = PHONE) -> list[str]:
        """What the shop answered, oldest first."""
        return [message.text for message in reversed(await dev_inbox.list_messages(phone))]


@pytest.fixture
def texter(api: Api, staff_token: str, drain: Drain) -> Texter:
    return Texter(api, staff_token, drain)


async def tell(api: Api, body: str, sid: str | None = None, *, signature: str | None = None, **more: str) -> int:
    """Twilio's webhook; its answer's status."""
    form = {"MessageSid": sid or f"SM{new_id().hex}", "From": PHONE, "To": "+15035550100", "Body": body, **more}
    signed = "http://testserver/webhooks/twilio/sms" + "".join(name + form[name] for name in sorted(form))
    right = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    answer = await api.http.post(
        "/webhooks/twilio/sms",
        content=urlencode(form),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": right if signature is None else signature,
        },
    )
    if answer.status_code == 200:
        assert answer.headers["content-type"].startswith("text/xml")
        assert answer.text.endswith("<Response></Response>")
    return answer.status_code


async def test_only_express_consent_allows_a_text(ada: uuid.UUID) -> None:
    assert await permission.marketing(SMS, PHONE) is None
    assert await permission.marketing(SMS, "+15035550143") is MessageReason.NO_CONSENT
    await customers.profile(email="bea@customer.example", phone="+15035550144", consents=[MessageChannel.EMAIL])
    assert await permission.marketing(SMS, "+15035550144") is MessageReason.NO_CONSENT


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "StopAll", "quit", "End.", "REVOKE!", "opt out", "Opt-Out", "OPTOUT", "cancel", "unsubscribe",
     "stop please", "Please STOP!!!", " \n stop \n", "unsubscribe me", "stop texting me", "please cancel",
     "STOP sending me these messages please", "¡stop!"],
)  # fmt: skip
async def test_stop_in_any_case_punctuation_and_short_phrase_revokes_and_gets_one_confirmation(
    texter: Texter, ada: uuid.UUID, text: str
) -> None:
    assert await texter.says(text) == "STOP"
    assert await permission.marketing(SMS, PHONE) is MessageReason.CONSENT_REVOKED
    row = await db.fetchrow("SELECT source, detail FROM consents ORDER BY id DESC LIMIT 1")
    inbound = await db.fetchrow("SELECT id, body, keyword FROM inbound_sms")
    assert row is not None
    assert inbound is not None
    assert (row["source"], row["detail"]) == ("SMS_REPLY", f"sms:{inbound['id'].hex}")
    assert (inbound["body"], inbound["keyword"]) == (text, "STOP")
    (answer,) = await texter.has()
    assert answer.startswith("Harbour: you are unsubscribed")
    await texter.says("STOP")
    assert len(await texter.has()) == 1


async def test_stop_of_a_number_that_nobody_knows_is_kept_too(texter: Texter) -> None:
    assert await texter.says("STOP") == "STOP"
    assert await consent.state(SMS, PHONE) is ConsentAction.REVOKED
    assert len(await texter.has()) == 1


async def test_a_sentence_that_merely_contains_the_word_is_for_people_to_read(
    texter: Texter, ada: uuid.UUID, api: Api, staff_token: str
) -> None:
    text = "When does the sale end, and can I still cancel an order after that?"
    assert await texter.says(text) is None
    assert await permission.marketing(SMS, PHONE) is None
    assert await texter.has() == []
    assert await db.fetchval("SELECT profile_id FROM profile_events WHERE type = 'sms.received'") == ada
    listed = await api.ok("{ inboundSms { totalCount nodes { sender text keyword profileId } } }", token=staff_token)
    row = {"sender": PHONE, "text": text, "keyword": None, "profileId": f"prof_{ada.hex}"}
    assert listed["inboundSms"] == {"totalCount": 1, "nodes": [row]}


@pytest.mark.parametrize("text", ["HELP", "info", "Help!", "help please"])
async def test_help_is_answered_with_brand_and_contact(
    texter: Texter, ada: uuid.UUID, api: Api, staff_token: str, text: str
) -> None:
    await api.ok(
        'mutation { marketingSettingsUpdate(input: {helpText: "call 555-0100."}) { userErrors { code } } }',
        token=staff_token,
    )
    assert await texter.says(text) == "HELP"
    (answer,) = await texter.has()
    assert answer.startswith("Harbour: call 555-0100.")
    assert "STOP" in answer
    assert await permission.marketing(SMS, PHONE) is None


async def test_two_machines_do_not_help_each_other_for_ever(texter: Texter, ada: uuid.UUID) -> None:
    for _ in range(8):
        await texter.says("HELP")
    assert len(await texter.has()) == 5


@pytest.mark.parametrize("text", ["START", "unstop", "Yes", "start please"])
async def test_start_subscribes_again_with_a_new_proof(texter: Texter, ada: uuid.UUID, text: str) -> None:
    await texter.says("STOP")
    async with db.unit_of_work():
        await suppressions.add(SMS, PHONE, SuppressionReason.PROVIDER_UNSUBSCRIBED)
    before = await consent.history(SMS, PHONE)
    await texter.says(text)
    assert await permission.marketing(SMS, PHONE) is None
    granted, *rest = await consent.history(SMS, PHONE)
    assert rest == before
    assert (granted.action, granted.source) == (ConsentAction.GRANTED, ConsentSource.SMS_REPLY)
    assert granted.text_id == before[-1].text_id
    assert (granted.detail or "").startswith("sms:")
    assert "HELP" in (await texter.has())[-1]
    assert "STOP" in (await texter.has())[-1]


@pytest.mark.parametrize("text", ["START", "YES"])
async def test_start_of_a_number_that_never_consented_subscribes_nobody(texter: Texter, text: str) -> None:
    await customers.profile(email="bea@customer.example", phone=PHONE)
    assert await texter.says(text) is None
    assert await consent.state(SMS, PHONE) is None
    assert await texter.has() == []


@pytest.mark.parametrize("text", ["YES", "ja", "Oui!", "y"])
async def test_a_double_opt_in_by_text_is_confirmed_by_yes(texter: Texter, text: str) -> None:
    await texter.api.ok(SUBSCRIBE)
    await texter.drain()
    (asked,) = await texter.has()
    for word in ("Harbour", "YES", "HELP", "STOP", "frequency", "rates"):
        assert word in asked
    assert await permission.marketing(SMS, PHONE) is MessageReason.CONSENT_UNCONFIRMED
    assert await texter.says(text) == "YES"
    assert await permission.marketing(SMS, PHONE) is None
    granted, requested = await consent.history(SMS, PHONE)
    assert granted.confirms_id == requested.id
    assert len(await texter.has()) == 2


async def test_a_stop_answers_a_double_opt_in_too(texter: Texter) -> None:
    await texter.api.ok(SUBSCRIBE)
    await texter.drain()
    await texter.says("stop")
    assert await texter.says("yes") is None
    assert await permission.marketing(SMS, PHONE) is MessageReason.CONSENT_REVOKED


async def test_the_first_marketing_text_names_brand_stop_and_help(ada: uuid.UUID) -> None:
    assert sms_rules.first_message_footer("Harbour") == "Harbour: Reply STOP to opt out, HELP for help."
    assert await sms_rules.is_first_marketing_sms(PHONE)
    await sent_text(MessagePurpose.TRANSACTIONAL)
    assert await sms_rules.is_first_marketing_sms(PHONE)
    await sent_text(MessagePurpose.MARKETING)
    assert not await sms_rules.is_first_marketing_sms(PHONE)
    assert await sms_rules.is_first_marketing_sms("+15035550143")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Harbour: your cart is still here: https://t.example/l/abc", True),
        ("Welcome to HARBOUR! 10% off.", True),
        ("Your cart is still here: https://harbour.example/l/abc", False),
        ("News from Harbourside: come in.", False),
        ("Your cart is still here.", False),
    ],
)
def test_a_brand_that_the_first_text_names_is_not_named_twice(text: str, named: bool) -> None:
    words = sms_rules.FIRST_MESSAGE_WORDS
    assert sms_rules.first_message_footer("Harbour", text) == (words if named else f"Harbour: {words}")


async def sent_text(purpose: MessagePurpose) -> uuid.UUID:
    message_id = new_id()
    await db.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, attempts,
                              created_at, sent_at)
        VALUES ($1, 'text:' || $4, 'SMS', $2, 'welcome', $3, '{}', 'SENT', 1, business_now(), business_now())
        """,
        message_id,
        purpose,
        PHONE,
        message_id.hex,
    )
    return message_id


async def test_a_stop_is_credited_to_the_last_marketing_text(texter: Texter, ada: uuid.UUID) -> None:
    first, last = await sent_text(MessagePurpose.MARKETING), await sent_text(MessagePurpose.MARKETING)
    await texter.says("stop")
    left_by = await db.fetch("SELECT id FROM messages WHERE unsubscribed_at IS NOT NULL")
    assert [row["id"] for row in left_by] == [last] != [first]


async def test_the_providers_unsubscribed_error_suppresses_and_is_not_retried(
    ada: uuid.UUID, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    async def refuse(message: OutgoingSms, settings: Settings) -> Any:
        tries.append(message.recipient)
        raise UnsubscribedError("HTTP 400, code 21610")

    monkeypatch.setattr(sending.providers, "send", refuse)
    async with db.unit_of_work():
        message_id = await ledger.reserve(
            dedupe_key="help", channel=SMS, purpose=MessagePurpose.TRANSACTIONAL, template="sms_help",
            recipient=PHONE, order_id=None, context={},
        )  # fmt: skip
    await drain()
    assert tries == [PHONE]
    row = await db.fetchrow("SELECT state, reason FROM messages WHERE id = $1", message_id)
    assert row is not None
    assert (row["state"], row["reason"]) == ("SKIPPED", "UNSUBSCRIBED")
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM events WHERE acknowledged_at IS NULL)")
    assert await permission.marketing(SMS, PHONE) is MessageReason.SUPPRESSED
    assert await permission.transactional(SMS, PHONE) is MessageReason.UNSUBSCRIBED
    assert await suppressions.find(SMS, PHONE) is SuppressionReason.PROVIDER_UNSUBSCRIBED


async def test_twilios_webhook_does_what_a_reply_does_once(
    api: Api, ada: uuid.UUID, drain: Drain, twilio: None
) -> None:
    sid = f"SM{new_id().hex}"
    assert set(await asyncio.gather(*(tell(api, "Stop please", sid) for _ in range(5)))) == {200}
    await drain()
    assert await permission.marketing(SMS, PHONE) is MessageReason.CONSENT_REVOKED
    assert await db.fetchval("SELECT count(*) FROM inbound_sms") == 1
    assert len(await dev_inbox.list_messages(PHONE)) == 1
    sid = f"SM{new_id().hex}"
    assert set(await asyncio.gather(*(tell(api, "Help", sid) for _ in range(5)))) == {200}
    await drain()
    assert [text.template for text in await dev_inbox.list_messages(PHONE)] == ["sms_help", "sms_stopped"]


@pytest.mark.parametrize("signature", ["", "abc", base64.b64encode(b"x" * 20).decode()])
async def test_a_webhook_with_a_wrong_signature_changes_nothing(
    api: Api, ada: uuid.UUID, twilio: None, signature: str
) -> None:
    assert await tell(api, "STOP", signature=signature) == 403
    assert await permission.marketing(SMS, PHONE) is None
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM inbound_sms)")


async def test_what_twilio_has_answered_itself_is_done_and_not_answered_again(
    api: Api, ada: uuid.UUID, drain: Drain, twilio: None
) -> None:
    assert await tell(api, "ARRET", OptOutType="STOP") == 200
    await drain()
    assert await permission.marketing(SMS, PHONE) is MessageReason.CONSENT_REVOKED
    assert await dev_inbox.list_messages(PHONE) == []
