"""What staff can do to the send ledger."""

import uuid

from app import db
from app.errors import DomainError, not_found
from app.kit.ids import new_id
from app.messaging import ledger, starting
from app.messaging.errors import MessagingErrorCode
from app.messaging.ledger import Origin
from app.messaging.models import MessagePurpose, MessageState


async def resend(message_id: uuid.UUID) -> uuid.UUID:
    """Write the message once more, as a new row with a Message-ID of its own; returns the new row's id.

    The text is made anew from the order as it was sold: nothing that was sent is kept.

    Raises:
        DomainError: NOT_FOUND; MESSAGE_PENDING while it, or an earlier repetition, is on its way; MESSAGE_OBSOLETE
            when it no longer says something true, and for marketing, which its receiver's consent decides on.
    """
    async with db.unit_of_work():
        row = await ledger.lock(message_id)
        if row is None:
            raise not_found("message", ["id"])
        if row.purpose is not MessagePurpose.TRANSACTIONAL or await starting.obsolete_reason(row) is not None:
            raise DomainError(MessagingErrorCode.MESSAGE_OBSOLETE, "This message is not to be sent any more.", ["id"])
        repetition_pending = await db.fetchval(
            "SELECT EXISTS (SELECT FROM messages WHERE resend_of = $1 AND state IN ('RESERVED', 'SENDING'))",
            message_id,
        )
        if repetition_pending or row.leased or row.state is MessageState.RESERVED:
            raise DomainError(MessagingErrorCode.MESSAGE_PENDING, "This message is still on its way.", ["id"])
        again = new_id()
        reserved = await ledger.reserve(
            dedupe_key=f"resend:{again.hex}",
            channel=row.channel,
            purpose=row.purpose,
            template=row.template,
            recipient=row.recipient,
            order_id=row.order_id,
            context=row.context,
            resend_of=message_id,
            origin=Origin(profile_id=row.profile_id, cart_id=row.cart_id, template_version_id=row.template_version_id),
        )
        if reserved is None:
            raise RuntimeError("a fresh dedupe key was taken")
        return reserved
