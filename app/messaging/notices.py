"""Deciding to write to a shopper about an order: a row in the ledger for each channel that they can be reached by."""

import uuid
from collections.abc import Mapping

from app import db
from app.fulfillments.models import ShipmentStatus
from app.messaging import ledger, providers, rendering, rules
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.orders.models import OrderStatus
from app.settings import get_settings


async def reserve_notice(
    template: str, *, order_id: uuid.UUID, subject_id: uuid.UUID, context: Mapping[str, str] | None = None
) -> None:
    """Reserve a notice by email, and by SMS where a phone was given for the order. Inside a unit of work.

    Args:
        subject_id: what the notice is about (order, fulfilment or parcel); it is written about once.
        context: ids for the template, see `order_context.build`.
    """
    ids = dict(context or {})
    shipment_id = uuid.UUID(ids["shipmentId"]) if "shipmentId" in ids else None
    order = await db.fetchrow(
        """
        SELECT o.email, o.phone, o.status, (SELECT status FROM shipments WHERE id = $2) AS shipment
        FROM orders o WHERE o.id = $1
        """,
        order_id,
        shipment_id,
    )
    if order is None:
        return
    shipment = ShipmentStatus(order["shipment"]) if order["shipment"] else None
    obsolete = rules.obsolete(template, OrderStatus(order["status"]), shipment)
    recipients: list[tuple[MessageChannel, str, MessageReason | None]] = []
    if order["email"]:
        recipients.append((MessageChannel.EMAIL, order["email"], obsolete))
    if order["phone"] and rendering.has_sms(template):
        missing = None if providers.is_configured(MessageChannel.SMS, get_settings()) else MessageReason.NOT_CONFIGURED
        recipients.append((MessageChannel.SMS, order["phone"], obsolete or missing))
    for channel, recipient, skipped in recipients:
        await ledger.reserve(
            dedupe_key=f"{template}:{subject_id.hex}:{channel}",
            channel=channel,
            purpose=MessagePurpose.TRANSACTIONAL,
            template=template,
            recipient=recipient,
            order_id=order_id,
            context=ids,
            skipped=skipped,
        )
