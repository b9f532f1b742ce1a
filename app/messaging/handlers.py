"""What the shop writes about, and the sending itself."""

import uuid

from app import events
from app.events import Event
from app.messaging import account_notices, attribution, clicks, notices, payment_notices, sending
from app.messaging.provider_notices import effects, keeping, routes, sns
from app.payments import discrepancies, disputes, settling_refunds, transfers


@events.on("order.placed", name="messaging.order_confirmation")
async def on_order_placed(event: Event) -> None:
    order_id = _subject(event)
    await notices.reserve_notice("order_confirmation", order_id=order_id, subject_id=order_id)


@events.on("order.cancelled", name="messaging.order_cancelled")
async def on_order_cancelled(event: Event) -> None:
    if not event.payload.get("notifyCustomer", True):
        return
    order_id = _subject(event)
    await notices.reserve_notice("order_cancelled", order_id=order_id, subject_id=order_id)


@events.on("order.ready_for_pickup", name="messaging.order_ready_for_pickup")
async def on_ready_for_pickup(event: Event) -> None:
    order_id = _subject(event)
    await notices.reserve_notice("order_ready_for_pickup", order_id=order_id, subject_id=order_id)


@events.on("order.refunded", name="messaging.order_refunded")
async def on_order_refunded(event: Event) -> None:
    if not event.payload["notifyCustomer"]:
        return
    refund_id: str = event.payload["refundId"]
    if await payment_notices.is_told_of_with_its_cancellation(uuid.UUID(refund_id)):
        return
    await notices.reserve_notice(
        "order_refunded", order_id=_subject(event), subject_id=uuid.UUID(refund_id), context={"refundId": refund_id}
    )


@events.on("order.edited", name="messaging.order_edited")
async def on_order_edited(event: Event) -> None:
    if not event.payload["notifyCustomer"]:
        return
    edit_id: str = event.payload["editId"]
    await notices.reserve_notice(
        "order_edited", order_id=_subject(event), subject_id=uuid.UUID(edit_id), context={"editId": edit_id}
    )


@events.on(transfers.REMIND, name="messaging.order_payment_reminder")
async def on_payment_reminder(event: Event) -> None:
    order_id = _subject(event)
    await notices.reserve_notice("order_payment_reminder", order_id=order_id, subject_id=order_id)


@events.on(discrepancies.FOUND, name="messaging.payment_discrepancy")
async def on_discrepancy_found(event: Event) -> None:
    await payment_notices.discrepancy(event.id, event.payload)


@events.on(disputes.DISPUTED, name="messaging.payment_disputed")
async def on_payment_disputed(event: Event) -> None:
    await payment_notices.disputed(event.id, event.payload)


@events.on(settling_refunds.REFUND_FAILED, name="messaging.refund_failed")
async def on_refund_failed(event: Event) -> None:
    await payment_notices.refund_failed(_subject(event))


@events.on("fulfillment.created", name="messaging.order_shipped")
async def on_fulfillment_created(event: Event) -> None:
    if not event.payload["notifyCustomer"]:
        return
    fulfillment_id: str = event.payload["fulfillmentId"]
    await notices.reserve_notice(
        "order_shipped",
        order_id=_subject(event),
        subject_id=uuid.UUID(fulfillment_id),
        context={"fulfillmentId": fulfillment_id},
    )


@events.on("shipment.out_for_delivery", name="messaging.order_out_for_delivery")
async def on_out_for_delivery(event: Event) -> None:
    await _reserve_parcel_notice("order_out_for_delivery", event)


@events.on("shipment.delivered", name="messaging.order_delivered")
async def on_delivered(event: Event) -> None:
    await _reserve_parcel_notice("order_delivered", event)


async def _reserve_parcel_notice(template: str, event: Event) -> None:
    shipment_id: str = event.payload["shipmentId"]
    await notices.reserve_notice(
        template,
        order_id=_subject(event),
        subject_id=uuid.UUID(shipment_id),
        context={"shipmentId": shipment_id},
    )


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id


@events.on("order.placed", name="messaging.attribution")
async def on_order_to_attribute(event: Event) -> None:
    await attribution.attribute(_subject(event))


@events.on("order.cancelled", name="messaging.attribution")
async def on_order_to_withdraw(event: Event) -> None:
    await attribution.withdraw(_subject(event))


@events.on("order.edited", name="messaging.attribution")
@events.on("order.refunded", name="messaging.attribution")
async def on_order_to_revise(event: Event) -> None:
    await attribution.revise(_subject(event))


@events.on("consent.requested", name="messaging.consent_confirmation")
async def on_consent_requested(event: Event) -> None:
    await account_notices.reserve_confirmation(_subject(event))


@events.on(keeping.EVENT, name="messaging.provider_notice")
async def on_provider_notice(event: Event) -> None:
    await effects.apply(_subject(event), event.payload, attempt=event.attempt)


@events.on(routes.SUBSCRIPTION_OFFERED, name="messaging.confirm_subscription", transactional=False)
async def on_subscription_offered(event: Event) -> None:
    await sns.confirm(event.payload["topicArn"], event.payload["token"])


@events.on("message.reserved", name="messaging.send", transactional=False)
async def on_message_reserved(event: Event) -> None:
    await sending.send(_subject(event), attempt=event.attempt)


@events.on(clicks.CLICKS_DUE, name="messaging.clicks")
async def on_clicks_due(event: Event) -> None:
    await clicks.judge(_subject(event))
