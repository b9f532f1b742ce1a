"""Which notices still say something true, and what the ledger allows."""

from app.fulfillments.models import ShipmentStatus
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.orders.models import OrderStatus

_TRUE_UNTIL_CANCELLED = {
    "order_confirmation",
    "order_edited",
    "order_shipped",
    "order_out_for_delivery",
    "order_payment_reminder",
    "order_ready_for_pickup",
}
_SETTLED = {ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED, ShipmentStatus.FAILED}


def obsolete(template: str, order_status: OrderStatus, shipment_status: ShipmentStatus | None) -> MessageReason | None:
    """Why a notice must not be sent any more; None when it may.

    Asked when a notice is reserved and again when its sending starts. A cancelled order is told by its own notice
    alone. A parcel that has arrived is not announced as being on its last leg; that it was shipped, and with what in
    it, stays worth knowing.
    """
    if template in _TRUE_UNTIL_CANCELLED and order_status is OrderStatus.CANCELLED:
        return MessageReason.ORDER_CANCELLED
    if template == "order_out_for_delivery" and shipment_status in _SETTLED:
        return MessageReason.SUPERSEDED
    return None


def may_repeat(channel: MessageChannel, purpose: MessagePurpose) -> bool:
    """Whether a message of unknown outcome is sent once more by itself.

    Mail about an order is: mail programs show a repeated Message-ID once, and a lost receipt is worse than a double
    one. Marketing is not. Nor is a text message, which has nothing to recognise a repetition by.
    """
    return channel is MessageChannel.EMAIL and purpose is MessagePurpose.TRANSACTIONAL
