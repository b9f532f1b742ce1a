"""Bounces, complaints and deliveries as Amazon SES, Postmark, SendGrid and Twilio tell them, true and forged.

What makes a message of Amazon's true is in `test_provider_notices_sns.py`.
"""

import random
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app import db
from app.customers import permission, suppressions
from app.messaging.models import MessageChannel
from tests.client import Api
from tests.factories import customers, notices
from tests.factories.notices import Providers, header_of, mail_to_ada, marks, nothing_changed, ses_bounce, ses_mail

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
ADA, PHONE = "ada@customer.example", "+14155550188"
Drain = Callable[[], Awaitable[None]]


async def timeline() -> list[str]:
    return [row["type"] for row in await db.fetch("SELECT type FROM profile_events ORDER BY type")]


# --- what follows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_hard_bounce_suppresses_the_address_for_everything_once(
    providers: Providers, drain: Drain, version: str
) -> None:
    message_id = await mail_to_ada()
    body = providers.sns(ses_bounce(message_id), version=version)
    for _ in range(3):
        assert await providers.ses(body) == 204
        await drain()
    assert await providers.ses(providers.sns(ses_bounce(message_id), version=version)) == 204
    await drain()
    assert await marks(message_id) == {"bounced"}
    assert await permission.transactional(EMAIL, ADA) == "SUPPRESSED"
    assert await permission.marketing(EMAIL, ADA) == "SUPPRESSED"
    assert await db.fetchval("SELECT count(*) FROM suppressions") == 1
    assert await timeline() == ["message.bounced"]
    assert await db.fetchval("SELECT detail FROM messages") == "Permanent General"


async def test_a_complaint_suppresses_marketing_and_leaves_the_record_of_consent(
    providers: Providers, drain: Drain
) -> None:
    message_id = await mail_to_ada()
    complaint = {
        "eventType": "Complaint",
        "complaint": {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": ADA}]},
        "mail": ses_mail(message_id),
    }
    assert await providers.ses(providers.sns(complaint)) == 204
    await drain()
    assert await marks(message_id) == {"complained"}
    assert await permission.marketing(EMAIL, ADA) == "SUPPRESSED"
    assert await permission.transactional(EMAIL, ADA) is None
    assert await db.fetchval("SELECT count(*) FROM consents") == 1
    assert await timeline() == ["message.complained"]


async def test_a_soft_bounce_is_noted_and_stops_nothing(providers: Providers, drain: Drain) -> None:
    message_id = await mail_to_ada()
    assert await providers.ses(providers.sns(ses_bounce(message_id, "Transient"))) == 204
    await drain()
    assert await marks(message_id) == set()
    assert await db.fetchval("SELECT detail FROM messages") == "SOFT_BOUNCE Transient General"
    assert await permission.marketing(EMAIL, ADA) is None


async def test_an_unsubscription_at_the_provider_is_a_withdrawal(providers: Providers, drain: Drain) -> None:
    message_id = await mail_to_ada()
    event = {"event": "group_unsubscribe", "sg_event_id": "u1", "smtp-id": header_of(message_id), "email": ADA}
    assert await providers.sendgrid([event]) == 204
    await drain()
    assert await marks(message_id) == {"unsubscribed"}
    assert await permission.marketing(EMAIL, ADA) == "CONSENT_REVOKED"
    assert await suppressions.find(EMAIL, ADA) == "PROVIDER_UNSUBSCRIBED"
    assert await db.fetchval("SELECT source FROM consents ORDER BY id DESC LIMIT 1") == "PROVIDER"
    assert "consent.revoked" in await timeline()


async def test_what_arrived_was_sent(providers: Providers, drain: Drain) -> None:
    message_id = await mail_to_ada(state="UNKNOWN")
    delivery = {"notificationType": "Delivery", "delivery": {}, "mail": ses_mail(message_id)}
    assert await providers.ses(providers.sns(delivery)) == 204
    await drain()
    row = await db.fetchrow("SELECT state, reason, sent_at FROM messages WHERE id = $1", message_id)
    assert row is not None
    assert (row["state"], row["reason"]) == ("SENT", None)
    assert row["sent_at"] is not None
    assert await marks(message_id) == {"delivered"}


async def test_the_order_in_which_notices_come_does_not_matter(providers: Providers, drain: Drain) -> None:
    outcomes = []
    for seed in range(3):
        await db.execute("DELETE FROM suppressions")
        message_id = (
            await mail_to_ada()
            if seed == 0
            else await notices.message(profile_id=await db.fetchval("SELECT id FROM profiles"))
        )
        bodies = [
            providers.sns({"notificationType": "Delivery", "mail": ses_mail(message_id)}),
            providers.sns(ses_bounce(message_id)),
            providers.sns(
                {"notificationType": "Complaint", "complaint": {}, "mail": ses_mail(message_id)},
            ),
        ] * 2
        random.Random(seed).shuffle(bodies)
        for body in bodies:
            assert await providers.ses(body) == 204
        await drain()
        reasons = await db.fetch("SELECT reason FROM suppressions ORDER BY reason")
        outcomes.append((await marks(message_id), [row["reason"] for row in reasons]))
    assert outcomes == [({"delivered", "bounced", "complained"}, ["COMPLAINT", "HARD_BOUNCE"])] * 3


async def test_a_message_is_found_by_the_providers_own_name_for_it_also_when_that_is_noted_later(
    providers: Providers, drain: Drain
) -> None:
    message_id = await mail_to_ada()
    other = await notices.message(recipient="other@customer.example", reference="Ok 0102-other")
    assert await providers.ses(providers.sns(ses_bounce(None, reference="0102-mine"))) == 204
    await drain()
    assert await marks(message_id) == set()
    await db.execute("UPDATE messages SET provider_reference = 'Ok 0102-mine' WHERE id = $1", message_id)
    await db.execute("UPDATE events SET attempts = 0, leased_until = NULL WHERE acknowledged_at IS NULL")
    await drain()
    assert await marks(message_id) == {"bounced"}
    assert await marks(other) == set()


async def test_a_notice_about_somebody_elses_mail_is_let_go(providers: Providers, drain: Drain) -> None:
    message_id = await mail_to_ada()
    assert await providers.ses(providers.sns(ses_bounce(uuid.uuid4()))) == 204
    assert await providers.ses(providers.sns(ses_bounce(None, reference="0102-nobodys"))) == 204
    for _ in range(6):
        await drain()
        await db.execute(
            "UPDATE events SET attempts = 4, leased_until = NULL WHERE acknowledged_at IS NULL AND attempts < 5"
        )
    assert await marks(message_id) == set()
    assert await db.fetchval("SELECT count(*) FROM suppressions") == 0
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0


# --- Postmark ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "expected", "suppressed"),
    [
        ({"RecordType": "Delivery"}, {"delivered"}, None),
        ({"RecordType": "Bounce", "ID": 7, "Type": "HardBounce", "TypeCode": 1}, {"bounced"}, "HARD_BOUNCE"),
        ({"RecordType": "Bounce", "ID": 7, "Type": "SoftBounce", "TypeCode": 4096}, set(), None),
        ({"RecordType": "SpamComplaint", "ID": 7, "Type": "SpamComplaint"}, {"complained"}, "COMPLAINT"),
        (
            {
                "RecordType": "SubscriptionChange",
                "SuppressSending": True,
                "Origin": "Recipient",
                "ChangedAt": "2026-11-22T12:00:00Z",
            },
            {"unsubscribed"},
            "PROVIDER_UNSUBSCRIBED",
        ),
        ({"RecordType": "Open"}, set(), None),
    ],
)
async def test_postmark(
    providers: Providers, drain: Drain, record: dict[str, Any], expected: set[str], suppressed: str | None
) -> None:
    message_id = await mail_to_ada()
    body = {**record, "MessageID": str(uuid.uuid4()), "Metadata": {"message": message_id.hex}, "Email": ADA}
    for _ in range(2):
        assert await providers.postmark(body) == 204
        await drain()
    assert await marks(message_id) == expected
    assert await suppressions.find(EMAIL, ADA) == suppressed


async def test_postmark_has_to_sign_in(providers: Providers) -> None:
    message_id = await mail_to_ada()
    body = {"RecordType": "Bounce", "ID": 7, "Type": "HardBounce", "MessageID": "x", "Metadata": {"message": "y"}}
    for login in (None, "tradewind:wrong", "tradewind", "", notices.LOGIN + "x"):
        assert await providers.postmark(body, login) == 401
    assert (
        await providers.http.post("/webhooks/postmark", headers={b"Authorization": "Basic ü".encode()})
    ).status_code == 401
    await nothing_changed(message_id)


# --- SendGrid ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "delivered"}, {"delivered"}),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, {"bounced"}),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, set()),
        ({"event": "dropped", "reason": "Bounced Address"}, {"bounced"}),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, {"unsubscribed"}),
        ({"event": "dropped", "reason": "Spam Content"}, set()),
        ({"event": "deferred", "status": "4.4.1"}, set()),
        ({"event": "spamreport"}, {"complained"}),
        ({"event": "open"}, set()),
    ],
)
async def test_sendgrid(providers: Providers, drain: Drain, event: dict[str, Any], expected: set[str]) -> None:
    message_id = await mail_to_ada()
    ours = {**event, "sg_event_id": "a1", "smtp-id": header_of(message_id), "email": ADA}
    theirs = {"event": "bounce", "type": "bounce", "sg_event_id": "a2", "smtp-id": "<x@other.example>"}
    assert await providers.sendgrid([ours, theirs, ours, "nonsense", {"event": 1}]) == 204
    assert await providers.sendgrid([ours]) == 204
    await drain()
    assert await marks(message_id) == expected
    assert await db.fetchval("SELECT count(*) FROM provider_notices") <= 1


async def test_sendgrid_is_believed_by_its_signature_alone(providers: Providers) -> None:
    message_id = await mail_to_ada()
    body = [{"event": "bounce", "type": "bounce", "sg_event_id": "a1", "smtp-id": header_of(message_id)}]
    assert await providers.sendgrid(body, key=ec.generate_private_key(ec.SECP256R1())) == 403
    assert await providers.sendgrid(body, at=datetime.now(UTC) - timedelta(hours=26)) == 403
    assert await providers.sendgrid(body, at=datetime.now(UTC) + timedelta(hours=26)) == 403
    assert (await providers.http.post("/webhooks/sendgrid", json=body)).status_code == 403
    await nothing_changed(message_id)


# --- Twilio -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "expected", "suppressed"),
    [
        ({"MessageStatus": "sent"}, set(), None),
        ({"MessageStatus": "delivered"}, {"delivered"}, None),
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, set(), None),
        ({"MessageStatus": "undelivered", "ErrorCode": "30006"}, {"bounced"}, "HARD_BOUNCE"),
        ({"MessageStatus": "failed", "ErrorCode": "30007"}, set(), None),
        ({"MessageStatus": "failed", "ErrorCode": "21610"}, {"unsubscribed"}, "PROVIDER_UNSUBSCRIBED"),
    ],
)
async def test_twilio(
    providers: Providers, drain: Drain, form: dict[str, str], expected: set[str], suppressed: str | None
) -> None:
    profile_id = await customers.profile(phone=PHONE, consents=[SMS], announced=False)
    message_id = await notices.message(profile_id=profile_id, channel="SMS", recipient=PHONE)
    for _ in range(2):
        assert await providers.twilio(message_id, MessageSid="SM1", To=PHONE, **form) == 204
        await drain()
    assert await marks(message_id) == expected
    assert await suppressions.find(SMS, PHONE) == suppressed
    if suppressed == "PROVIDER_UNSUBSCRIBED":
        assert await permission.marketing(SMS, PHONE) == "CONSENT_REVOKED"


async def test_twilio_tells_of_calls_and_by_sid(providers: Providers, drain: Drain) -> None:
    answered = await notices.message(channel="VOICE", recipient=PHONE)
    text = await notices.message(channel="SMS", recipient=PHONE, reference="SM9")
    assert await providers.twilio(answered, CallSid="CA1", CallStatus="ringing") == 204
    assert await providers.twilio(answered, CallSid="CA1", CallStatus="completed") == 204
    assert await providers.twilio(None, MessageSid="SM9", MessageStatus="delivered") == 204
    await drain()
    assert await marks(answered) == await marks(text) == {"delivered"}


async def test_twilio_is_believed_by_its_signature_alone(providers: Providers) -> None:
    message_id = await notices.message(channel="SMS", recipient=PHONE)
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert await providers.twilio(message_id, token="another-token", **form) == 403
    response = await providers.http.post("/webhooks/twilio/status", data=form)
    assert response.status_code == 403
    await nothing_changed(message_id)


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["ses", "postmark", "sendgrid", "twilio/status"])
async def test_a_provider_that_is_not_set_up_is_not_heard(api: Api, path: str) -> None:
    assert (await api.http.post(f"/webhooks/{path}", json={})).status_code == 404


async def test_nonsense_and_too_much_are_refused(providers: Providers) -> None:
    assert await providers.postmark([]) == 400
    assert await providers.postmark({"RecordType": "Bounce"}) == 400
    assert await providers.sendgrid({"event": "bounce"}) == 400
    assert await providers.ses({}) == 403
    assert (await providers.http.post("/webhooks/ses", content=b"\xff")).status_code == 400
    assert await providers.ses(providers.sns({"notificationType": "Bounce"})) == 400
    assert await providers.twilio(None, Foo="bar") == 400
    assert (await providers.http.post("/webhooks/ses", content=b" " * 2_000_001)).status_code == 413
    assert await db.fetchval("SELECT count(*) FROM events") == 0
