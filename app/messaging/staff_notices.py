"""Writing to the shop's own people, through the same ledger as to everybody else."""

import uuid

from app.messaging import ledger
from app.messaging.ledger import Origin
from app.messaging.mime import mailbox_or_none
from app.messaging.models import MessageChannel, MessagePurpose
from app.shop import queries as shop_queries

STAFF_NOTICE = "staff_notice"


async def reserve(*, dedupe_key: str, subject: str, text: str, profile_id: uuid.UUID | None = None) -> uuid.UUID | None:
    """Mail the shop's contact address, once for each key, in the open unit of work.

    Args:
        subject, text: written by staff in advance, so nothing about a person; whom it is about says `profile_id`.

    Returns:
        The row's id; None when the shop has no address, or it was reserved before.
    """
    recipient = mailbox_or_none((await shop_queries.current()).contact_email)
    if recipient is None:
        return None
    return await ledger.reserve(
        dedupe_key=dedupe_key,
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=STAFF_NOTICE,
        recipient=recipient,
        order_id=None,
        context={"subject": subject, "text": text},
        skipped=None,
        origin=Origin(profile_id=profile_id),
    )
