"""What makes the shop issue an invoice or a credit note."""

import uuid

from app import events
from app.events import Event
from app.invoices import issuing
from app.invoices.models import IssueInvoices


@events.on("order.placed", name="invoices.placed")
async def on_order_placed(event: Event) -> None:
    await issuing.issue_when(_order(event), IssueInvoices.WHEN_PLACED)


@events.on("order.paid", name="invoices.paid")
async def on_order_paid(event: Event) -> None:
    await issuing.issue_when(_order(event), IssueInvoices.WHEN_PAID)


@events.on("order.cancelled", name="invoices.cancelled")
async def on_order_cancelled(event: Event) -> None:
    await issuing.credit_cancelled(_order(event))


@events.on("order.edited", name="invoices.edited")
async def on_order_edited(event: Event) -> None:
    await issuing.reissue(_order(event), uuid.UUID(event.payload["editId"]))


@events.on("order.refunded", name="invoices.refunded")
async def on_order_refunded(event: Event) -> None:
    await issuing.credit_refund(_order(event), uuid.UUID(event.payload["refundId"]))


def _order(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
