"""Whether the law lets the shop write to an address."""

from app import db
from app.customers import suppressions
from app.customers.addresses import address_hashes
from app.customers.models import ConsentAction, SuppressionReason
from app.messaging.models import MessageChannel, MessageReason

_REFUSALS = {
    None: MessageReason.NO_CONSENT,
    ConsentAction.REQUESTED: MessageReason.CONSENT_UNCONFIRMED,
    ConsentAction.REVOKED: MessageReason.CONSENT_REVOKED,
}


def consent_channel(channel: MessageChannel) -> MessageChannel:
    """The channel whose consent counts: a call needs the one to text messages."""
    return MessageChannel.SMS if channel is MessageChannel.VOICE else channel


def refusal_of(action: str | None) -> MessageReason | None:
    """Why marketing is not allowed by what was said last about an address; None when it is."""
    said = ConsentAction(action) if action else None
    return None if said is ConsentAction.GRANTED else _REFUSALS[said]


async def marketing(channel: MessageChannel, address: str) -> MessageReason | None:
    """Why marketing to this address is not allowed now; None when it is.

    Asked inside a unit of work before a message is reserved and again before it is sent. Consent is asked first, so
    that a withdrawal is called one.
    """
    hashes = address_hashes(channel, address)
    facts = await db.fetchrow(
        """
        SELECT
            (SELECT action FROM consents WHERE channel = $1 AND address_hash = ANY($2::bytea[])
             ORDER BY id DESC LIMIT 1) AS action,
            EXISTS (SELECT FROM suppressions WHERE channel = ANY($3) AND address_hash = ANY($2::bytea[])
                                               AND lifted_at IS NULL) AS suppressed
        """,
        consent_channel(channel),
        hashes,
        suppressions.channels_of(channel),
    )
    if facts is None:
        raise RuntimeError("a SELECT without FROM has a row")
    return refusal_of(facts["action"]) or (MessageReason.SUPPRESSED if facts["suppressed"] else None)


async def transactional(channel: MessageChannel, address: str) -> MessageReason | None:
    """Why not even a receipt may go to this address; None when it may.

    Mail that came back for good would come back again, and many of those spoil the shop's name with all receivers. A
    number whose provider was told STOP takes nothing from us at all.
    """
    reasons = await suppressions.reasons(channel, address)
    if SuppressionReason.HARD_BOUNCE in reasons:
        return MessageReason.SUPPRESSED
    if channel is not MessageChannel.EMAIL and SuppressionReason.PROVIDER_UNSUBSCRIBED in reasons:
        return MessageReason.UNSUBSCRIBED
    return None
