"""Deciding to write to somebody about their own consent: asking to confirm it, and answering a text message."""

import uuid

from app.customers import consent, permission, suppressions
from app.customers.models import ConsentAction, SuppressionReason
from app.messaging import account_context, checks, ledger
from app.messaging.ledger import LedgerRow, Origin
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason

# Whoever was erased and comes back is asked once more; the others have said that they want nothing.
_NEVER_ASKED = frozenset({SuppressionReason.COMPLAINT, SuppressionReason.STAFF, SuppressionReason.HARD_BOUNCE})


async def reserve_confirmation(consent_id: uuid.UUID) -> None:
    """Ask the receiver to confirm a REQUESTED consent: the only message that it brings. Inside a unit of work."""
    request = await consent.find(consent_id)
    if request is None or not request.address:
        return
    await ledger.reserve(
        dedupe_key=f"{account_context.CONSENT_CONFIRMATION}:{consent_id.hex}",
        channel=request.channel,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=account_context.CONSENT_CONFIRMATION,
        recipient=request.address,
        order_id=None,
        context={"consentId": str(consent_id)},
        skipped=await _not_to_be_asked(consent_id, request),
        origin=Origin(profile_id=request.profile_id),
    )


async def reserve_answer(template: str, *, inbound_id: uuid.UUID, phone: str, profile_id: uuid.UUID | None) -> None:
    """Answer a text message, once, in the open unit of work."""
    await ledger.reserve(
        dedupe_key=f"{template}:{inbound_id.hex}",
        channel=MessageChannel.SMS,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=template,
        recipient=phone,
        order_id=None,
        context={"inboundSmsId": str(inbound_id)},
        skipped=None,
        origin=Origin(profile_id=profile_id),
    )


@checks.before_sending("consent.confirmations")
async def pointless(row: LedgerRow) -> MessageReason | None:
    """Why a confirmation must not be sent any more: it was given, or withdrawn, meanwhile."""
    if row.template != account_context.CONSENT_CONFIRMATION:
        return None
    consent_id = uuid.UUID(row.context["consentId"])
    request = await consent.find(consent_id)
    return await _not_to_be_asked(consent_id, request) if request else MessageReason.SUPERSEDED


async def _not_to_be_asked(consent_id: uuid.UUID, request: consent.Request) -> MessageReason | None:
    rows = await consent.history(request.channel, request.address)
    later = next(row.action for row in rows if row.id >= consent_id)
    if later is not ConsentAction.REQUESTED:
        return MessageReason.CONSENT_REVOKED if later is ConsentAction.REVOKED else MessageReason.SUPERSEDED
    if await suppressions.reasons(request.channel, request.address) & _NEVER_ASKED:
        return MessageReason.SUPPRESSED
    return await permission.transactional(request.channel, request.address)
