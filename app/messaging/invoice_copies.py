"""The invoice that goes out with a confirmation, and the one that an edit of the order has led to."""

import uuid

from app.invoices import issuing, queries, settings
from app.invoices.models import IssueInvoices
from app.messaging.ledger import LedgerRow
from app.messaging.mime import AttachedPdf

CONFIRMATION, EDITED = "order_confirmation", "order_edited"


async def issue_for(row: LedgerRow) -> None:
    """The mail and the event that issues the invoice have nobody to wait for: whoever is first issues it."""
    if row.order_id is None:
        return
    if row.template == CONFIRMATION:
        await issuing.issue_when(row.order_id, IssueInvoices.WHEN_PLACED)
    elif row.template == EDITED:
        await issuing.reissue(row.order_id, uuid.UUID(row.context["editId"]))


async def for_mail(row: LedgerRow) -> list[AttachedPdf]:
    """What is attached: nothing for other mails, and where the shop does not want it."""
    if row.order_id is None or row.template not in (CONFIRMATION, EDITED) or not (await settings.current()).attached:
        return []
    if row.template == CONFIRMATION:
        invoice_id = await queries.latest_of(row.order_id)
    else:
        invoice_id = await queries.since_edit(uuid.UUID(row.context["editId"]))
    printed = await queries.print_out(invoice_id) if invoice_id else None
    return [AttachedPdf(f"{printed.number.replace('/', '-')}.pdf", printed.pdf)] if printed else []
