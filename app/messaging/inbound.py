"""A text message that somebody sent to the shop: keywords change their consent, the rest is for people to read."""

import uuid
from dataclasses import dataclass

from app import db
from app.customers import consent, identification, suppressions, timeline
from app.customers.consent import ConsentRow
from app.customers.models import ConsentAction, ConsentSource, SuppressionReason
from app.kit.ids import new_id
from app.messaging import account_context, account_notices
from app.messaging.models import MessageChannel
from app.messaging.sms_rules import SmsKeyword, keyword

MAX_BODY_CHARS = 2_000
MAX_HELP_ANSWERS_A_DAY = 5
"""Two machines that answer each other would not stop by themselves."""

_NOTE = """
    INSERT INTO inbound_sms (id, provider, external_id, sender, body, keyword, profile_id, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, business_now()) ON CONFLICT DO NOTHING RETURNING id
"""
# Households share numbers: whoever consented last with it, or else was seen last.
_WHO = """
    SELECT coalesce(o.merged_into_id, o.id) FROM profiles o
    WHERE o.erased_at IS NULL
      AND (o.id = (SELECT profile_id FROM consents WHERE id = $2) OR o.phone = $1 AND o.merged_into_id IS NULL)
    ORDER BY o.id = (SELECT profile_id FROM consents WHERE id = $2) DESC NULLS LAST,
             coalesce(o.last_seen_at, o.created_at) DESC, o.id DESC
    LIMIT 1
"""
# Repliers leave by the text that they had last.
_CREDIT = """
    UPDATE messages SET unsubscribed_at = business_now() WHERE unsubscribed_at IS NULL AND id = (
        SELECT id FROM messages
        WHERE recipient = $1 AND channel = 'SMS' AND purpose = 'MARKETING' AND state IN ('SENT', 'UNKNOWN')
        ORDER BY created_at DESC, id DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class InboundText:
    provider: str
    external_id: str
    """The provider's id: the same message may be told twice."""
    sender: str
    """E.164."""
    body: str
    provider_keyword: SmsKeyword | None = None
    """What the provider took it for, and has answered itself: we act on it and send no second answer."""


async def receive(text: InboundText) -> SmsKeyword | None:
    """Do what the message asks for; once, however often it is told. Returns what it was taken for."""
    meaning = text.provider_keyword or keyword(text.body)
    inbound_id = new_id()
    async with db.unit_of_work():
        # The number's record is read before its lock is taken, to know whose profile's lock comes first.
        rows = await consent.history(MessageChannel.SMS, text.sender)
        meaning = _applicable(meaning, rows)
        profile_id = await _whose(text.sender, rows, make=meaning is SmsKeyword.STOP)
        noted = await db.fetchval(
            _NOTE,
            inbound_id,
            text.provider,
            text.external_id,
            text.sender,
            text.body.replace("\0", "")[:MAX_BODY_CHARS],
            meaning,
            profile_id,
        )
        if noted is None:
            return meaning
        answer = await _act(meaning, inbound_id, text.sender, profile_id)
        if answer is not None and text.provider_keyword is None:
            await account_notices.reserve_answer(
                answer, inbound_id=inbound_id, phone=text.sender, profile_id=profile_id
            )
    return meaning


async def _act(
    meaning: SmsKeyword | None, inbound_id: uuid.UUID, phone: str, profile_id: uuid.UUID | None
) -> str | None:
    """The template to answer with, or None."""
    match meaning:
        case SmsKeyword.STOP if profile_id is not None:
            return await _stop(inbound_id, phone, profile_id)
        case SmsKeyword.HELP:
            return account_context.SMS_HELP if await _may_be_helped(phone) else None
        case SmsKeyword.START | SmsKeyword.YES if profile_id is not None:
            return await _start(inbound_id, phone, profile_id)
        case _:
            if profile_id is not None:
                await timeline.record("sms.received", profile_id=profile_id, subject_id=inbound_id)
            return None


async def _stop(inbound_id: uuid.UUID, phone: str, profile_id: uuid.UUID) -> str | None:
    changed = await consent.revoke(
        profile_id=profile_id,
        channel=MessageChannel.SMS,
        address=phone,
        source=ConsentSource.SMS_REPLY,
        detail=_proof(inbound_id),
    )
    if not changed:
        return None  # confirmed already, and one confirmation is all that may follow
    await db.execute(_CREDIT, phone)
    return account_context.SMS_STOPPED


async def _start(inbound_id: uuid.UUID, phone: str, profile_id: uuid.UUID) -> str | None:
    """A new proof for whoever was asked, or had consented before. The provider's own block ends with START, too."""
    await consent.lock(MessageChannel.SMS, phone)
    rows = await consent.history(MessageChannel.SMS, phone)
    if not rows or rows[0].action is ConsentAction.GRANTED:
        return None
    if rows[0].action is ConsentAction.REQUESTED:
        await consent.confirm(rows[0].id, source=ConsentSource.SMS_REPLY, detail=_proof(inbound_id))
    else:
        before = next((row for row in rows if row.action is ConsentAction.GRANTED), None)
        if before is None:
            return None
        await consent.grant(
            profile_id=profile_id,
            channel=MessageChannel.SMS,
            address=phone,
            source=ConsentSource.SMS_REPLY,
            text_id=before.text_id,
            detail=_proof(inbound_id),
        )
    for reason in (SuppressionReason.PROVIDER_UNSUBSCRIBED, SuppressionReason.ERASED):
        await suppressions.lift_by_receiver(MessageChannel.SMS, phone, reason)
    return account_context.SMS_STARTED


def _applicable(meaning: SmsKeyword | None, rows: list[ConsentRow]) -> SmsKeyword | None:
    """START and YES of somebody who never consented, and was not asked, are words for people to read."""
    if meaning not in (SmsKeyword.START, SmsKeyword.YES):
        return meaning
    asked = bool(rows) and rows[0].action is ConsentAction.REQUESTED
    consented = any(row.action is ConsentAction.GRANTED for row in rows)
    if meaning is SmsKeyword.YES and rows and rows[0].action is ConsentAction.GRANTED:
        return None  # an answer to something else
    return meaning if asked or consented else None


async def _whose(phone: str, rows: list[ConsentRow], *, make: bool) -> uuid.UUID | None:
    """The living profile, locked; made where something has to be recorded of a number that nobody knows."""
    found: uuid.UUID | None = await db.fetchval(_WHO, phone, rows[0].id if rows else None)
    if found is not None:
        return await identification.lock(found)
    return await identification.identify(phone=phone, source="SMS") if make else None


async def _may_be_helped(phone: str) -> bool:
    lately: int = await db.fetchval(
        """
        SELECT count(*) FROM inbound_sms
        WHERE sender = $1 AND keyword = 'HELP' AND received_at > business_now() - interval '1 day'
        """,
        phone,
    )
    return lately <= MAX_HELP_ANSWERS_A_DAY


def _proof(inbound_id: uuid.UUID) -> str:
    """Names the stored message that the consent row rests on."""
    return f"sms:{inbound_id.hex}"
